// One partition on a temporary directory, with producers that write transactions to it, and a reader of committed
// records that passes over aborted ones as clients do: by the list that comes with the records, and by the markers.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/partition.h"
#include "broker/core/properties.h"
#include "broker/protocol/batch_builder.h"
#include "broker/protocol/record_reader.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::test {

// Of what a fetch answered: the offsets of the records that a consumer of committed records gets to see, and the offset
// that it fetches from next.
struct Consumed {
  std::vector<std::int64_t> offsets;
  std::int64_t next = 0;
};

// `aborted`: producer id and first offset. A last batch that was cut short is left for the next time.
inline Consumed consume_committed(base::Bytes bytes, std::vector<std::pair<std::int64_t, std::int64_t>> aborted,
                                  std::int64_t from) {
  std::ranges::sort(aborted, {}, [](const auto& one) { return one.second; });
  auto next_aborted = aborted.begin();
  std::set<std::int64_t> passed_over;
  Consumed consumed{{}, from};
  while (const auto batch = protocol::first_batch(bytes)) {
    for (; next_aborted != aborted.end() && next_aborted->second <= batch->last_offset(); ++next_aborted) {
      passed_over.insert(next_aborted->first);
    }
    const auto marker = protocol::marker_of(*batch);
    if (marker && !marker->commit) passed_over.erase(batch->producer_id());
    const bool visible =
        !batch->is_control() && !(batch->is_transactional() && passed_over.contains(batch->producer_id()));
    for (std::int64_t offset = batch->base_offset(); visible && offset < batch->next_offset(); ++offset) {
      if (offset >= from) consumed.offsets.push_back(offset);
    }
    consumed.next = std::max(consumed.next, batch->next_offset());
    bytes = bytes.subspan(batch->size());
  }
  return consumed;
}

class PartitionFixture {
 public:
  explicit PartitionFixture(core::FlushPolicy policy = core::FlushPolicy::os, const storage::LogConfig& config = {})
      : policy_(policy), config_(config) {
    open();
  }
  ~PartitionFixture() { close(); }
  PartitionFixture(const PartitionFixture&) = delete;
  PartitionFixture& operator=(const PartitionFixture&) = delete;

  core::Partition& operator*() { return *partition_; }
  core::Partition* operator->() { return partition_.get(); }
  const std::filesystem::path& directory() const { return directory_.path(); }
  std::filesystem::path snapshot_path() const { return directory() / "producers.snapshot"; }

  // As after a crash of the process.
  void close() {
    if (!partition_) return;
    const auto known = partition_->checkpoint();
    if (known) {
      mode_.recovery_point = known->recovery_point;
      mode_.log_start_offset = known->log_start_offset;
    }
    (void)flushes_->take_due(core::Deadlines::kNever);
    partition_.reset();
  }
  void open() {
    flushes_ = std::make_unique<core::FlushQueue>();
    auto log = storage::PartitionLog::open(directory(), config_, mode_, clock.now().wall_ms);
    ASSERT_TRUE(log) << log.error().message;
    partition_ = std::make_shared<core::Partition>("t", 0, std::move(*log), core::default_settings().topic_defaults,
                                                   policy_, *flushes_);
    partition_->recover(clock.now());
  }
  void crash_and_reopen() {
    close();
    open();
  }
  void flush() {
    for (const auto& due : flushes_->take_due(core::Deadlines::kNever)) {
      core::Wakeups wakeups;
      due->flush(wakeups);
    }
  }

  using Appended = std::expected<core::Partition::Appended, protocol::ErrorCode>;
  Appended append(const BatchOptions& options, core::Partition::Verified verified = std::nullopt) {
    Frame bytes = make_batch(options);
    core::Wakeups wakeups;
    return partition_->append(bytes, *protocol::first_batch(bytes), clock.now(), nullptr, wakeups, core::Origin::client,
                              verified);
  }
  Appended end_transaction(const protocol::TransactionMarker& marker) {
    core::Wakeups wakeups;
    return partition_->end_transaction(marker, clock.now(), nullptr, wakeups);
  }

  core::Partition::Offsets offsets() {
    const auto known = partition_->offsets();
    EXPECT_TRUE(known) << "the partition is offline";
    return known.value_or(core::Partition::Offsets{});
  }

  // What a consumer sees that starts at `from` and fetches `max_bytes` at a time, up to the last stable offset.
  std::vector<std::int64_t> committed(std::int64_t from, std::size_t max_bytes) {
    std::vector<std::int64_t> all;
    for (;;) {
      const auto found = partition_->locate(from, {.max_bytes = max_bytes}, core::Isolation::read_committed);
      if (!found) {
        ADD_FAILURE() << "nothing can be read at " << from;
        return all;
      }
      if (found->location.bytes == 0) return all;
      const auto read = partition_->read_copied(found->location, buffers_);
      if (!read) {
        ADD_FAILURE() << "the bytes at " << from << " cannot be read";
        return all;
      }
      std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
      for (const auto& one : found->aborted) aborted.emplace_back(one.producer_id, one.first_offset);
      const Consumed consumed = consume_committed(read->bytes, aborted, from);
      if (consumed.next <= from) {
        ADD_FAILURE() << "no whole batch was served at " << from;
        return all;
      }
      all.insert(all.end(), consumed.offsets.begin(), consumed.offsets.end());
      from = consumed.next;
    }
  }

  ManualClock clock;

 private:
  TemporaryDirectory directory_;
  core::FlushPolicy policy_;
  storage::LogConfig config_;
  storage::OpenMode mode_;
  base::BufferPool buffers_;
  std::unique_ptr<core::FlushQueue> flushes_;
  std::shared_ptr<core::Partition> partition_;
};

}  // namespace iolab::test
