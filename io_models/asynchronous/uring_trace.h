// What a trace sees of a ring. An order and its result are no system calls: they are words in shared memory, and the
// only call, io_uring_enter, carries many of them. So the ring itself notes when each order was passed on and when its
// result was looked at.
//
// It also turns every receive into one that brings the stamp of its bytes (arrival_stamp.h): IORING_OP_RECV becomes
// IORING_OP_RECVMSG on its way to the kernel. Only a traced ring has all this.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <deque>
#include <span>

#include "io_models/arrival_stamp.h"
#include "io_models/asynchronous/order_tag.h"

namespace iolab::io {

class UringTrace {
 public:
  void passing_on(io_uring_sqe& order);
  void seen(const io_uring_cqe& result);

  // Of a receive into memory of the kernel's choice: a traced one begins with a head of its own, and the stamp.
  std::span<const std::byte> payload(const io_uring_cqe& result, std::span<const std::byte> buffer);

 private:
  struct Given {  // by connection
    int socket = -1;
    std::int64_t receive_ns = 0;
    std::int64_t send_ns = 0;
    StampedMessage message{};
  };
  Given& of(ConnectionKey key);

  std::deque<Given> given_;  // by slot; the kernel knows the addresses, so nothing moves
};

}  // namespace iolab::io
