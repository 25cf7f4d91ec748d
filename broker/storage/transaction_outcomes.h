// How the transactions of a stretch of a log ended, learnt from the stretch itself: a producer's batches belong to the
// transaction that its next marker ends. For compaction, which keeps nothing of what was aborted, and does not look at
// what is still open.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "broker/protocol/record_batch.h"

namespace iolab::storage {

class TransactionOutcomes {
 public:
  // Every batch of the stretch, in order.
  void see(const protocol::BatchView& batch);

  // The first offset of the oldest transaction that no marker has ended; the largest number there is if all have ended.
  std::int64_t open_from() const;
  // Whether the batch, which was seen, belongs to a transaction that was aborted.
  bool was_aborted(const protocol::BatchView& batch) const;

 private:
  struct Aborted {
    std::int64_t first_offset;
    std::int64_t marker_offset;
  };
  std::unordered_map<std::int64_t, std::int64_t> open_;             // producer id: first offset
  std::unordered_map<std::int64_t, std::vector<Aborted>> aborted_;  // producer id: ascending
};

}  // namespace iolab::storage
