// Fetch: every slot of every connection is a reader of its own, which goes through its partition from a place of its
// own to the end and begins again. The partition holds one batch, over and over, so that each answer can be compared
// byte by byte: only base offset and leader epoch may differ, and the offsets must follow each other without a gap.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "broker/protocol/record_reader.h"
#include "clients/load_kafka.h"
#include "clients/topic_calls.h"

namespace iolab::clients {
namespace {

struct FetchedPartition {
  std::vector<std::byte> batch;
  FetchRequestBytes request;
  OffsetRange range;
  bool readers_spread = true;  // false: all begin at the start, which is all that a canned answer holds
};

// Reads the fields of an answer one after the other; past the end everything is zero and ok() false.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }
  template <class T>
  T take() {
    const auto raw = take_bytes(sizeof(T));
    return ok_ ? base::load_big_endian<T>(raw.data()) : T{};
  }
  std::span<const std::byte> take_bytes(std::size_t count) {
    ok_ = ok_ && count <= bytes_.size();
    if (!ok_) return {};
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

class FetchDialogue final : public Dialogue {
 public:
  FetchDialogue(const LoadSpec& spec, const FetchedPartition& partition, int connection)
      : partition_(partition), verify_(spec.verify), records_(spec.records_per_batch), topic_(spec.topic) {
    const auto slots = static_cast<std::size_t>(spec.in_flight), bytes = partition.request.frame.size();
    for (std::size_t slot = 0; slot < slots; ++slot) {
      frames_.insert(frames_.end(), partition.request.frame.begin(), partition.request.frame.end());
    }
    // Readers start spread over the log, at the beginnings of batches.
    const auto batches = (partition.range.end - partition.range.start) / records_;
    const auto readers = static_cast<std::int64_t>(spec.connections) * spec.in_flight;
    for (std::size_t slot = 0; slot < slots; ++slot) {
      pieces_.push_back({frames_.data() + slot * bytes, bytes});
      const auto reader = partition.readers_spread
                              ? static_cast<std::int64_t>(connection) * spec.in_flight + static_cast<std::int64_t>(slot)
                              : 0;
      offsets_.push_back(partition.range.start + batches * (reader % readers) / readers * records_);
    }
  }

  std::span<const iovec> request(std::uint32_t slot) override {
    auto* frame = static_cast<std::byte*>(pieces_[slot].iov_base);
    base::store_big_endian(frame + kCorrelationAt, sent_++);
    base::store_big_endian(frame + partition_.request.offset_at, offsets_[slot]);
    return {&pieces_[slot], 1};
  }

  Answer answered(std::uint32_t slot, std::span<const std::byte> answer) override {
    Cursor in(answer);
    in.take<std::int32_t>();  // size: known
    const bool due = in.take<std::int32_t>() == answered_++;
    in.take<std::int32_t>();  // throttle time
    const auto error = static_cast<protocol::ErrorCode>(in.take<std::int16_t>());
    in.take<std::int32_t>();  // session
    const bool one_topic = in.take<std::int32_t>() == 1;
    const auto name = in.take_bytes(static_cast<std::uint16_t>(in.take<std::int16_t>()));
    const bool one_partition = in.take<std::int32_t>() == 1;
    in.take<std::int32_t>();  // which: there is only one
    const auto partition_error = static_cast<protocol::ErrorCode>(in.take<std::int16_t>());
    in.take_bytes(3 * sizeof(std::int64_t));  // high watermark, last stable offset, log start
    const auto aborted = in.take<std::int32_t>();
    in.take_bytes(aborted > 0 ? static_cast<std::size_t>(aborted) * 16 : 0);
    in.take<std::int32_t>();  // preferred replica
    const auto bytes = in.take<std::int32_t>();
    const auto records = in.take_bytes(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
    if (error != protocol::ErrorCode::none) return wrong(LoadError::broker_error, broker_error("fetch", error));
    if (in.ok() && partition_error != protocol::ErrorCode::none) {
      return wrong(LoadError::broker_error, broker_error("fetch", partition_error));
    }
    if (!in.ok() || !due || !one_topic || !one_partition || base::as_text(name) != topic_) {
      return wrong(LoadError::wrong_answer, "a Fetch answer is not the one to the request that was due");
    }
    return take_records(offsets_[slot], records);
  }

  const std::string& note() const override { return note_; }

 private:
  // A batch that is cut off at the end is what the protocol allows; it is read again next time.
  Answer take_records(std::int64_t& offset, std::span<const std::byte> records) {
    const auto& expected = partition_.batch;
    Answer answer;
    for (; records.size() >= expected.size(); records = records.subspan(expected.size())) {
      const auto base_offset = base::load_big_endian<std::int64_t>(records.data());
      if (base_offset != offset) {
        return wrong(LoadError::wrong_offset,
                     fmt::format("a batch begins at {} where {} was due", base_offset, offset));
      }
      if (verify_ && !same_but_for_offset(records.data())) {
        return wrong(LoadError::wrong_bytes,
                     fmt::format("the batch at offset {} differs from what was produced", offset));
      }
      offset += records_;
      answer.records += static_cast<std::uint64_t>(records_);
      answer.payload_bytes += expected.size();
    }
    if (answer.records == 0) {
      return wrong(LoadError::wrong_answer,
                   fmt::format("no whole batch came for offset {}, which is in the log", offset));
    }
    if (offset >= partition_.range.end) offset = partition_.range.start;
    return answer;
  }

  bool same_but_for_offset(const std::byte* batch) const {
    constexpr std::size_t kLengthAt = 8, kEpochAt = 12, kFixedFrom = 16;
    const auto& expected = partition_.batch;
    return std::memcmp(batch + kLengthAt, expected.data() + kLengthAt, kEpochAt - kLengthAt) == 0 &&
           std::memcmp(batch + kFixedFrom, expected.data() + kFixedFrom, expected.size() - kFixedFrom) == 0;
  }

  Answer wrong(LoadError error, const std::string& what) {
    if (note_.empty()) note_ = what;
    return {.error = error};
  }

  const FetchedPartition& partition_;
  const bool verify_;
  const std::int64_t records_;
  const std::string topic_;
  std::vector<std::byte> frames_;
  std::vector<iovec> pieces_;
  std::vector<std::int64_t> offsets_;  // of each slot's next request
  std::int32_t sent_ = 0;
  std::int32_t answered_ = 0;
  std::string note_;
};

class FetchScript final : public Script {
 public:
  FetchScript(const LoadSpec& spec, std::vector<FetchedPartition> partitions)
      : spec_(spec), partitions_(std::move(partitions)), framing_(kafka_framing()) {
    // A server may answer with one batch more than was asked for, and puts its own fields around them.
    for (const auto& each : partitions_) {
      framing_.longest_bytes = std::max(framing_.longest_bytes, spec.fetch_max_bytes + each.batch.size() + (64 << 10));
    }
  }
  const Framing& framing() const override { return framing_; }
  std::unique_ptr<Dialogue> dialogue(int connection) const override {
    const auto partition = static_cast<std::size_t>(connection) % partitions_.size();
    return std::make_unique<FetchDialogue>(spec_, partitions_[partition], connection);
  }

 private:
  LoadSpec spec_;
  std::vector<FetchedPartition> partitions_;
  Framing framing_;
};

Result<void> fill(ProtocolClient& client, const LoadSpec& spec, int partition, std::size_t missing_bytes,
                  const std::vector<std::byte>& batch) {
  constexpr std::size_t kOnTheirWay = 32;
  auto missing = (missing_bytes + batch.size() - 1) / batch.size();
  while (missing > 0 || client.outstanding() > 0) {
    if (missing > 0 && client.outstanding() < kOnTheirWay) {
      if (const auto sent = send_batch(client, spec.topic, partition, batch, 1); !sent) return sent;
      --missing;
    } else if (const auto offset = receive_acknowledgement(client); !offset) {
      return std::unexpected(offset.error());
    }
  }
  return {};
}

// The log's first batch is the one that all others are compared with, once it has been found to be of this load.
Result<std::vector<std::byte>> first_batch_of(ProtocolClient& client, const LoadSpec& spec, int partition,
                                              std::int64_t offset) {
  const auto fetched = fetch_records(client, spec.topic, partition, offset, {.max_bytes = 1});
  if (!fetched) return std::unexpected(fetched.error());
  const auto other = [&](const std::string& why) {
    return std::unexpected(
        fmt::format("topic '{}' holds something else than this load would write ({}): delete it, or "
                    "name another topic",
                    spec.topic, why));
  };
  const auto batch = protocol::first_batch(fetched->records);
  if (!batch) return other(batch.error().reason);
  if (const auto stored = protocol::check_stored(*batch); !stored) return other(stored.error().reason);
  const auto wanted = load_batch(spec, partition, batch->base_timestamp());
  if (!wanted) return std::unexpected(wanted.error());
  const auto rest = [](base::Bytes bytes) { return bytes.subspan(protocol::kBatchChangeableBytes); };
  if (batch->size() != wanted->size() || !base::equal(rest(batch->bytes()), rest(*wanted))) {
    return other("its first batch has other sizes or another content");
  }
  return std::vector<std::byte>(batch->bytes().begin(), batch->bytes().end());
}

Result<FetchedPartition> prepare_partition(ProtocolClient& client, const LoadSpec& spec, int partition,
                                           std::int64_t now_ms) {
  auto range = partition_range(client, spec.topic, partition);
  if (!range) return std::unexpected(range.error());
  auto batch = range->end > range->start ? first_batch_of(client, spec, partition, range->start)
                                         : load_batch(spec, partition, now_ms);
  if (!batch) return std::unexpected(batch.error());
  const auto batches = static_cast<std::size_t>((range->end - range->start) / spec.records_per_batch);
  const auto there = batches * batch->size();
  if (there < spec.prefill_bytes || batches == 0) {
    const auto missing = std::max(spec.prefill_bytes - std::min(there, spec.prefill_bytes), batch->size());
    if (const auto filled = fill(client, spec, partition, missing, *batch); !filled) {
      return std::unexpected(filled.error());
    }
    range = partition_range(client, spec.topic, partition);
    if (!range) return std::unexpected(range.error());
  }
  return FetchedPartition{std::move(*batch), fetch_request(spec, partition), *range};
}

}  // namespace

MadeScript fetch_script(const LoadSpec& spec) {
  auto client = ProtocolClient::connect(spec.target);
  if (!client) return std::unexpected(client.error());
  if (const auto prepared = prepare_topic(*client, spec); !prepared) return std::unexpected(prepared.error());
  const auto now_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  std::vector<FetchedPartition> partitions;
  for (int i = 0; i < spec.partitions; ++i) {
    auto partition = prepare_partition(*client, spec, i, now_ms.count());
    if (!partition) return std::unexpected(partition.error());
    partitions.push_back(std::move(*partition));
  }
  return std::make_unique<FetchScript>(spec, std::move(partitions));
}

MadeScript canned_fetch_script(const LoadSpec& spec) {
  std::vector<FetchedPartition> partitions;
  for (int i = 0; i < spec.partitions; ++i) {
    auto batch = load_batch(spec, i, 0);
    if (!batch) return std::unexpected(batch.error());
    const auto batches = batches_per_fetch(spec, batch->size());
    const OffsetRange one_answer{0, std::int64_t{batches} * spec.records_per_batch};
    partitions.push_back({std::move(*batch), fetch_request(spec, i), one_answer, false});
  }
  return std::make_unique<FetchScript>(spec, std::move(partitions));
}

}  // namespace iolab::clients
