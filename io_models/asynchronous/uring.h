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
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io_models/asynchronous/order_tag.h"
#include "io_models/asynchronous/uring_trace.h"
#include "io_models/registry.h"
#include "io_models/socket.h"

namespace iolab::io {

// Where the rest of an operation is done once it can go on. Deferred: when this thread next enters the kernel to
// collect results. Cooperative: whenever it next enters the kernel. Plain: at once, by an interrupt of whatever it
// does.
enum class TaskRun : std::uint8_t { deferred, cooperative, plain };

struct UringSettings {
  unsigned orders = 256;                 // between two entries; more are passed on in between
  unsigned results = 4096;               // beyond it the kernel keeps a list of its own (completion_overflows)
  bool kernel_thread = false;            // SQPOLL: a thread of the kernel looks for orders, and burns a processor
  TaskRun task_run = TaskRun::deferred;  // at best: older kernels have less
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
      const io_uring_cqe& result = ring_.cq.cqes[head & ring_.cq.ring_mask];
      if (trace_) trace_->seen(result);
      handle(result);
    }
    if (seen > 0) count_and_give_back(seen);
  }

  // What a receive brought into a buffer that the kernel chose.
  std::span<const std::byte> payload(const io_uring_cqe& result, std::span<const std::byte> buffer) {
    return trace_ ? trace_->payload(result, buffer) : buffer;
  }

  io_uring& get() { return ring_; }

 private:
  unsigned pass_on();
  int enter_kernel(unsigned orders, unsigned results, unsigned flags, int timeout_ms);
  void count_and_give_back(unsigned seen);

  io_uring ring_{};
  std::vector<msghdr> headers_;
  std::unique_ptr<UringTrace> trace_;  // null: nobody traces
  const bool kernel_thread_;
};

// What both models of io_uring order alike.
io_uring_sqe& order_send(Uring& uring, int fd, ConnectionKey key, std::span<const iovec> pieces);

// Sockets that the ring knows by the number of their slot: spares the kernel the look-up of a descriptor in each order,
// and costs a call for each connection that comes or goes. Beyond the table, orders name descriptors as usual.
class RegisteredSockets {
 public:
  RegisteredSockets(Uring& uring, bool wanted);
  void name(io_uring_sqe& order, int fd, ConnectionKey key);
  void released(ConnectionKey key);

 private:
  void put(std::uint32_t slot, int fd);

  static constexpr unsigned kPlaces = 16'384;
  Uring& uring_;
  bool ready_ = false;
  std::vector<std::uint32_t> known_;  // generation of each slot whose socket is registered; 0: none
};

// Both models have these options.
UringSettings uring_settings(const FrontendSettings& settings);

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
