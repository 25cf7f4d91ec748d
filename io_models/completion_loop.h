// The completion loop: order a transfer, name the memory, and hear back when it has been carried out.
//
// A readiness loop is told "now it would work" and does the reading and writing itself; here the loop never reads or
// writes. A Port passes the orders on and returns what became of them: glibc's threads (posix-aio), the kernel's ring
// (io_uring), or a ring in which one order brings many completions, in memory that the kernel chooses
// (io_uring-multishot). That last difference shows wherever Port::kChoosesMemory is asked.
//
// Invariant: memory named in an order belongs to whoever carries it out until the completion comes. So a connection,
// with its session, outlives its last order: shut down, wait for what is in flight, then close. close() alone would
// complete nothing and tell the peer nothing. LESSON: close-does-not-cancel
#pragma once

#include <algorithm>
#include <cerrno>
#include <concepts>
#include <cstring>
#include <memory>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "io_models/admission.h"
#include "io_models/connection_table.h"
#include "io_models/counters.h"
#include "io_models/early_bytes.h"
#include "io_models/frontend.h"
#include "io_models/loop_timers.h"
#include "io_models/registry.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"
#include "io_models/woken_connections.h"

namespace iolab::io {

enum class Op : std::uint8_t { accept, receive, send };

struct Completion {
  Op op;
  ConnectionKey key;                      // of receive and send
  int result;                             // bytes, a new socket, or -errno
  bool more = false;                      // the order stands, and will complete again
  std::span<const std::byte> bytes = {};  // what was received, if the kernel chose the memory; gone after this call
};

// Lives in the thread of its loop. An order that is given is carried out after the next turn() began.
template <class P>
concept CompletionPort =
    requires(P port, typename P::Orders& orders, int fd, ConnectionKey key, std::span<std::byte> room,
             std::span<const iovec> pieces, int timeout_ms, void (*completed)(const Completion&)) {
      typename P::Bell;    // how other threads rouse it, see LoopDoorbell
      typename P::Orders;  // what the port keeps with a connection
      { P::kChoosesMemory } -> std::convertible_to<bool>;
      port.accept(bool{});            // one connection; true: all from now on, if the port can
      port.cancel_standing_accept();  // ends with a completion like any other; nothing, if none stands
      port.send(orders, fd, key, pieces);
      // Passes orders on; sleeps if there is nothing to report, until there is, or the bell rings, or the time is over
      // (-1: never). Hands over each completion.
      port.turn(timeout_ms, completed);
      port.end();  // after the last completion: nothing of the port's own is in flight any more
    };

template <CompletionPort Port>
class CompletionLoop {
 public:
  // Made in the thread that runs it.
  CompletionLoop(const FrontendSettings& settings, std::size_t number, int listener, Host& host, Admission& admission)
      : limits_(settings.limits),
        listener_(listener),
        host_(host),
        admission_(admission),
        doorbell_(std::make_shared<LoopDoorbell<typename Port::Bell>>()),
        port_(settings, number, listener, *doorbell_) {}

  void run(const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [this] { doorbell_->interrupt(); });
    order_accept();
    while (!stop.stop_requested()) {
      turn(doorbell_->woken.may_sleep() ? timers_.ms_to_next() : 0);
      doorbell_->woken.awake();
      if (doorbell_->woken.any()) serve_woken();
      if (timers_.any()) run_timers();
    }
    end();
  }

 private:
  struct Connection {
    explicit Connection(ConnectionKey its_key) : key(its_key) {}
    ConnectionKey key;
    Fd fd;
    std::unique_ptr<Session> session;  // null: lingering before its close
    Want want = Want::receive;         // as the session last said
    bool receiving = false;            // an order is in flight
    bool sending = false;              // another; with memory of the kernel's choice both may be
    bool ended = false;                // the peer's end was passed to the session
    bool woken = false;                // perhaps before the session began to want it: kept until it does
    bool leaving = false;              // shut down; closed after the last completion
    std::size_t sending_bytes = 0;
    std::size_t dropped_bytes = 0;
    typename Port::Orders orders;
    [[no_unique_address]] std::conditional_t<Port::kChoosesMemory, EarlyBytes, NoEarlyBytes> early;
  };

  void turn(int timeout_ms) {
    port_.turn(timeout_ms, [this](const Completion& done) {
      switch (done.op) {
        case Op::accept: return accepted(done);
        case Op::receive:
          if (Connection* const c = connections_.find(done.key)) received(*c, done);
          return;
        case Op::send:
          if (Connection* const c = connections_.find(done.key)) sent(*c, done);
          return;
      }
    });
  }

  // ---- Orders ------------------------------------------------------------------------------------------------------

  // Asks the session what it wants and orders it.
  void order_next(Connection& c) {
    c.want = c.session->want();
    if constexpr (Port::kChoosesMemory) {
      if (c.want == Want::receive) take_early(c);
    }
    if (c.ended && c.want == Want::receive) c.want = Want::close;  // nothing more can come
    switch (c.want) {
      case Want::receive: return order_receive(c);
      case Want::send: return order_send(c);
      case Want::wake:
        if (c.woken) answer_wake(c);
        return;  // parked
      case Want::close: return close_in_order(c);
    }
  }

  void order_receive(Connection& c) {
    if constexpr (Port::kChoosesMemory) {
      if (c.receiving) return;  // the order stands
      port_.receive(c.orders, c.fd.get(), c.key);
    } else {
      std::span<std::byte> room = c.session ? c.session->input() : std::span<std::byte>(dropped_);
      port_.receive(c.orders, c.fd.get(), c.key, room.first(std::min(room.size(), limits_.bytes_per_read)));
    }
    c.receiving = true;
  }

  void order_send(Connection& c) {
    const std::span<const iovec> pieces = c.session->output();
    c.sending_bytes = 0;
    for (const iovec& piece : pieces) c.sending_bytes += piece.iov_len;
    port_.send(c.orders, c.fd.get(), c.key, pieces);
    c.sending = true;
  }

  // One place is held for the connection that is waited for. A standing order may bring a whole backlog at once, so it
  // stands only while there are places for that.
  void order_accept() {
    const bool may_stand = admission_.free() > limits_.backlog;
    if (accepting_ && !may_stand) port_.cancel_standing_accept();
    if (!place_held_ && !(place_held_ = admission_.try_enter())) return timers_.pause_accepting();
    if (accepting_) return;
    port_.accept(may_stand);
    accepting_ = true;
  }

  // ---- Completions -------------------------------------------------------------------------------------------------

  void received(Connection& c, const Completion& done) {
    c.receiving = done.more;
    if (c.leaving) return close_if_quiet(c);
    if (!c.session) return dropped(c, done.result);
    if (done.result > 0) count(Count::bytes_received, static_cast<std::uint64_t>(done.result));
    if constexpr (Port::kChoosesMemory) {
      if (done.result >= 0) return received_perhaps_early(c, done);
    }
    if (done.result >= 0) {
      c.ended = done.result == 0;
      c.session->received(static_cast<std::size_t>(done.result));
    } else if (!again(done.result)) {
      return leave(c);
    }
    if (c.want == Want::receive) order_next(c);
  }

  void sent(Connection& c, const Completion& done) {
    c.sending = false;
    if (c.leaving) return close_if_quiet(c);
    if (done.result < 0) {
      if (!again(done.result)) return leave(c);
      return order_send(c);
    }
    const auto bytes = static_cast<std::size_t>(done.result);
    count(Count::bytes_sent, bytes);
    if (bytes < c.sending_bytes) count(Count::short_sends);
    c.session->sent(bytes);
    order_next(c);
  }

  // Not a failure of the connection: the order was not carried out and is given once more.
  static bool again(int result) {
    if (result == -EAGAIN) count(Count::would_block);
    if (result == -ENOBUFS) count(Count::buffers_exhausted);
    return result == -EAGAIN || result == -EINTR ||
           (Port::kChoosesMemory && (result == -ENOBUFS || result == -ECANCELED));
  }

  void accepted(const Completion& done) {
    accepting_ = done.more;
    if (ending_) return void(Fd(done.result));
    if (done.result >= 0) {
      open(Fd(done.result));
    } else {
      if (std::exchange(place_held_, false)) admission_.leave();
      if (out_of_descriptors(done.result)) return timers_.pause_accepting();
      // Anything else was the fate of that one connection, in the queue; see accept(2).
    }
    order_accept();
  }

  void open(Fd fd) {
    count(Count::accepted);
    if (!std::exchange(place_held_, false)) ++without_place_;
    Connection& c = connections_.add();
    c.fd = std::move(fd);
    c.session = host_.open(Waker(doorbell_, c.key.slot, c.key.generation));
    order_next(c);
  }

  void serve_woken() {
    doorbell_->woken.take(taken_);
    for (const ConnectionKey key : taken_) {
      Connection* const c = connections_.find(key);
      if (c == nullptr || !c->session || c->leaving) continue;
      c->woken = true;
      if (c->want == Want::wake) answer_wake(*c);
    }
  }

  void answer_wake(Connection& c) {
    c.woken = false;
    c.session->woken();
    order_next(c);
  }

  // ---- Memory of the kernel's choice -------------------------------------------------------------------------------

  // The order stands whether the session wants bytes or not. What it does not want yet is kept, up to a bound; past it
  // the order is withdrawn, and TCP makes the peer wait. LESSON: multishot-needs-backpressure
  void received_perhaps_early(Connection& c, const Completion& done) {
    std::span<const std::byte> bytes = done.bytes;
    if (c.want == Want::receive) bytes = pass(*c.session, bytes);  // then nothing earlier is left
    c.early.add(bytes);
    if (done.result == 0) c.early.end();
    if (c.want == Want::receive) return order_next(c);
    if (c.early.size() > EarlyBytes::kBound && c.receiving) port_.cancel_receive(c.orders, c.key);
  }

  void take_early(Connection& c) {
    while (c.want == Want::receive && c.early.size() > 0) {
      c.early.pass_to(*c.session);
      c.want = c.session->want();
    }
    if (c.want != Want::receive || !c.early.at_end() || c.ended) return;
    c.ended = true;
    c.session->received(0);
    c.want = c.session->want();
  }

  // ---- The end of a connection -------------------------------------------------------------------------------------

  // The server closes first: see lingering_close.h.
  void close_in_order(Connection& c) {
    if (c.ended || sys::shutdown(c.fd.get(), SHUT_WR) < 0) return leave(c);
    c.session.reset();
    timers_.linger(c.key);
    order_receive(c);
  }

  void dropped(Connection& c, int result) {
    if (result > 0) c.dropped_bytes += static_cast<std::size_t>(result);
    if ((result <= 0 && !again(result)) || c.dropped_bytes > kLingerBytes) return leave(c);
    order_receive(c);
  }

  void leave(Connection& c) {
    if (c.leaving) return;
    c.leaving = true;
    if (c.receiving || c.sending) sys::shutdown(c.fd.get(), SHUT_RDWR);  // completes what is in flight
    close_if_quiet(c);
  }

  void close_if_quiet(Connection& c) {
    if (c.receiving || c.sending) return;
    count(Count::closed);
    if constexpr (requires { port_.released(c.key); }) port_.released(c.key);  // what the port keeps of the socket
    connections_.remove(c.key);
    if (without_place_ > 0) {
      --without_place_;
    } else {
      admission_.leave();
    }
    timers_.place_is_free();
  }

  void run_timers() {
    timers_.run([this] { order_accept(); },
                [this](ConnectionKey key) {
                  if (Connection* const c = connections_.find(key)) leave(*c);
                });
  }

  void end() {
    ending_ = true;
    sys::shutdown(listener_, SHUT_RDWR);  // completes the accept that is in flight
    std::vector<ConnectionKey> open;
    connections_.for_each([&](Connection& c) { open.push_back(c.key); });
    for (const ConnectionKey key : open) leave(*connections_.find(key));
    while (accepting_ || connections_.size() > 0) turn(kAcceptRetryMs);
    port_.end();
    doorbell_->woken.close();
  }

  const Limits limits_;
  const int listener_;
  Host& host_;
  Admission& admission_;
  std::shared_ptr<LoopDoorbell<typename Port::Bell>> doorbell_;
  std::vector<std::byte> dropped_ = std::vector<std::byte>(kLingerBytesPerRead);  // written to, never read
  ConnectionTable<Connection> connections_;  // outlives the port: it holds memory that orders name
  Port port_;
  std::vector<ConnectionKey> taken_;
  LoopTimers timers_;
  bool accepting_ = false;
  bool place_held_ = false;
  int without_place_ = 0;  // came before a standing order to accept could be withdrawn
  bool ending_ = false;
};

}  // namespace iolab::io
