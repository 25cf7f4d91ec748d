// Answers that wait until what they acknowledge is on the disk (iolab.flush=commit). They hold back nobody: the
// requests behind them go on, and are answered in their turn.
#pragma once

#include <memory>
#include <utility>

#include "broker/core/waits.h"
#include "broker/handlers/handler.h"

namespace iolab::handlers {

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
  const bool waits = request.broker.settings().flush_policy() == core::FlushPolicy::commit;
  return waits ? std::make_shared<core::CommitWait>(request.sleeper) : nullptr;
}

// The request has done its part; `wait` is null if nothing has to wait for the disk.
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

// Of a response that only tells what a coordinator knows: that has to be on the disk.
template <class Coordinator, protocol::Struct Response>
Outcome tell_after_sync(Request& request, Coordinator& coordinator, Response response, void (*refuse)(Response&),
                        base::GatherBuffer& out) {
  auto wait = commit_wait(request);
  if (wait && coordinator.availability() == protocol::ErrorCode::none && !coordinator.await_sync(wait)) {
    refuse(response);
    return answer(request, response, out);
  }
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace iolab::handlers
