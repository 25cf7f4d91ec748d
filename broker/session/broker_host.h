// What stands behind a front-end when the broker is served: it opens sessions, and owns the only two threads besides
// the model's own, the same for every model. `timer` ends long polls; `flusher` syncs, makes topics and applies
// retention, so that nobody else waits for the disk. Both sleep until there is something to do, and end waits through
// Wakers.
//
// Threads: open() from any; start() and stop() from one.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "broker/core/broker.h"
#include "io_models/frontend.h"

namespace iolab::session {

// The machine's clocks.
class SystemClock final : public core::Clock {
 public:
  core::Moment now() override;
};

// Bits of the machine's random device, from which ids are made.
class SystemRandom final : public core::RandomSource {
 public:
  std::uint64_t next() override;
};

// A descriptor that the timer thread watches along with its own business: signals, for the command.
class Watched {
 public:
  virtual ~Watched() = default;
  virtual int descriptor() const = 0;
  virtual void readable() = 0;  // in the timer thread
};

// File calls of the storage layer, counted on the same page as the system calls of the front-ends.
storage::FileHooks counting_file_hooks();

class BrokerHost final : public io::Host {
 public:
  // All of them must outlive the host; `watched` may be null.
  BrokerHost(core::Broker& broker, core::Clock& clock, Watched* watched = nullptr);
  ~BrokerHost() override;
  BrokerHost(const BrokerHost&) = delete;
  BrokerHost& operator=(const BrokerHost&) = delete;

  std::unique_ptr<io::Session> open(io::Waker waker) override;

  void start();
  void stop();  // after the front-end has returned; waits for both threads

 private:
  class Bell;
  void run_timer();
  void run_flusher();

  core::Broker& broker_;
  core::Clock& clock_;
  Watched* watched_;
  std::shared_ptr<Bell> timer_bell_;
  std::shared_ptr<Bell> flusher_bell_;
  std::atomic<bool> stopping_{false};
  std::thread timer_;
  std::thread flusher_;
};

}  // namespace iolab::session
