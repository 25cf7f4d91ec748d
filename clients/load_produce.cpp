// Produce: every connection appends the same batch to its partition, again and again. What is verified: each answer
// belongs to the request, carries no error, and its offset lies where a whole batch of this load begins, behind the one
// before; at the end each log has grown by exactly what was acknowledged.
#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "broker/protocol/error_code.h"
#include "clients/load_kafka.h"
#include "clients/topic_calls.h"

namespace iolab::clients {
namespace {

struct ProducedPartition {
  std::vector<std::byte> batch;
  std::vector<std::byte> head;
  std::vector<std::byte> answer;
  std::int64_t start = 0;  // its next offset before the load
};

class ProduceDialogue final : public Dialogue {
 public:
  ProduceDialogue(const LoadSpec& spec, const ProducedPartition& partition)
      : partition_(partition), layout_(produce_answer_layout(spec)), records_(spec.records_per_batch) {
    const auto slots = static_cast<std::size_t>(spec.in_flight);
    // A short batch goes out in one piece with its head; a long one is shared by all, or the client would spend its
    // time on cache misses of its own making.
    constexpr std::size_t kCopiedUpTo = 4096;
    const bool copied = partition.batch.size() <= kCopiedUpTo;
    head_bytes_ = partition.head.size() + (copied ? partition.batch.size() : 0);
    pieces_per_slot_ = copied ? 1 : 2;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      heads_.insert(heads_.end(), partition.head.begin(), partition.head.end());
      if (copied) heads_.insert(heads_.end(), partition.batch.begin(), partition.batch.end());
    }
    for (std::size_t slot = 0; slot < slots; ++slot) {
      pieces_.push_back({heads_.data() + slot * head_bytes_, head_bytes_});
      // Sent, never written to: iovec knows no const.
      if (!copied) pieces_.push_back({const_cast<std::byte*>(partition.batch.data()), partition.batch.size()});
    }
  }

  std::span<const iovec> request(std::uint32_t slot) override {
    auto* head = static_cast<std::byte*>(pieces_[slot * pieces_per_slot_].iov_base);
    base::store_big_endian(head + kCorrelationAt, sent_++);
    return std::span(pieces_).subspan(slot * pieces_per_slot_, pieces_per_slot_);
  }

  Answer answered(std::uint32_t /*slot*/, std::span<const std::byte> answer) override {
    const auto& expected = partition_.answer;
    const auto correlation_id = answered_++;
    constexpr std::size_t kAfterCorrelation = kAnswerCorrelationAt + 4;
    if (answer.size() != expected.size() ||
        base::load_big_endian<std::int32_t>(answer.data() + kAnswerCorrelationAt) != correlation_id ||
        std::memcmp(answer.data() + kAfterCorrelation, expected.data() + kAfterCorrelation,
                    layout_.error_at - kAfterCorrelation) != 0) {
      return wrong(LoadError::wrong_answer, "a Produce answer is not the one to the request that was due");
    }
    const auto error =
        static_cast<protocol::ErrorCode>(base::load_big_endian<std::int16_t>(answer.data() + layout_.error_at));
    if (error != protocol::ErrorCode::none) {
      return wrong(LoadError::broker_error, broker_error("produce", error));
    }
    const auto offset = base::load_big_endian<std::int64_t>(answer.data() + layout_.base_offset_at);
    if (offset <= last_offset_ || offset < partition_.start || (offset - partition_.start) % records_ != 0) {
      return wrong(LoadError::wrong_offset,
                   fmt::format("a batch was acknowledged at offset {} after one at {}, in a log "
                               "that began at {} and grows by {}",
                               offset, last_offset_, partition_.start, records_));
    }
    last_offset_ = offset;
    return {.records = static_cast<std::uint64_t>(records_), .payload_bytes = partition_.batch.size()};
  }

  const std::string& note() const override { return note_; }

 private:
  Answer wrong(LoadError error, const std::string& what) {
    if (note_.empty()) note_ = what;
    return {.error = error};
  }

  const ProducedPartition& partition_;
  const ProduceAnswerLayout layout_;
  const std::int64_t records_;
  std::size_t head_bytes_ = 0;
  std::size_t pieces_per_slot_ = 1;
  std::vector<std::byte> heads_;
  std::vector<iovec> pieces_;
  std::int32_t sent_ = 0;
  std::int32_t answered_ = 0;
  std::int64_t last_offset_ = -1;
  std::string note_;
};

class ProduceScript final : public Script {
 public:
  ProduceScript(const LoadSpec& spec, std::vector<ProducedPartition> partitions, bool canned)
      : spec_(spec), partitions_(std::move(partitions)), framing_(kafka_framing()), canned_(canned) {}

  const Framing& framing() const override { return framing_; }
  std::unique_ptr<Dialogue> dialogue(int connection) const override {
    const auto partition = static_cast<std::size_t>(connection) % partitions_.size();
    return std::make_unique<ProduceDialogue>(spec_, partitions_[partition]);
  }

  // What was never answered may or may not have been appended.
  void check_at_end(LoadResult& result, std::uint64_t lost_requests) const override {
    if (canned_) return;
    const auto grown = records_appended();
    if (!grown) {
      if (result.note.empty()) result.note = fmt::format("the end of the log was not checked: {}", grown.error());
      return;
    }
    const auto most = result.acknowledged_records + lost_requests * static_cast<std::uint64_t>(spec_.records_per_batch);
    result.end_offsets_checked = *grown >= result.acknowledged_records && *grown <= most;
    if (result.end_offsets_checked) return;
    ++result.errors[static_cast<std::size_t>(LoadError::wrong_offset)];
    if (result.note.empty()) {
      result.note =
          fmt::format("{} records were acknowledged, and the log grew by {}", result.acknowledged_records, *grown);
    }
  }

 private:
  Result<std::uint64_t> records_appended() const {
    auto client = ProtocolClient::connect(spec_.target, {.timeout = std::chrono::seconds(5)});
    if (!client) return std::unexpected(client.error());
    std::uint64_t grown = 0;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      const auto end = offset_at(*client, spec_.topic, static_cast<int>(i), protocol::kLatestTimestamp);
      if (!end) return std::unexpected(end.error());
      grown += static_cast<std::uint64_t>(*end - partitions_[i].start);
    }
    return grown;
  }

  LoadSpec spec_;
  std::vector<ProducedPartition> partitions_;
  Framing framing_;
  bool canned_;
};

MadeScript make(const LoadSpec& spec, ProtocolClient* client) {
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  std::vector<ProducedPartition> partitions;
  for (int i = 0; i < spec.partitions; ++i) {
    auto batch = load_batch(spec, i, now_ms.count());
    if (!batch) return std::unexpected(batch.error());
    ProducedPartition partition;
    partition.head = produce_request_head(spec, i, batch->size());
    partition.answer = produce_answer(spec, i);
    partition.batch = std::move(*batch);
    if (client != nullptr) {
      const auto range = partition_range(*client, spec.topic, i);
      if (!range) return std::unexpected(range.error());
      partition.start = range->end;
    }
    partitions.push_back(std::move(partition));
  }
  return std::make_unique<ProduceScript>(spec, std::move(partitions), client == nullptr);
}

}  // namespace

MadeScript produce_script(const LoadSpec& spec) {
  auto client = ProtocolClient::connect(spec.target);
  if (!client) return std::unexpected(client.error());
  if (const auto prepared = prepare_topic(*client, spec); !prepared) return std::unexpected(prepared.error());
  return make(spec, &*client);
}

MadeScript canned_produce_script(const LoadSpec& spec) {
  return make(spec, nullptr);
}

}  // namespace iolab::clients
