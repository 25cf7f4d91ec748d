// The whole contract between a network I/O model and whatever it serves.
//
// A front-end owns sockets, threads and system calls. It moves bytes and understands none of them.
// A session owns one connection's protocol. It never sees a socket, a clock or another connection's thread.
// They meet in one question, Session::want(), which has one answer at a time: every I/O model is one way to grant it.
//
// Left out on purpose: timers (whoever serves has threads of its own for them and ends a wait through a Waker), and
// sending from files (every model sends memory, so that the copies can be counted alike).
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

namespace iolab::io {

enum class Want : std::uint8_t {
  receive,  // put bytes into input(), then call received()
  send,     // write output() to the socket, then call sent()
  wake,     // the answer is not ready: its Waker will be woken, then call woken()
  close,    // nothing is owed any more: close the connection
};

// One connection's protocol. All methods are called by the one thread that serves the connection, never concurrently.
// Destroying a session at any moment is how a front-end says that the peer is gone.
class Session {
 public:
  virtual ~Session() = default;

  virtual Want want() const = 0;

  // While want() == receive: room for at least one byte. It stays valid and unmoved until received() is called, so a
  // kernel may fill it meanwhile. Ask for it only when bytes are there, or when a buffer must be named in advance.
  virtual std::span<std::byte> input() = 0;
  // `bytes` were put at the start of input(). 0: the peer has finished sending; answers may still be owed to it.
  virtual void received(std::size_t bytes) = 0;

  // While want() == send: what to send, in order, never empty. Valid until sent(); any prefix may be sent.
  virtual std::span<const iovec> output() = 0;
  virtual void sent(std::size_t bytes) = 0;

  // While want() == wake, in the serving thread, after the Waker was woken. May be called without reason: the session
  // looks whether its answer is there and goes on wanting `wake` if not.
  virtual void woken() = 0;
};

// Where a Waker rings. ring() may be called from any thread and must not block: it marks the connection, and wakes the
// thread that serves it if that thread may be asleep. A slot whose generation has passed is ignored.
class Doorbell {
 public:
  virtual ~Doorbell() = default;
  virtual void ring(std::uint32_t slot, std::uint32_t generation) = 0;
};

// Says to a connection, from any thread, that its wait is over. A small value: copy it, keep it, use it late. Waking a
// connection that is gone, or a front-end that has stopped, does nothing. Never call it with a lock of yours held.
class Waker {
 public:
  Waker() = default;
  Waker(std::shared_ptr<Doorbell> doorbell, std::uint32_t slot, std::uint32_t generation)
      : doorbell_(std::move(doorbell)), slot_(slot), generation_(generation) {}
  void wake() const {
    if (doorbell_) doorbell_->ring(slot_, generation_);
  }

 private:
  std::shared_ptr<Doorbell> doorbell_;
  std::uint32_t slot_ = 0;
  std::uint32_t generation_ = 0;
};

// What stands behind the front-end. open() is called once for each accepted connection, from any serving thread.
class Host {
 public:
  virtual ~Host() = default;
  virtual std::unique_ptr<Session> open(Waker waker) = 0;
};

// The same in every model that has the knob, or the comparison means nothing. Where the kernel decides instead, the
// model's entry in the registry says so.
struct Limits {
  std::size_t bytes_per_read = 256 * 1024;  // at most this much is asked for in one receive
  int reads_per_turn = 16;                  // then the loop turns to the next connection
  int events_per_wait = 256;                // taken from the kernel at once
  int backlog = 512;                        // of listen(2), capped by net.core.somaxconn
  int connections = 0;                      // accepted at most; 0: as many as descriptors allow
};

class Frontend {
 public:
  virtual ~Frontend() = default;

  // Serves connections of the listening sockets until `stop` is requested, then drains: closes the listeners to new
  // connections, closes every connection, waits until nothing is in flight and no thread of its own is left, returns.
  // One serving thread for each listener; the first runs in the calling thread.
  virtual void serve(std::span<const int> listeners, Host& host, std::stop_token stop) = 0;
};

}  // namespace iolab::io
