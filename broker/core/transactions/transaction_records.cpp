#include "broker/core/transactions/transaction_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace iolab::core {
namespace {

constexpr std::int16_t kKeyVersion = 0;
constexpr std::int16_t kValueVersion = 0;

constexpr std::array<std::string_view, 8> kNames{"Empty",        "Ongoing",          "PrepareCommit",
                                                 "PrepareAbort", "CompleteCommit",   "CompleteAbort",
                                                 "Dead",         "PrepareEpochFence"};

}  // namespace

std::string_view name_of(TransactionState state) {
  return kNames.at(static_cast<std::size_t>(state));
}

std::optional<TransactionState> transaction_state_of(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<TransactionState>(found - kNames.begin());
}

std::vector<TransactionValue::Topic> by_topic(const std::set<TopicPartition>& partitions) {
  std::vector<TransactionValue::Topic> topics;
  for (const TopicPartition& where : partitions) {
    if (topics.empty() || topics.back().topic != where.topic) topics.push_back({where.topic, {}});
    topics.back().partition_ids.push_back(where.partition);
  }
  return topics;
}

std::set<TopicPartition> partitions_of(const TransactionValue& value) {
  std::set<TopicPartition> partitions;
  if (!value.partitions) return partitions;
  for (const auto& topic : *value.partitions) {
    for (const std::int32_t partition : topic.partition_ids) partitions.insert({topic.topic, partition});
  }
  return partitions;
}

std::optional<InternalRecord> record_of(const TransactionKey& key, const TransactionValue* value) {
  return versioned_record(key, kKeyVersion, value, kValueVersion);
}

std::expected<TransactionRecord, std::string> read_transaction_record(const protocol::Record& record) {
  if (!record.key) return std::unexpected("it has no key");
  const std::int16_t version = version_of(*record.key);
  if (version != kKeyVersion) return std::unexpected(fmt::format("its key has version {}", version));
  auto found = read_versioned<TransactionKey, TransactionValue>(record, version, kValueVersion);
  if (!found || !found->value) return found;
  const auto status = static_cast<int>(found->value->status);
  if (status < 0 || status > static_cast<int>(TransactionState::complete_abort)) {
    return std::unexpected(fmt::format("its state has the number {}", status));
  }
  return found;
}

}  // namespace iolab::core
