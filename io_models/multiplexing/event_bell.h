// How other threads rouse a loop that sleeps in select, poll or epoll: a descriptor of its own, watched like a socket.
#pragma once

#include <sys/eventfd.h>

#include <array>
#include <cstdint>
#include <span>

#include "io_models/admission.h"
#include "io_models/socket.h"
#include "io_models/system_calls.h"

namespace iolab::io {

class EventBell {
 public:
  EventBell() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (!event_) give_up("no descriptor is left for the loop's own bell; raise `ulimit -n`");
  }
  int get() const { return event_.get(); }

  void ring() {
    const std::uint64_t one = 1;
    sys::write(event_.get(), std::as_bytes(std::span(&one, 1)));
  }
  void silence() {
    std::array<std::byte, sizeof(std::uint64_t)> rings;
    sys::read(event_.get(), rings);
  }

 private:
  Fd event_;
};

}  // namespace iolab::io
