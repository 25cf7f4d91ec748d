// How other threads rouse a loop that sleeps in sigtimedwait(): a signal to its thread. It needs no descriptor, and a
// second one before the first was taken is the same as one.
#pragma once

#include <unistd.h>

#include "io_models/signals.h"
#include "io_models/system_calls.h"

namespace iolab::io {

class SignalBell {
 public:
  void ring() { sys::tgkill(thread_id_, wake_signal()); }

 private:
  const int thread_id_ = ::gettid();  // made in the loop's thread
};

}  // namespace iolab::io
