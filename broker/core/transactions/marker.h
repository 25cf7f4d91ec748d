// The end of a producer's transaction in one partition.
#pragma once

#include <memory>

#include "broker/core/groups/coordinator.h"
#include "broker/core/topic_table.h"

namespace iolab::core {

inline constexpr std::int32_t kTransactionCoordinatorEpoch =
    0;  // there is one broker, so the coordinator never changes

// Writes the marker, and for the topic of offsets lets the groups' coordinator count or forget what the transaction had
// committed there. `wait`, `wakeups`: as Partition::append(). May be called with the lock of the coordinator of
// transactions held, which comes before those of groups and partitions.
protocol::ErrorCode write_marker(const TopicTable& topics, GroupCoordinator& groups, const TopicPartition& where,
                                 const protocol::TransactionMarker& marker, Moment now,
                                 const std::shared_ptr<CommitWait>& wait, Wakeups& wakeups);

}  // namespace iolab::core
