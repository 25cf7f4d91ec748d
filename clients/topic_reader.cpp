#include "clients/topic_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "broker/protocol/messages/01_fetch.h"

namespace iolab::clients {

using protocol::ErrorCode;

Result<std::uint64_t> TopicReader::read(const Take& take) {
  protocol::FetchRequest request;
  request.max_wait_ms = limits_.max_wait_ms;
  request.min_bytes = limits_.min_bytes;
  request.max_bytes = limits_.max_bytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic_;
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    const auto& position = positions_[(first_ + i) % positions_.size()];
    auto& part = asked.partitions.emplace_back();
    part.partition = position.partition;
    part.fetch_offset = position.offset;
    part.partition_max_bytes = limits_.max_bytes;
  }
  ++first_;
  const auto response = client_.call<protocol::FetchResponse>(request);
  if (!response) return std::unexpected(response.error());
  if (response->error_code != ErrorCode::none) {
    return std::unexpected(broker_error(fmt::format("cannot fetch topic '{}'", topic_), response->error_code));
  }
  std::uint64_t count = 0;
  for (const auto& topic : response->responses) {
    for (const auto& part : topic.partitions) {
      const auto position = std::ranges::find(positions_, part.partition_index, &Position::partition);
      if (position == positions_.end()) continue;
      if (part.error_code != ErrorCode::none) {
        return std::unexpected(
            broker_error(fmt::format("cannot fetch {}-{} at offset {}", topic_, part.partition_index, position->offset),
                         part.error_code));
      }
      const auto go_on = read_partition(*position, part.records ? part.records->bytes : base::Bytes(), take, count);
      if (!go_on) return std::unexpected(go_on.error());
      if (!*go_on) return count;
    }
  }
  return count;
}

Result<bool> TopicReader::read_partition(Position& position, base::Bytes records, const Take& take,
                                         std::uint64_t& count) {
  const auto damaged = [&](const protocol::BatchFault& fault) {
    return std::unexpected(fmt::format("{}-{} is damaged at or after offset {}: {}", topic_, position.partition,
                                       position.offset, fault.reason));
  };
  while (records.size() >= protocol::kBatchPrefixBytes) {
    const auto size = protocol::declared_batch_size(records);
    if (size > static_cast<std::int64_t>(records.size())) break;  // the answer's last batch may be cut
    const auto batch = protocol::first_batch(records);
    if (!batch) return damaged(batch.error());
    records = records.subspan(batch->size());
    if (const auto stored = protocol::check_stored(*batch); !stored) return damaged(stored.error());
    if (!batch->is_control()) {
      protocol::RecordReader reader(*batch);
      while (const auto* record = reader.next()) {
        if (record->offset < position.offset) continue;  // a batch is sent whole, from its first record on
        position.offset = record->offset + 1;
        ++count;
        if (!take(position.partition, *record)) return false;
      }
      if (reader.fault()) return damaged(*reader.fault());
    }
    position.offset = std::max(position.offset, batch->next_offset());
  }
  return true;
}

}  // namespace iolab::clients
