// A log of the broker's own: keyed records in the one partition of an internal topic, from which a coordinator's state
// is read back when the broker starts. Of the records with one key the last one counts; one without a value says that
// the key is gone. The topic is compacted, so that what no longer counts takes no room for ever.
//
// Invariant: records that were appended under one lock are replayed in the same order, so whoever holds a lock while it
// appends and changes its state has, after a restart, the state it had. Records of one append() become one batch, as
// far as a batch of the topic's max.message.bytes holds them.
//
// Threads: attach() once, before or while others ask is_attached(); everything else after that, from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/partition.h"
#include "broker/core/settings.h"
#include "broker/protocol/record_reader.h"

namespace iolab::core {

inline constexpr std::string_view kConsumerOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionStateTopic = "__transaction_state";

// Made by the broker alone: clients may read it, but neither write, make, grow nor delete it.
bool is_internal_topic(std::string_view name);
// What an internal topic is created with.
Overrides internal_topic_overrides(const BrokerSettings& broker, std::string_view name);

struct InternalRecord {
  std::vector<std::byte> key;
  std::optional<std::vector<std::byte>> value;  // nothing: a tombstone, the key is gone
};

class InternalLog {
 public:
  // On whose behalf a transactional batch is written; without one the batch belongs to nobody.
  struct Producer {
    std::int64_t id = -1;
    std::int16_t epoch = -1;
    Partition::Verified verified = std::nullopt;  // see Partition::marker_offset()
  };

  // `most_batch_bytes`: of one batch, unless one record alone is larger.
  void attach(std::shared_ptr<Partition> partition, std::int64_t most_batch_bytes);
  bool is_attached() const { return attached_.load(std::memory_order_acquire); }
  const std::shared_ptr<Partition>& partition() const { return partition_; }  // null before attach()

  // Appends the records, dated `now`, and returns the offset of the first; they follow each other. With a `wait` the
  // answer waits for the disk, as that of a produce request does. message_too_large: one record alone is larger than a
  // batch may be, and nothing was appended. May be called with a coordinator's lock held: it rings through `wakeups`.
  std::expected<std::int64_t, protocol::ErrorCode> append(std::span<const InternalRecord> records, Moment now,
                                                          const std::shared_ptr<CommitWait>& wait, Wakeups& wakeups,
                                                          Producer producer = {-1, -1, std::nullopt});

  // An answer that tells of state must not leave before that state is on the disk: the same wait without an append.
  std::expected<void, protocol::ErrorCode> await_sync(const std::shared_ptr<CommitWait>& wait);

  // Every record from the start of the log on, in order, those of control batches too: the batch says what it is. The
  // error is a sentence; what came before it has been visited. Reads the whole log: for the start of a broker.
  using Visit = std::function<void(const protocol::BatchView& batch, const protocol::Record& record)>;
  std::expected<void, std::string> replay(base::BufferPool& buffers, const Visit& visit) const;

 private:
  std::shared_ptr<Partition> partition_;
  std::int64_t most_batch_bytes_ = 0;
  std::atomic<bool> attached_{false};  // the release of what stands above it
};

}  // namespace iolab::core
