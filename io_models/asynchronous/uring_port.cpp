// io_uring: write orders into a queue that the kernel reads, read results from a queue that the kernel writes.
//
// What to notice
//   1. There is no recv() and no send(): io_uring_enter passes on all orders of a turn and brings all results, in one
//      call, however many connections took part.                              LESSON: one-call-for-many
//   2. One operation per order. Each names its memory in advance, the session's own: an idle connection pins the room
//      for its next request, where a readiness loop needs none.              LESSON: completion-pins-memory
//   3. The copy has not gone away. It is done inside io_uring_enter, in our thread.
//      LESSON: the-copy-is-in-io_uring_enter
//   4. An order that could be carried out at once is, and its result waits in the queue when the call returns.
//   5. Results carry slot and generation: one that comes late finds nobody.     LESSON: stale-completions-find-nobody
// A peer that is lost while its request is parked is not noticed: nothing is on order then.
#include "io_models/asynchronous/uring.h"
#include "io_models/completion_frontend.h"

namespace iolab::io {
namespace {

class UringPort {
 public:
  static constexpr bool kChoosesMemory = false;
  using Bell = UringBell;
  struct Orders {};

  UringPort(const FrontendSettings& settings, std::size_t, int listener, LoopDoorbell<UringBell>& doorbell)
      : uring_(uring_settings(settings)),
        sockets_(uring_, chosen(settings.options, "sockets", "plain") == "registered"),
        listener_(listener),
        bell_(doorbell.bell) {
    bell_.order_read(uring_);
  }

  void accept(bool) {
    io_uring_sqe& order = uring_.order();
    ::io_uring_prep_accept(&order, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::accept}.packed());
  }

  void cancel_standing_accept() {}

  void receive(Orders&, int fd, ConnectionKey key, std::span<std::byte> room) {
    io_uring_sqe& order = uring_.order();
    ::io_uring_prep_recv(&order, fd, room.data(), room.size(), 0);
    // No IORING_RECVSEND_POLL_FIRST: trying first costs less than it saves, 5 % of a small request (duet, 16
    // connections).
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::receive, key}.packed());
    sockets_.name(order, fd, key);
  }

  void send(Orders&, int fd, ConnectionKey key, std::span<const iovec> pieces) {
    sockets_.name(order_send(uring_, fd, key, pieces), fd, key);
  }

  void released(ConnectionKey key) { sockets_.released(key); }

  template <class Completed>
  void turn(int timeout_ms, Completed&& completed) {
    uring_.enter(timeout_ms);
    uring_.reap([&](const io_uring_cqe& result) {
      const OrderTag tag = OrderTag::unpacked(result.user_data);
      switch (tag.order) {
        case Order::accept: return completed({.op = Op::accept, .key = {}, .result = result.res});
        case Order::receive: return completed({.op = Op::receive, .key = tag.key, .result = result.res});
        case Order::send: return completed({.op = Op::send, .key = tag.key, .result = result.res});
        case Order::bell: return heard();
        case Order::withdraw: return;
      }
    });
  }

  void end() {
    ending_ = true;
    bell_.ring();
    while (listening_) turn(-1, [](const Completion&) {});
  }

 private:
  void heard() {
    if (ending_) {
      listening_ = false;
    } else {
      bell_.order_read(uring_);
    }
  }

  Uring uring_;
  RegisteredSockets sockets_;
  const int listener_;
  UringBell& bell_;
  bool listening_ = true;
  bool ending_ = false;
};

}  // namespace

MadeFrontend make_io_uring(const FrontendSettings& settings) {
  return std::make_unique<CompletionFrontend<UringPort>>(settings);
}

}  // namespace iolab::io
