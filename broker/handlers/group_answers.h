// What the handlers of groups share, and in part those of transactions: answers that wait, and what became of offsets.
//
// An answer waits for other members (JoinGroup, SyncGroup), which holds back the requests behind it, or for the disk
// (synced_answer.h), which does not. When the connection goes, so does the parked request; the member stays until its
// session ends, as one does whose machine is lost.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "broker/core/groups/coordinator.h"
#include "broker/handlers/handler.h"
#include "broker/handlers/synced_answer.h"

namespace iolab::handlers {

// `fill` makes the response of what the group says.
template <class Answer, protocol::Struct Response>
class WaitingForOthers final : public Parked {
 public:
  using Pending = std::shared_ptr<core::PendingAnswer<Answer>>;
  using Fill = Response (*)(Answer answer);
  WaitingForOthers(protocol::RequestHeader header, Pending pending, Fill fill)
      : header_(std::move(header)), pending_(std::move(pending)), fill_(fill) {}

  bool holds_back() const override { return !pending_->is_given(); }
  Progress resume(core::Moment, base::GatherBuffer& out) override {
    if (!pending_->is_ready()) return Progress::waiting;
    const Response response = fill_(pending_->take());
    return protocol::write_response(out, header_.correlation_id, header_.api_version, response) ? Progress::answered
                                                                                                : Progress::close;
  }

 private:
  const protocol::RequestHeader header_;
  const Pending pending_;
  const Fill fill_;
};

template <class Answer, protocol::Struct Response>
Outcome answer_when_given(Request& request, std::shared_ptr<core::PendingAnswer<Answer>> pending,
                          Response (*fill)(Answer), base::GatherBuffer& out) {
  if (pending->is_ready()) return answer(request, fill(pending->take()), out);
  return parked(std::make_unique<WaitingForOthers<Answer, Response>>(request.header, std::move(pending), fill));
}

// --- offsets ---

// What a client asks to commit for one partition; `topic` is null if there is none of that name.
template <class AskedPartition>
core::OffsetToCommit offset_to_commit(const Request& request, const core::Topic* topic, const std::string& name,
                                      const AskedPartition& partition) {
  core::OffsetToCommit offset{.where = {name, partition.partition_index}};
  offset.value.offset = partition.committed_offset;
  offset.value.leader_epoch = partition.committed_leader_epoch;
  offset.value.metadata = partition.committed_metadata.value_or("");
  offset.value.commit_timestamp = request.now.wall_ms;
  const auto most = static_cast<std::size_t>(request.broker.settings().offset_metadata_max_bytes);
  if (topic == nullptr || topic->partition(partition.partition_index) == nullptr) {
    offset.error = protocol::ErrorCode::unknown_topic_or_partition;
  } else if (offset.value.metadata.size() > most) {
    offset.error = protocol::ErrorCode::offset_metadata_too_large;
  }
  return offset;
}

template <class AskedTopic>
std::vector<core::OffsetToCommit> offsets_to_commit(const Request& request, const std::vector<AskedTopic>& topics) {
  std::vector<core::OffsetToCommit> offsets;
  for (const AskedTopic& asked : topics) {
    const core::TopicPointer topic = request.broker.topics().find(asked.name);
    for (const auto& partition : asked.partitions) {
      offsets.push_back(offset_to_commit(request, topic.get(), asked.name, partition));
    }
  }
  return offsets;
}

// What became of each partition, in the order in which they were asked for.
template <class Asked, class Told>
void tell_each(const std::vector<Asked>& asked, const std::vector<core::OffsetToCommit>& offsets,
               std::vector<Told>& told) {
  auto next = offsets.begin();
  for (const Asked& each : asked) {
    Told& topic = told.emplace_back();
    topic.name = each.name;
    for (const auto& partition : each.partitions) {
      topic.partitions.push_back({.partition_index = partition.partition_index, .error_code = (next++)->error});
    }
  }
}

}  // namespace iolab::handlers
