// What the handlers of groups share: answers that wait, and what became of offsets.
//
// An answer waits for other members (JoinGroup, SyncGroup), which holds back the requests behind it, or for the disk
// (iolab.flush=commit), which does not. When the connection goes, so does the parked request; the member stays until
// its session ends, as one does whose machine is lost.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "broker/core/groups/coordinator.h"
#include "broker/handlers/handler.h"
#include "broker/handlers/synced_answer.h"

namespace iolab::handlers {

// --- answers that wait for members ---

// `fill` makes the response of what the group says.
template <class Answer, protocol::Struct Response>
class WaitingForMembers final : public Parked {
 public:
  using Pending = std::shared_ptr<core::PendingAnswer<Answer>>;
  using Fill = Response (*)(Answer answer);
  WaitingForMembers(protocol::RequestHeader header, Pending pending, Fill fill)
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
  return parked(std::make_unique<WaitingForMembers<Answer, Response>>(request.header, std::move(pending), fill));
}

// --- answers that wait for the disk ---

// Null if nothing has to wait for the disk.
inline std::shared_ptr<core::CommitWait> commit_wait(const Request& request) {
  return request.broker.groups().is_durable() ? std::make_shared<core::CommitWait>(request.sleeper) : nullptr;
}

// Of a response that only tells: what it tells has to be on the disk.
template <protocol::Struct Response>
Outcome tell_after_sync(Request& request, Response response, void (*refuse)(Response&), base::GatherBuffer& out) {
  auto wait = commit_wait(request);
  if (wait && request.broker.groups().availability() == protocol::ErrorCode::none &&
      !request.broker.groups().await_sync(wait)) {
    refuse(response);
    return answer(request, response, out);
  }
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

// --- offsets ---

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
