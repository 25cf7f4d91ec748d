// Requests that wait for the disk, such as creating a topic: the flusher thread runs the handler, and the connection's
// thread finds the answer when it is woken. A loop that serves thousands must not stand still for one directory sync.
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <utility>

#include "broker/handlers/handler.h"

namespace iolab::handlers {

template <class Message>
using Handler = Outcome (*)(Request&, Message&, base::GatherBuffer&);

// One request on its way through the flusher. Shared by the flusher and the parked request, whichever lives longer; a
// change that was asked for is made, even if the connection has gone. The message holds no views into the request.
template <protocol::Struct Message, Handler<Message> kHandle>
class DiskRequest final : public core::DiskWork {
 public:
  DiskRequest(const Request& request, Message message)
      : broker_(request.broker), header_(request.header), sleeper_(request.sleeper), message_(std::move(message)) {}

  // Whatever goes wrong in here, memory included, costs the connection and not the thread that serves all of them.
  void run(core::Moment now) override {
    try {
      core::Wakeups wakeups;
      Request request{broker_, now, header_, {}, sleeper_, wakeups};
      answered_ = kHandle(request, message_, answer_).kind == Outcome::Kind::answered;
    } catch (const std::exception&) {
      answered_ = false;
    }
    done_.store(true);
    sleeper_->wake();
  }

  Parked::Progress take(base::GatherBuffer& out) {
    if (!done_.load()) return Parked::Progress::waiting;
    if (!answered_) return Parked::Progress::close;
    answer_.for_each_piece(0, [&](base::Bytes piece) { out.append(piece); });
    return Parked::Progress::answered;
  }

 private:
  core::Broker& broker_;
  const protocol::RequestHeader header_;
  const core::Wakeup sleeper_;
  Message message_;
  base::GatherBuffer answer_;
  bool answered_ = false;
  std::atomic<bool> done_{false};  // the release of what was written before it
};

template <protocol::Struct Message, Handler<Message> kHandle>
Outcome run_at_the_disk(Request& request, Message& message, base::GatherBuffer&) {
  using Work = DiskRequest<Message, kHandle>;
  class Waiting final : public Parked {
   public:
    explicit Waiting(std::shared_ptr<Work> work) : work_(std::move(work)) {}
    bool holds_back() const override { return true; }
    Progress resume(core::Moment, base::GatherBuffer& out) override { return work_->take(out); }

   private:
    std::shared_ptr<Work> work_;
  };
  auto work = std::make_shared<Work>(request, std::move(message));
  request.broker.flushes().add(work);
  return parked(std::make_unique<Waiting>(std::move(work)));
}

}  // namespace iolab::handlers
