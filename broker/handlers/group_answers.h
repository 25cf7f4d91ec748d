// What the handlers of groups share: members' bytes that outlive their request, and answers that wait.
//
// An answer waits for other members (JoinGroup, SyncGroup), which holds back the requests behind it, or for the disk
// (iolab.flush=commit), which does not. When the connection goes, so does the parked request; the member stays until
// its session ends, as one does whose machine is lost.
#pragma once

#include <memory>
#include <utility>

#include "broker/core/groups/coordinator.h"
#include "broker/handlers/handler.h"

namespace iolab::handlers {

inline core::SharedBytes copy_of(const protocol::Blob& blob) {
  return std::make_shared<const std::vector<std::byte>>(blob.bytes.begin(), blob.bytes.end());
}
inline protocol::Blob blob_of(const core::SharedBytes& bytes) {
  return bytes ? protocol::Blob(base::Bytes(*bytes), bytes) : protocol::Blob{};
}

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

// `refuse` makes an error of a response whose state did not reach the disk.
template <protocol::Struct Response>
class WaitingForDisk final : public Parked {
 public:
  using Refuse = void (*)(Response& response);
  WaitingForDisk(protocol::RequestHeader header, Response response, std::shared_ptr<core::CommitWait> wait,
                 Refuse refuse)
      : header_(std::move(header)), response_(std::move(response)), wait_(std::move(wait)), refuse_(refuse) {}

  bool holds_back() const override { return false; }
  Progress resume(core::Moment, base::GatherBuffer& out) override {
    if (!wait_->over()) return Progress::waiting;
    if (wait_->failed()) refuse_(response_);
    return protocol::write_response(out, header_.correlation_id, header_.api_version, response_) ? Progress::answered
                                                                                                 : Progress::close;
  }

 private:
  const protocol::RequestHeader header_;
  Response response_;
  const std::shared_ptr<core::CommitWait> wait_;
  const Refuse refuse_;
};

// Null if nothing has to wait for the disk.
inline std::shared_ptr<core::CommitWait> commit_wait(const Request& request) {
  return request.broker.groups().is_durable() ? std::make_shared<core::CommitWait>(request.sleeper) : nullptr;
}

template <protocol::Struct Response>
Outcome answer_after_sync(Request& request, Response response, std::shared_ptr<core::CommitWait> wait,
                          void (*refuse)(Response&), base::GatherBuffer& out) {
  if (wait && !wait->one_done(true)) {
    return parked(
        std::make_unique<WaitingForDisk<Response>>(request.header, std::move(response), std::move(wait), refuse));
  }
  if (wait && wait->failed()) refuse(response);
  return answer(request, response, out);
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

}  // namespace iolab::handlers
