// Where the counted numbers live, and who may write which block.
//
// The page has one address for the life of the process: first private memory, later a file mapped over the very same
// addresses. So a block's address never changes, and a thread that already counts needs no word of the change.
#include "io_models/counters.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace iolab::io {
namespace {

constexpr std::array<std::string_view, kCalls> kCallNames = {"accept4",
                                                             "recv",
                                                             "recvmsg",
                                                             "send",
                                                             "sendmsg",
                                                             "read",
                                                             "write",
                                                             "shutdown",
                                                             "close",
                                                             "socket",
                                                             "fcntl",
                                                             "setsockopt",
                                                             "select",
                                                             "poll",
                                                             "epoll_wait",
                                                             "epoll_ctl",
                                                             "rt_sigtimedwait",
                                                             "signalfd",
                                                             "tgkill",
                                                             "io_uring_enter",
                                                             "io_uring_register",
                                                             "aio_read",
                                                             "aio_write",
                                                             "aio_error",
                                                             "aio_return",
                                                             "sched_yield",
                                                             "nanosleep",
                                                             "futex_wait",
                                                             "futex_wake",
                                                             "thread_create",
                                                             "pread",
                                                             "preadv2",
                                                             "pwrite",
                                                             "fdatasync",
                                                             "fsync",
                                                             "open",
                                                             "ftruncate",
                                                             "rename",
                                                             "unlink",
                                                             "fstat",
                                                             "mmap",
                                                             "munmap",
                                                             "mincore",
                                                             "fadvise64"};
static_assert(!kCallNames.back().empty(), "a call has no name");

constexpr std::array<std::string_view, kCounts> kCountNames = {
    "accepted",          "closed",         "bytes_received",
    "bytes_sent",        "requests",       "would_block",
    "wake_ups",          "events",         "rings",
    "short_sends",       "accept_refused", "connections_refused",
    "signal_overflows",  "completions",    "completion_overflows",
    "buffers_exhausted", "submissions"};
static_assert(!kCountNames.back().empty(), "a count has no name");

CounterPage* map_private_page() {
  // Untouched blocks cost address space only.
  void* memory =
      ::mmap(nullptr, sizeof(CounterPage), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    std::fputs("iolab: no address space for the counter page (12 MB); raise `ulimit -v`\n", stderr);
    std::abort();
  }
  auto* page = static_cast<CounterPage*>(memory);
  page->magic = CounterPage::kMagic;
  page->block_bytes = sizeof(ThreadBlock);
  return page;
}

// Hands out blocks. Never destroyed: threads may end after main() has returned.
class Blocks {
 public:
  static Blocks& of_process() {
    static auto* blocks = new Blocks;
    return *blocks;
  }

  CounterPage& page() { return *page_; }

  ThreadBlock* take(std::string_view name) {
    const std::lock_guard lock(mutex_);
    ThreadBlock* block = nullptr;
    if (!free_.empty()) {
      block = free_.back();
      free_.pop_back();
    } else if (const auto used = page_->blocks_used.load(std::memory_order_relaxed); used < CounterPage::kBlocks - 1) {
      block = &page_->blocks[used];
      page_->blocks_used.store(used + 1, std::memory_order_release);
    } else {
      page_->blocks_used.store(CounterPage::kBlocks, std::memory_order_release);
      return shared();
    }
    block->thread_name = {};
    name.copy(block->thread_name.data(), block->thread_name.size() - 1);
    block->thread_id.store(::gettid(), std::memory_order_relaxed);
    return block;
  }

  void give_back(ThreadBlock* block) {
    if (block == shared()) return;
    const std::lock_guard lock(mutex_);
    block->thread_id.store(0, std::memory_order_relaxed);
    free_.push_back(block);
  }

  std::mutex& mutex() { return mutex_; }

 private:
  // The last block belongs to all threads that found no other: its sums may lose an addition when two collide.
  ThreadBlock* shared() { return &page_->blocks.back(); }

  CounterPage* page_ = map_private_page();
  std::mutex mutex_;
  std::vector<ThreadBlock*> free_;
};

// Gives back, at the thread's end, the block of a thread that never declared itself by a CountedThread.
struct UndeclaredThread {
  ThreadBlock* block = nullptr;
  ~UndeclaredThread() {
    if (block != nullptr) Blocks::of_process().give_back(block);
    detail::this_thread = nullptr;
  }
};

void add_block(CounterTotals& totals, const ThreadBlock& block) {
  for (std::size_t i = 0; i < kCalls; ++i) totals.calls[i] += block.calls[i].load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kCounts; ++i) totals.counts[i] += block.counts[i].load(std::memory_order_relaxed);
}

CounterTotals sum(const CounterPage& page) {
  CounterTotals totals;
  const std::uint64_t used = page.blocks_used.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < std::min<std::uint64_t>(used, CounterPage::kBlocks); ++i) {
    add_block(totals, page.blocks[i]);
  }
  return totals;
}

std::unexpected<std::string> page_error(const std::string& what, const std::string& path, const char* why) {
  return std::unexpected("cannot " + what + " the counter file " + path + ": " + why);
}

}  // namespace

std::string_view name(Call call) {
  return kCallNames[static_cast<std::size_t>(call)];
}
std::string_view name(Count count) {
  return kCountNames[static_cast<std::size_t>(count)];
}

CounterTotals& CounterTotals::operator+=(const CounterTotals& other) {
  for (std::size_t i = 0; i < kCalls; ++i) calls[i] += other.calls[i];
  for (std::size_t i = 0; i < kCounts; ++i) counts[i] += other.counts[i];
  return *this;
}

CounterTotals& CounterTotals::operator-=(const CounterTotals& other) {
  for (std::size_t i = 0; i < kCalls; ++i) calls[i] -= other.calls[i];
  for (std::size_t i = 0; i < kCounts; ++i) counts[i] -= other.counts[i];
  return *this;
}

namespace detail {

constinit thread_local ThreadBlock* this_thread = nullptr;

ThreadBlock* take_undeclared() {
  thread_local UndeclaredThread undeclared;
  undeclared.block = this_thread = Blocks::of_process().take("");
  return this_thread;
}

}  // namespace detail

CountedThread::CountedThread(std::string_view name) : before_(detail::this_thread) {
  detail::this_thread = Blocks::of_process().take(name);
  // So that ps, top and `iolab doctor --threads` tell them apart. The first thread's name is that of the program.
  if (::gettid() != ::getpid()) ::prctl(PR_SET_NAME, detail::this_thread->thread_name.data());
}

CountedThread::~CountedThread() {
  Blocks::of_process().give_back(detail::this_thread);
  detail::this_thread = before_;
}

std::expected<void, std::string> create_counter_page(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return page_error("create", path, std::strerror(errno));
  auto& blocks = Blocks::of_process();
  const std::lock_guard lock(blocks.mutex());
  CounterPage& page = blocks.page();
  const auto used = page.blocks_used.load(std::memory_order_relaxed);
  const std::size_t bytes = sizeof(CounterPage) - sizeof(ThreadBlock) * (CounterPage::kBlocks - used);
  const char* why = nullptr;
  // What was counted so far moves into the file first; the magic number comes last, and says that the page is whole.
  if (::ftruncate(file, sizeof(CounterPage)) != 0) why = std::strerror(errno);
  const auto* from = reinterpret_cast<const char*>(&page);
  constexpr std::size_t kAfterMagic = sizeof page.magic;
  for (std::size_t done = kAfterMagic; why == nullptr && done < bytes;) {
    const ssize_t n = ::pwrite(file, from + done, bytes - done, static_cast<off_t>(done));
    if (n < 0) why = std::strerror(errno);
    if (n > 0) done += static_cast<std::size_t>(n);
  }
  if (why == nullptr &&
      ::mmap(&page, sizeof(CounterPage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) {
    why = std::strerror(errno);
  }
  ::close(file);
  if (why != nullptr) return page_error("write", path, why);
  std::atomic_ref(page.magic).store(CounterPage::kMagic, std::memory_order_release);
  return {};
}

CounterTotals read_counters() {
  return sum(Blocks::of_process().page());
}

std::expected<CounterPageView, std::string> CounterPageView::open(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return page_error("open", path, std::strerror(errno));
  struct stat status{};
  void* memory = MAP_FAILED;
  if (::fstat(file, &status) == 0 && status.st_size == static_cast<off_t>(sizeof(CounterPage))) {
    memory = ::mmap(nullptr, sizeof(CounterPage), PROT_READ, MAP_SHARED, file, 0);
  }
  ::close(file);
  if (memory == MAP_FAILED) return page_error("read", path, "it has not the size of a counter page of this build");
  CounterPageView view(static_cast<const CounterPage*>(memory));
  if (view.page_->magic != CounterPage::kMagic || view.page_->block_bytes != sizeof(ThreadBlock)) {
    return page_error("read", path, "it is not a finished counter page of this build");
  }
  return view;
}

CounterPageView::CounterPageView(CounterPageView&& other) noexcept : page_(std::exchange(other.page_, nullptr)) {}

CounterPageView& CounterPageView::operator=(CounterPageView&& other) noexcept {
  std::swap(page_, other.page_);
  return *this;
}

CounterPageView::~CounterPageView() {
  if (page_ != nullptr) ::munmap(const_cast<CounterPage*>(page_), sizeof(CounterPage));
}

CounterTotals CounterPageView::totals() const {
  return sum(*page_);
}

}  // namespace iolab::io
