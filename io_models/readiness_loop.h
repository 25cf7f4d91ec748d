// The readiness loop: ask which sockets are ready, then do the reading and writing ourselves.
//
// A Poller answers that question, and nothing else differs between nonblocking, select, poll, epoll, epoll-et and
// sigio. A poller says either what *is* so (level: it says it again until it is no longer so) or what has *changed*
// (edge: it says it once, and the loop must remember it). That difference shows wherever `kLevel` is asked.
//
// Invariant: a connection is always in exactly one state: watched for what its session wants, parked (its session wants
// `wake`), on the list of unfinished ones, or lingering before its close. Left out: fairness by bytes or by age; a turn
// is bounded by a number of reads and writes.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "io_models/admission.h"
#include "io_models/connection_table.h"
#include "io_models/counters.h"
#include "io_models/frontend.h"
#include "io_models/loop_timers.h"
#include "io_models/registry.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"
#include "io_models/woken_connections.h"

namespace iolab::io {

enum class Trigger : std::uint8_t { level, edge };
enum class Interest : std::uint8_t { none, receive, send };

// A hint: false alarms are harmless, and late ones name a generation that is over.
struct Ready {
  ConnectionKey key;
  bool readable = false;
  bool writable = false;
  bool hung_up = false;     // the connection is dead in both directions
  bool to_the_end = false;  // edge: the peer's end may lie behind a short read, and will not be told again
};

// Lives in one thread, from before its first add() to after its last remove().
template <class P>
concept Poller = requires(P poller, int fd, ConnectionKey key, Interest interest, int timeout_ms) {
  { P::kTrigger } -> std::convertible_to<Trigger>;
  typename P::Bell;  // how other threads rouse it, see LoopDoorbell
  // False: this descriptor cannot be watched, and the poller has said why.
  { poller.add(fd, key, interest) } -> std::same_as<bool>;
  poller.change(fd, key, interest);  // level only
  poller.remove(fd);                 // before close()
  // Sleeps until something is ready, the bell rings or the time is over (-1: never). Valid until the next wait().
  { poller.wait(timeout_ms) } -> std::same_as<std::span<const Ready>>;
};

template <Poller P>
class ReadinessLoop {
 public:
  // Made in the thread that runs it.
  ReadinessLoop(const FrontendSettings& settings, int listener, Host& host, Admission& admission)
      : limits_(settings.limits),
        listener_(listener),
        host_(host),
        admission_(admission),
        doorbell_(std::make_shared<LoopDoorbell<typename P::Bell>>()),
        poller_(settings, doorbell_->bell) {}

  void run(const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [this] { doorbell_->interrupt(); });
    set_nonblocking(listener_, true);
    set_no_delay(listener_);
    if (!poller_.add(listener_, kListener, Interest::receive)) give_up("the listening socket cannot be watched");
    while (!stop.stop_requested()) turn();
    end();
  }

 private:
  struct Connection {
    explicit Connection(ConnectionKey its_key) : key(its_key) {}
    ConnectionKey key;
    Fd fd;
    std::unique_ptr<Session> session;  // null: lingering before its close
    Want want = Want::receive;         // as the session last said
    Interest interest = Interest::receive;
    bool may_receive = false;  // recv() may have something: told so, and not yet seen to be empty
    bool may_send = true;      // send() may take something
    bool to_the_end = false;   // a short read does not prove that there is no more
    bool ended = false;        // the peer's end was read
    bool woken = false;        // perhaps before the session began to want it: kept until it does
    bool hung_up = false;      // nothing that is sent can arrive any more
    bool unfinished = false;   // on the list
    std::size_t dropped_bytes = 0;
  };

  static constexpr bool kLevel = P::kTrigger == Trigger::level;
  // A poller that never sleeps is told after each turn whether anything moved: it may want to rest.
  static constexpr bool kSleeps = !requires(P poller) { poller.turned(true); };
  static constexpr int kAcceptsPerTurn = 64;

  void turn() {
    const bool may_sleep = unfinished_.empty() && doorbell_->woken.may_sleep();
    const auto ready = poller_.wait(may_sleep ? timers_.ms_to_next() : 0);
    doorbell_->woken.awake();
    if constexpr (kSleeps) {
      if (!ready.empty() || doorbell_->woken.any()) count(Count::wake_ups);
      count(Count::events, ready.size());
    }
    moved_ = false;
    for (const Ready& event : ready) handle(event);
    if (doorbell_->woken.any()) serve_woken();
    if (!unfinished_.empty()) serve_unfinished();
    if (timers_.any()) run_timers();
    if constexpr (!kSleeps) poller_.turned(moved_);
  }

  void handle(const Ready& event) {
    if (event.key == kListener) return accept_some();
    Connection* const c = connections_.find(event.key);
    if (c == nullptr) return;  // LESSON: stale-events-are-harmless
    // LESSON: two-changes-one-flag. Who reports changes may have reported data and the peer's end before either was
    // read: then the end rings no more, and a short read does not prove that there is nothing behind it.
    if constexpr (!kLevel) c->to_the_end |= event.readable && c->may_receive;
    c->may_receive |= event.readable;
    c->may_send |= event.writable;
    c->to_the_end |= event.to_the_end;
    c->hung_up |= event.hung_up;
    if (c->unfinished) return;  // has its turn at the end of this one
    if (c->want == Want::wake) return disturb(*c);
    pump(*c);
  }

  // Something happened to a parked connection. Its answer comes first; but who reports levels would report this one
  // again and again, so stop asking. Asking is undone only now, when it disturbs: most requests are answered before.
  void disturb(Connection& c) {
    if (c.hung_up) return close(c);  // LESSON: reset-while-parked
    if constexpr (kLevel) {
      c.may_receive = false;
      watch(c, Interest::none);
    }
  }

  // Grants the session what it wants until it must wait, or has had its share of this turn.
  void pump(Connection& c) {
    if (!c.session) return drop_input(c);
    for (int granted = 0; granted < limits_.reads_per_turn; ++granted) {
      switch (c.want) {
        case Want::receive:
          if (!c.may_receive) return watch(c, Interest::receive);
          if (!receive(c)) return;
          break;
        case Want::send:
          if (!c.may_send) return watch(c, Interest::send);
          if (!send(c)) return;
          break;
        case Want::wake:
          if (!c.woken) return c.hung_up ? close(c) : void();  // parked
          answer_wake(c);
          break;
        case Want::close: return close_in_order(c);
      }
    }
    c.unfinished = true;
    unfinished_.push_back(c.key);
  }

  // False: the connection is gone.
  bool receive(Connection& c) {
    std::span<std::byte> room = c.session->input();
    room = room.first(std::min(room.size(), limits_.bytes_per_read));
    const std::int64_t bytes = sys::recv(c.fd.get(), room, 0);
    if (bytes < 0) {
      if (bytes != -EAGAIN) return close(c), false;
      c.may_receive = c.to_the_end = false;
      return true;
    }
    // A short read has emptied the socket: asking again would be told EAGAIN. LESSON: short-read-means-empty
    c.may_receive = static_cast<std::size_t>(bytes) == room.size() || c.to_the_end;
    c.ended = bytes == 0;
    c.session->received(static_cast<std::size_t>(bytes));
    moved_ = true;
    ask(c);
    return true;
  }

  bool send(Connection& c) {
    const std::span<const iovec> pieces = c.session->output();
    const std::int64_t bytes = sys::send(c.fd.get(), pieces);
    if (bytes < 0) {
      if (bytes != -EAGAIN) return close(c), false;
      c.may_send = false;
      return true;
    }
    if (is_short(pieces, static_cast<std::size_t>(bytes))) {
      count(Count::short_sends);
      // Level: the kernel will say when there is room. Edge: it promises that only after EAGAIN.
      if constexpr (kLevel) c.may_send = false;
    }
    c.session->sent(static_cast<std::size_t>(bytes));
    moved_ = true;
    ask(c);
    return true;
  }

  static bool is_short(std::span<const iovec> pieces, std::size_t bytes) {
    for (const iovec& piece : pieces) {
      if (bytes < piece.iov_len) return true;
      bytes -= piece.iov_len;
    }
    return false;
  }

  void ask(Connection& c) {
    c.want = c.session->want();
    if (c.ended && c.want == Want::receive) c.want = Want::close;  // nothing more can come
  }

  // An edge-triggered poller watches everything from the start, once.
  void watch(Connection& c, Interest interest) {
    if constexpr (kLevel) {
      if (c.interest == interest) return;
      c.interest = interest;
      poller_.change(c.fd.get(), c.key, interest);
    }
  }

  void serve_woken() {
    doorbell_->woken.take(taken_);
    for (const ConnectionKey key : taken_) {
      Connection* const c = connections_.find(key);
      if (c == nullptr || !c->session) continue;
      c->woken = true;
      if (c->want == Want::wake && !c->unfinished) pump(*c);
    }
  }

  void answer_wake(Connection& c) {
    c.woken = false;
    c.session->woken();
    moved_ = true;
    ask(c);
  }

  void serve_unfinished() {
    taken_.clear();
    taken_.swap(unfinished_);
    for (const ConnectionKey key : taken_) {
      if (key == kListener) {
        accept_some();
      } else if (Connection* const c = connections_.find(key); c != nullptr) {
        c->unfinished = false;
        pump(*c);
      }
    }
  }

  void accept_some() {
    if (timers_.accepting_is_paused()) return;
    for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
      if (!admission_.try_enter()) return pause_accepting();
      const int fd = sys::accept4(listener_, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        open(fd);
        continue;
      }
      admission_.leave();
      if (fd == -EAGAIN) return;
      if (out_of_descriptors(fd)) return pause_accepting();
      // Anything else was the fate of that one connection, in the queue; see accept(2).
    }
    if constexpr (!kLevel) unfinished_.push_back(kListener);
  }

  void open(int fd) {
    Connection& c = connections_.add();
    c.fd = Fd(fd);
    if (!poller_.add(fd, c.key, Interest::receive)) {
      count(Count::connections_refused);
      connections_.remove(c.key);
      return admission_.leave();
    }
    count(Count::accepted);
    moved_ = true;
    c.session = host_.open(Waker(doorbell_, c.key.slot, c.key.generation));
    c.want = c.session->want();
    pump(c);
  }

  void pause_accepting() {
    timers_.pause_accepting();
    if constexpr (kLevel) poller_.change(listener_, kListener, Interest::none);
  }

  void resume_accepting() {
    if constexpr (kLevel) poller_.change(listener_, kListener, Interest::receive);
    accept_some();
  }

  void close(Connection& c) {
    poller_.remove(c.fd.get());
    count(Count::closed);
    connections_.remove(c.key);
    admission_.leave();
    timers_.place_is_free();
  }

  // See lingering_close.h.
  void close_in_order(Connection& c) {
    if (c.ended || sys::shutdown(c.fd.get(), SHUT_WR) < 0) return close(c);
    c.session.reset();
    c.want = Want::receive;
    timers_.linger(c.key);
    watch(c, Interest::receive);
    drop_input(c);
  }

  void drop_input(Connection& c) {
    std::array<std::byte, kLingerBytesPerRead> dropped;
    while (c.dropped_bytes < kLingerBytes) {
      const std::int64_t bytes = sys::recv(c.fd.get(), dropped, 0);
      if (bytes == -EAGAIN) return;
      if (bytes <= 0) break;
      c.dropped_bytes += static_cast<std::size_t>(bytes);
    }
    close(c);
  }

  void run_timers() {
    timers_.run([this] { resume_accepting(); },
                [this](ConnectionKey key) {
                  if (Connection* const c = connections_.find(key)) close(*c);
                });
  }

  void end() {
    sys::shutdown(listener_, SHUT_RDWR);
    poller_.remove(listener_);
    std::vector<ConnectionKey> open;
    connections_.for_each([&](Connection& c) { open.push_back(c.key); });
    for (const ConnectionKey key : open) close(*connections_.find(key));
    doorbell_->woken.close();
  }

  const Limits limits_;
  const int listener_;
  Host& host_;
  Admission& admission_;
  std::shared_ptr<LoopDoorbell<typename P::Bell>> doorbell_;
  P poller_;
  ConnectionTable<Connection> connections_;
  std::vector<ConnectionKey> unfinished_;  // left because of a limit: the loop does not sleep while there are any
  std::vector<ConnectionKey> taken_;
  LoopTimers timers_;
  bool moved_ = false;
};

}  // namespace iolab::io
