#include "io_models/asynchronous/uring.h"

#include <limits.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>

#include "io_models/admission.h"
#include "io_models/counters.h"
#include "io_models/frontends.h"
#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

// From the best that Linux 6.1 has down to what 5.15 has. Each step that a kernel does not know is EINVAL.
constexpr unsigned kAlways = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr std::array<unsigned, 3> kLadder = {
    kAlways | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    kAlways | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    kAlways,
};
constexpr unsigned kKernelThreadIdleMs = 50;

int set_up(io_uring& ring, const UringSettings& settings) {
  int result = -EINVAL;
  for (unsigned flags : std::span(kLadder).subspan(static_cast<std::size_t>(settings.task_run))) {
    // A kernel thread does the work itself, so there is none to defer.
    if (settings.kernel_thread) flags = kAlways | IORING_SETUP_SQPOLL;
    io_uring_params params{};
    params.flags = flags;
    params.cq_entries = settings.results;
    params.sq_thread_idle = kKernelThreadIdleMs;
    result = ::io_uring_queue_init_params(settings.orders, &ring, &params);
    if (result != -EINVAL) break;
  }
  return result;
}

std::string cause(int result) {
  switch (-result) {
    case ENOSYS: return "this kernel has no io_uring (it needs Linux 5.15), or a sandbox hides it";
    case EPERM:
      return "io_uring is forbidden here: by a container's seccomp profile (Docker's default; run with "
             "--security-opt seccomp=unconfined) or by `sysctl kernel.io_uring_disabled`";
    case ENOMEM: return "no memory may be locked for an io_uring; raise `ulimit -l`";
    case EINVAL: return "this kernel's io_uring is too old (it needs Linux 5.15)";
    case EMFILE: return "no descriptor is left for an io_uring; raise `ulimit -n`";
    default: return std::string("io_uring cannot be set up: ") + std::strerror(-result);
  }
}

}  // namespace

Uring::Uring(const UringSettings& settings) : kernel_thread_(settings.kernel_thread) {
  if (const int result = set_up(ring_, settings); result < 0) give_up(cause(result));
  if (sys::traced()) trace_ = std::make_unique<UringTrace>();
  headers_.resize(ring_.sq.ring_entries);
  for (unsigned i = 0; i < ring_.sq.ring_entries; ++i) ring_.sq.array[i] = i;  // place = order, for good
  // Spares a look-up of the descriptor in each call. Linux 5.18; without it the ring works all the same.
  sys::counted(Call::io_uring_register, ring_.ring_fd, [this] { return ::io_uring_register_ring_fd(&ring_); });
}

Uring::~Uring() {
  ::io_uring_queue_exit(&ring_);
}

io_uring_sqe& Uring::order() {
  while (true) {
    if (io_uring_sqe* const order = ::io_uring_get_sqe(&ring_)) return *order;
    enter_kernel(pass_on(), 0, kernel_thread_ ? IORING_ENTER_SQ_WAIT : 0, 0);
  }
}

// Shows our orders to the kernel; returns how many it has not taken yet.
unsigned Uring::pass_on() {
  io_uring_sq& queue = ring_.sq;
  count(Count::submissions, queue.sqe_tail - queue.sqe_head);
  for (unsigned at = queue.sqe_head; trace_ && at != queue.sqe_tail; ++at) {
    trace_->passing_on(queue.sqes[at & queue.ring_mask]);
  }
  queue.sqe_head = queue.sqe_tail;
  if (kernel_thread_) {  // before we look whether that thread sleeps: the two must not pass each other
    std::atomic_ref(*queue.ktail).store(queue.sqe_tail, std::memory_order_seq_cst);
  } else {
    io_uring_smp_store_release(queue.ktail, queue.sqe_tail);
  }
  return queue.sqe_tail - io_uring_smp_load_acquire(queue.khead);
}

void Uring::enter(int timeout_ms) {
  unsigned orders = pass_on();
  const bool something_to_reap = ::io_uring_cq_ready(&ring_) > 0;
  unsigned flags = IORING_ENTER_GETEVENTS;
  if (kernel_thread_) {
    if ((std::atomic_ref(*ring_.sq.kflags).load(std::memory_order_seq_cst) & IORING_SQ_NEED_WAKEUP) != 0) {
      flags |= IORING_ENTER_SQ_WAKEUP;
    } else {
      orders = 0;
    }
  }
  if (orders == 0 && something_to_reap) return;
  enter_kernel(orders, something_to_reap || timeout_ms == 0 ? 0 : 1, flags, timeout_ms);
}

int Uring::enter_kernel(unsigned orders, unsigned results, unsigned flags, int timeout_ms) {
  __kernel_timespec time{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000LL};
  io_uring_getevents_arg more{};
  more.ts = reinterpret_cast<std::uintptr_t>(&time);
  const bool bounded = results > 0 && timeout_ms > 0;
  if (bounded) flags |= IORING_ENTER_EXT_ARG;
  if (ring_.enter_ring_fd != ring_.ring_fd) flags |= IORING_ENTER_REGISTERED_RING;
  if ((IO_URING_READ_ONCE(*ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0) count(Count::completion_overflows);
  return sys::counted(Call::io_uring_enter, ring_.ring_fd, [&] {
    return ::io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), orders, results, flags,
                             bounded ? reinterpret_cast<sigset_t*>(&more) : nullptr, bounded ? sizeof more : 0);
  });
}

void Uring::count_and_give_back(unsigned seen) {
  ::io_uring_cq_advance(&ring_, seen);
  count(Count::wake_ups);
  count(Count::events, seen);
  count(Count::completions, seen);
}

io_uring_sqe& order_send(Uring& uring, int fd, ConnectionKey key, std::span<const iovec> pieces) {
  io_uring_sqe& order = uring.order();
  // MSG_WAITALL: the kernel goes on by itself while the peer makes room. It may still stop short; then so do we.
  constexpr int kFlags = MSG_NOSIGNAL | MSG_WAITALL;
  if (pieces.size() == 1) {
    ::io_uring_prep_send(&order, fd, pieces[0].iov_base, pieces[0].iov_len, kFlags);
  } else {
    msghdr& header = uring.header_of(order);
    header = {};
    header.msg_iov = const_cast<iovec*>(pieces.data());
    header.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
    ::io_uring_prep_sendmsg(&order, fd, &header, kFlags);
  }
  ::io_uring_sqe_set_data64(&order, OrderTag{Order::send, key}.packed());
  return order;
}

RegisteredSockets::RegisteredSockets(Uring& uring, bool wanted) : uring_(uring) {
  if (!wanted) return;
  const int result = sys::counted(Call::io_uring_register, uring.get().ring_fd,
                                  [&] { return ::io_uring_register_files_sparse(&uring.get(), kPlaces); });
  if (result < 0)
    give_up(std::string("the ring takes no table of sockets (it needs Linux 5.19): ") + std::strerror(-result));
  ready_ = true;
  known_.resize(kPlaces);
}

void RegisteredSockets::name(io_uring_sqe& order, int fd, ConnectionKey key) {
  if (!ready_ || key.slot >= kPlaces) return;
  if (known_[key.slot] != key.generation) put(key.slot, fd);
  known_[key.slot] = key.generation;
  order.fd = static_cast<int>(key.slot);
  order.flags |= IOSQE_FIXED_FILE;
}

// The table holds its socket open, whoever closes the descriptor.
void RegisteredSockets::released(ConnectionKey key) {
  if (!ready_ || key.slot >= kPlaces || known_[key.slot] != key.generation) return;
  known_[key.slot] = 0;
  put(key.slot, -1);
}

void RegisteredSockets::put(std::uint32_t slot, int fd) {
  sys::counted(Call::io_uring_register, uring_.get().ring_fd,
               [&] { return ::io_uring_register_files_update(&uring_.get(), slot, &fd, 1); });
}

UringSettings uring_settings(const FrontendSettings& settings) {
  const auto task_run = chosen(settings.options, "taskrun", "deferred");
  return {.kernel_thread = chosen(settings.options, "sqpoll", "off") == "on",
          .task_run = task_run == "plain"         ? TaskRun::plain
                      : task_run == "cooperative" ? TaskRun::cooperative
                                                  : TaskRun::deferred};
}

std::string io_uring_unavailable() {
  io_uring ring{};
  const int result = set_up(ring, {.orders = 2, .results = 4});
  if (result < 0) return cause(result);
  ::io_uring_queue_exit(&ring);
  return {};
}

UringBell::UringBell() : event_(::eventfd(0, EFD_CLOEXEC)) {
  if (!event_) give_up("no descriptor is left for the ring's own bell; raise `ulimit -n`");
}

void UringBell::ring() {
  const std::uint64_t one = 1;
  sys::write(event_.get(), std::as_bytes(std::span(&one, 1)));
}

void UringBell::order_read(Uring& uring) {
  io_uring_sqe& order = uring.order();
  ::io_uring_prep_read(&order, event_.get(), &rings_, sizeof rings_, 0);
  ::io_uring_sqe_set_data64(&order, OrderTag{Order::bell}.packed());
}

}  // namespace iolab::io
