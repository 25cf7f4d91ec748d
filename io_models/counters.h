// What the server did, counted by the thread that did it, in memory that another process can read at any moment.
//
// One page-aligned file, mapped by the server (`iolab broker --counters FILE`) and by whoever measures: a header and
// one block for each thread. Every number only ever grows, has one writer, and is read without a lock, a signal or a
// system call in the server. A thread that ends leaves its block behind for the next one, so the sum over all blocks is
// always the sum since the start.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace iolab::io {

// System calls, in the order of a request's life. aio_* are library calls: what glibc's threads do behind them is seen
// only from outside.
enum class Call : std::uint8_t {
  accept4,
  recv,
  recvmsg,
  send,
  sendmsg,
  read,
  write,
  shutdown,
  close,
  socket,
  fcntl,
  setsockopt,
  select,
  poll,
  epoll_wait,
  epoll_ctl,
  rt_sigtimedwait,
  signalfd,
  tgkill,
  io_uring_enter,
  io_uring_register,
  aio_read,
  aio_write,
  aio_error,
  aio_return,
  sched_yield,
  nanosleep,
  futex_wait,
  futex_wake,
  thread_create,
  pread,
  preadv2,
  pwrite,
  fdatasync,
  fsync,
  open,
  ftruncate,
  rename,
  unlink,
  fstat,
  mmap,
  munmap,
  mincore,
  fadvise64,
  count_
};
inline constexpr std::size_t kCalls = static_cast<std::size_t>(Call::count_);

// Events that are not system calls.
enum class Count : std::uint8_t {
  accepted,
  closed,
  bytes_received,
  bytes_sent,
  requests,
  would_block,          // EAGAIN: asked in vain
  wake_ups,             // a wait that returned with something to do
  events,               // what those waits delivered
  rings,                // Waker::wake() that had to wake a sleeping thread
  short_sends,          // send() took less than it was given
  accept_refused,       // EMFILE, ENFILE, ENOBUFS, ENOMEM
  connections_refused,  // closed at once: over a limit, or a descriptor that the model cannot watch
  signal_overflows,     // SIGIO in place of a queued signal
  completions,          // of io_uring or POSIX AIO
  completion_overflows,
  buffers_exhausted,  // ENOBUFS of a provided-buffer ring
  submissions,
  count_
};
inline constexpr std::size_t kCounts = static_cast<std::size_t>(Count::count_);

std::string_view name(Call call);
std::string_view name(Count count);

struct alignas(64) ThreadBlock {
  std::atomic<std::int32_t> thread_id;  // 0: free
  std::array<char, 16> thread_name;     // "serve 0", "connection", "timer", "flusher"
  std::array<std::atomic<std::uint64_t>, kCalls> calls;
  std::array<std::atomic<std::uint64_t>, kCounts> counts;
};

struct CounterPage {
  static constexpr std::uint64_t kMagic = 0x31'73'74'6e'63'6c'6f'69;  // "iolcnts1"
  static constexpr std::size_t kBlocks = 20'000;
  std::uint64_t magic;
  std::uint64_t block_bytes;
  std::atomic<std::uint64_t> blocks_used;
  alignas(64) std::array<ThreadBlock, kBlocks> blocks;
};

// A plain copy, for sums and differences.
struct CounterTotals {
  std::array<std::uint64_t, kCalls> calls{};
  std::array<std::uint64_t, kCounts> counts{};
  std::uint64_t operator[](Call c) const { return calls[static_cast<std::size_t>(c)]; }
  std::uint64_t operator[](Count c) const { return counts[static_cast<std::size_t>(c)]; }
  CounterTotals& operator+=(const CounterTotals& other);
  CounterTotals& operator-=(const CounterTotals& other);
};

// Server side. Until create_counter_page() is called, threads count into a private page that nobody else maps. Call it
// before other threads count: what they count at that very moment may be lost. The error is a sentence with path and
// cause.
std::expected<void, std::string> create_counter_page(const std::string& path);
CounterTotals read_counters();  // of this process, all threads

// Measuring side: another process's page, read-only.
class CounterPageView {
 public:
  static std::expected<CounterPageView, std::string> open(const std::string& path);
  CounterPageView(CounterPageView&& other) noexcept;
  CounterPageView& operator=(CounterPageView&& other) noexcept;
  ~CounterPageView();
  CounterTotals totals() const;
  const CounterPage& page() const { return *page_; }

 private:
  explicit CounterPageView(const CounterPage* page) : page_(page) {}
  const CounterPage* page_ = nullptr;
};

// The calling thread's own block, under a name of at most 15 characters. Take one at the start of a thread, give it
// back at its end. A thread without one is given a nameless block at its first count.
class CountedThread {
 public:
  explicit CountedThread(std::string_view name);
  ~CountedThread();
  CountedThread(const CountedThread&) = delete;
  CountedThread& operator=(const CountedThread&) = delete;

 private:
  ThreadBlock* before_;
};

namespace detail {
extern constinit thread_local ThreadBlock* this_thread;  // null until the thread's first count
ThreadBlock* take_undeclared();
inline ThreadBlock& mine() {
  return this_thread != nullptr ? *this_thread : *take_undeclared();
}
inline void add(std::atomic<std::uint64_t>& value, std::uint64_t amount) {
  // One writer: a plain add, only written so that a reader in another process sees whole numbers.
  value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
}
}  // namespace detail

inline void count(Call call, std::uint64_t amount = 1) {
  detail::add(detail::mine().calls[static_cast<std::size_t>(call)], amount);
}
inline void count(Count what, std::uint64_t amount = 1) {
  detail::add(detail::mine().counts[static_cast<std::size_t>(what)], amount);
}

}  // namespace iolab::io
