// The wake signal, to the calling thread, at an interval. A time limit on sigtimedwait() would say the same, but has to
// be set up for every single wait: 4 % of a small request under posix-aio (duet, 16 connections).
#pragma once

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "io_models/admission.h"
#include "io_models/signals.h"

namespace iolab::io {

class SignalTimer {
 public:
  explicit SignalTimer(time_t interval_s) {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = wake_signal();
    event._sigev_un._tid = ::gettid();  // glibc 2.36 has no name for it yet
    const itimerspec times{{interval_s, 0}, {interval_s, 0}};
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0 || ::timer_settime(timer_, 0, &times, nullptr) != 0) {
      give_up("no timer is left for this user; raise `ulimit -i`");
    }
  }
  ~SignalTimer() { ::timer_delete(timer_); }
  SignalTimer(const SignalTimer&) = delete;
  SignalTimer& operator=(const SignalTimer&) = delete;

  static bool sent(const siginfo_t& news) { return news.si_code == SI_TIMER; }

 private:
  timer_t timer_{};
};

}  // namespace iolab::io
