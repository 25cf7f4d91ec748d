// One connection served from its first byte to its last by one thread that sleeps inside recv() and send(): what
// `blocking` and `blocking-pool` have in common. They differ only in where the thread comes from.
//
// A blocked thread can wait for one thing only. So it must know which: bytes (in recv), room (in send), or an answer
// (on a doorbell of its own). While it waits for an answer it does not see its peer leave; that shows when it sends.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>

#include "io_models/admission.h"
#include "io_models/frontend.h"
#include "io_models/socket.h"

namespace iolab::io {

// What a parked thread sleeps on. Rung before anybody sleeps it costs no system call.
class ParkingDoorbell final : public Doorbell {
 public:
  void ring(std::uint32_t slot, std::uint32_t generation) override;
  void wait();

 private:
  enum State : std::uint32_t { quiet, rung, asleep };
  std::atomic<std::uint32_t> state_ = quiet;  // a futex: the kernel compares it before it puts us to sleep
};

// All conversations of one serve(), so that it can end them.
class Conversations {
 public:
  Conversations(Host& host, const Limits& limits) : host_(host), limits_(limits) {}

  // Serves the connection to its end in the calling thread; `socket` is closed by this thread and no other.
  void hold(Fd socket);

  // Any thread. close() would neither wake a thread in recv() nor tell the peer; shutdown() does both.
  void stop();  // LESSON: shutdown-wakes-close-does-not

 private:
  struct Conversation {
    int socket;
    std::shared_ptr<ParkingDoorbell> doorbell;
  };

  void converse(int socket, Session& session, ParkingDoorbell& doorbell);

  Host& host_;
  const Limits limits_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::list<Conversation> open_;
};

// accept(), asleep in it, for whoever has a thread. Empty: it is time to stop. Otherwise a place in `admission` is
// taken, which the caller leaves when the connection has ended.
Fd accept_next(int listener, Admission& admission, const std::stop_token& stop);

}  // namespace iolab::io
