#include "broker/core/transactions/marker.h"

namespace iolab::core {

using protocol::ErrorCode;

ErrorCode write_marker(const TopicTable& topics, GroupCoordinator& groups, const TopicPartition& where,
                       const protocol::TransactionMarker& marker, Moment now, const std::shared_ptr<CommitWait>& wait,
                       Wakeups& wakeups) {
  const TopicPointer topic = topics.find(where.topic);
  Partition* partition = topic ? topic->partition(where.partition) : nullptr;
  if (partition == nullptr) return ErrorCode::unknown_topic_or_partition;
  const auto append = [&]() -> std::expected<void, ErrorCode> {
    const auto appended = partition->end_transaction(marker, now, wait, wakeups);
    if (!appended) return std::unexpected(appended.error());
    return {};
  };
  const auto done = where.topic == kConsumerOffsetsTopic
                        ? groups.end_transaction(marker.producer_id, marker.commit, append)
                        : append();
  return done ? ErrorCode::none : done.error();
}

}  // namespace iolab::core
