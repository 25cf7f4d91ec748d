// The offsets that one group has committed, and those that open transactions have.
//
// apply() and forget() alone change what is committed, live and at a replay. Which of two commits counts is decided by
// their places in the log: an offset of a transaction that ends later does not undo a commit that was made meanwhile.
//
// Threads: under the coordinator's lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/groups/group_records.h"

namespace iolab::core {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;

  auto operator<=>(const TopicPartition&) const = default;
};

class OffsetTable {
 public:
  struct Committed {
    OffsetCommitValue value;
    std::int64_t log_offset = -1;  // of the record in the internal log
  };

  void apply(const TopicPartition& where, const OffsetCommitValue& value, std::int64_t log_offset);
  void forget(const TopicPartition& where);

  // Of a transaction: counts when end() says that it was committed.
  void apply_pending(std::int64_t producer_id, const TopicPartition& where, const OffsetCommitValue& value,
                     std::int64_t log_offset);
  void end(std::int64_t producer_id, bool commit);

  const Committed* find(const TopicPartition& where) const;  // null: none
  bool is_pending(const TopicPartition& where) const;
  const std::map<TopicPartition, Committed>& all() const { return committed_; }
  std::vector<TopicPartition> pending() const;  // of all producers, each once
  bool empty() const { return committed_.empty() && pending_.empty(); }

 private:
  std::map<TopicPartition, Committed> committed_;
  std::map<std::int64_t, std::map<TopicPartition, Committed>> pending_;  // by producer id
};

}  // namespace iolab::core
