// Which transactions of one partition are undecided, and which were aborted: what decides how far readers of committed
// records may read, and what they must pass over on the way.
//
// A transaction is undecided from its first batch on until its marker is below the high watermark: before that, a power
// cut could take the decision back. Everything below the last stable offset is decided. Aborted ones are kept in the
// order of their markers, as long as the log holds anything of them.
//
// Threads: under the partition's mutex. Source: KIP-98, and ProducerStateManager and TransactionIndex of Apache Kafka.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <vector>

namespace iolab::core {

struct AbortedTransaction {
  std::int64_t producer_id = -1;
  std::int64_t first_offset = -1;
  std::int64_t last_offset = -1;         // of its marker
  std::int64_t last_stable_offset = -1;  // when it ended, and its marker counted: whatever ended later began behind it

  bool operator==(const AbortedTransaction&) const = default;
};

class PartitionTransactions {
 public:
  void begin(std::int64_t first_offset) { open_.insert(first_offset); }
  void end(std::int64_t producer_id, std::int64_t first_offset, std::int64_t marker_offset, bool aborted);

  // Markers below the high watermark count from here on.
  void settle(std::int64_t high_watermark);
  // At most `high_watermark`, the one that was settled last.
  std::int64_t last_stable_offset(std::int64_t high_watermark) const;

  // Those that have records or their marker in [from, to), by the offset of the marker.
  std::vector<AbortedTransaction> aborted_in(std::int64_t from, std::int64_t to) const;
  const std::deque<AbortedTransaction>& aborted() const { return aborted_; }
  // The log begins there now.
  void forget_before(std::int64_t log_start);
  // What a snapshot held, by the offset of the marker.
  void restore(const AbortedTransaction& transaction) { aborted_.push_back(transaction); }

 private:
  struct Ending {
    std::int64_t marker_offset;
    std::int64_t first_offset;
  };
  std::set<std::int64_t> open_;  // by their first offset
  std::deque<Ending> ending_;    // their markers are not below the high watermark yet
  std::deque<AbortedTransaction> aborted_;
};

}  // namespace iolab::core
