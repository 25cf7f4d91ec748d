// One io_uring: two queues in memory that kernel and program share, and the one system call that moves both.
//
// liburing maps the queues, fills in orders and reads results; entering the kernel is ours, so that it is counted and
// traced like every other call. We enter only if there is something to submit or nothing to reap. With
// IORING_SETUP_DEFER_TASKRUN the work itself (the copying too) is done inside that call, in our thread: looking at the
// queue without entering would wait for ever. LESSON: the-copy-is-in-io_uring_enter
//
// Used by one thread, the one that makes it.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io_models/asynchronous/order_tag.h"
#include "io_models/socket.h"

namespace iolab::io {

struct UringSettings {
  unsigned orders = 256;       // between two entries; more are passed on in between
  unsigned results = 4096;     // beyond it the kernel keeps a list of its own (completion_overflows)
  bool kernel_thread = false;  // SQPOLL: a thread of the kernel looks for orders, and burns a processor
};

class Uring {
 public:
  explicit Uring(const UringSettings& settings);  // or gives up, with cause and remedy
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // An order to fill in; passes earlier ones on if there is no room.
  io_uring_sqe& order();
  // sendmsg(2) takes a header; it must hold until the order has been passed on. One for each place in the queue.
  msghdr& header_of(const io_uring_sqe& order) { return headers_[static_cast<std::size_t>(&order - ring_.sq.sqes)]; }

  // Passes orders on and sleeps until there is a result (timeout_ms: -1 for ever, 0 not at all).
  void enter(int timeout_ms);

  // Hands over every result that is there.
  template <class Handle>
  void reap(Handle&& handle) {
    unsigned head = *ring_.cq.khead;
    unsigned seen = 0;
    for (; head != io_uring_smp_load_acquire(ring_.cq.ktail); ++head, ++seen) {
      handle(ring_.cq.cqes[head & ring_.cq.ring_mask]);
    }
    if (seen > 0) count_and_give_back(seen);
  }

  io_uring& get() { return ring_; }

 private:
  unsigned pass_on();
  int enter_kernel(unsigned orders, unsigned results, unsigned flags, int timeout_ms);
  void count_and_give_back(unsigned seen);

  io_uring ring_{};
  std::vector<msghdr> headers_;
  const bool kernel_thread_;
};

// What both models of io_uring order alike.
void order_send(Uring& uring, int fd, ConnectionKey key, std::span<const iovec> pieces);

// Rouses a thread that sleeps in io_uring_enter: a read of this descriptor is always on order.
class UringBell {
 public:
  UringBell();
  void ring();
  void order_read(Uring& uring);

 private:
  Fd event_;                 // blocking: io_uring would answer EAGAIN for one that is not
  std::uint64_t rings_ = 0;  // written by the kernel
};

}  // namespace iolab::io
