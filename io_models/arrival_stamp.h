// When bytes had arrived in the kernel: the border between waiting for them and all that follows.
//
// The kernel stamps what comes in if a socket asks for it (SO_TIMESTAMPING), and hands the stamp over beside the bytes,
// as a control message; recvmsg(2) alone has room for one. Of a stream it is the stamp of the last byte that the call
// delivered (since Linux 4.14). A socket that accept() returns has inherited the wish from its listener, so a traced
// server asks once, for its listeners, and no model knows of it.
//
// Only the traced pass does this: a stamp is taken for every segment, and recvmsg is dearer than recv.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace iolab::io {

void ask_for_arrival_stamps(int socket);  // a listener, or a datagram socket

// A header for recvmsg that has room for a stamp. It must stay where it is until the bytes have come.
class StampedMessage {
 public:
  msghdr& prepared_for(std::span<std::byte> room);  // anew for each receive
  std::int64_t arrived_ns() const;                  // arrival_ns() of what has come

 private:
  static constexpr std::size_t kControlBytes = CMSG_SPACE(3 * sizeof(timespec));
  msghdr header_{};
  iovec piece_{};
  alignas(cmsghdr) std::array<std::byte, kControlBytes> control_{};
};

// The stamp among the control messages of a receive, in nanoseconds of CLOCK_MONOTONIC, like everything in a trace; the
// kernel gives CLOCK_REALTIME. 0: there is none.
std::int64_t arrival_ns(const msghdr& received);
std::int64_t arrival_ns(const cmsghdr& message);

}  // namespace iolab::io
