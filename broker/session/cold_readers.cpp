#include "broker/session/cold_readers.h"

#include <fmt/format.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "io_models/counters.h"

namespace iolab::session {
namespace {

using Read = std::shared_ptr<core::ColdRead>;

// Threads that wait for the disk, so many that the disk has some choice.
class ReadingPool final : public core::ColdReader {
 public:
  ReadingPool() {
    for (auto& thread : threads_) thread = std::thread([this] { run(); });
  }
  ~ReadingPool() override {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    work_.notify_all();
    for (auto& thread : threads_) thread.join();
  }

  void add(Read read) override {
    {
      const std::scoped_lock lock(mutex_);
      reads_.push_back(std::move(read));
    }
    work_.notify_one();
  }

 private:
  static constexpr std::size_t kThreads = 4;

  void run() {
    const io::CountedThread counted("cold reader");
    for (;;) {
      std::unique_lock lock(mutex_);
      work_.wait(lock, [this] { return stopping_ || !reads_.empty(); });
      if (stopping_) return;
      const Read read = std::move(reads_.front());
      reads_.pop_front();
      lock.unlock();
      read->run();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<Read> reads_;
  bool stopping_ = false;
  std::array<std::thread, kThreads> threads_;
};

// One thread that gives orders and is told when they are done; who waits for the disk is the kernel's business. A bell
// among the orders wakes it for new ones.
class ReadingRing final : public core::ColdReader {
 public:
  ~ReadingRing() override {
    stopping_.store(true);
    ring_the_bell();
    if (thread_.joinable()) thread_.join();
    if (bell_ >= 0) ::close(bell_);
    if (open_) io_uring_queue_exit(&ring_);
  }

  // Empty, or why not.
  std::string start() {
    if (const int error = io_uring_queue_init(kOrders, &ring_, 0); error < 0) {
      return fmt::format("iolab.fetch.cold=io_uring: {}: take pool", std::strerror(-error));
    }
    open_ = true;
    bell_ = ::eventfd(0, EFD_CLOEXEC);
    if (bell_ < 0) return fmt::format("iolab.fetch.cold=io_uring: eventfd: {}", std::strerror(errno));
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void add(Read read) override {
    {
      const std::scoped_lock lock(mutex_);
      reads_.push_back(std::move(read));
    }
    ring_the_bell();
  }

 private:
  static constexpr unsigned kOrders = 64;
  static constexpr std::uint64_t kBell = 0;

  void ring_the_bell() const { (void)eventfd_write(bell_, 1); }

  void run() {
    const io::CountedThread counted("cold reader");
    order_the_bell();
    while (!stopping_.load() || !under_way_.empty()) {
      order_reads();
      io::count(io::Call::io_uring_enter);
      io_uring_submit_and_wait(&ring_, 1);
      io_uring_cqe* done = nullptr;
      while (io_uring_peek_cqe(&ring_, &done) == 0) {
        const auto id = done->user_data;
        const std::int64_t result = done->res;
        io_uring_cqe_seen(&ring_, done);
        if (id == kBell) {
          if (!stopping_.load()) order_the_bell();
        } else {
          auto read = under_way_.extract(id);
          read.mapped()->finish(result);
        }
      }
    }
  }

  void order_the_bell() {
    io_uring_sqe* const order = io_uring_get_sqe(&ring_);
    io_uring_prep_read(order, bell_, &rings_, sizeof rings_, 0);
    io_uring_sqe_set_data64(order, kBell);
  }

  // As many as there is room for; the bell has its own place.
  void order_reads() {
    const std::scoped_lock lock(mutex_);
    while (!reads_.empty() && under_way_.size() < kOrders - 2 && !stopping_.load()) {
      const Read read = std::move(reads_.front());
      reads_.pop_front();
      const auto what = read->order();
      io_uring_sqe* const order = io_uring_get_sqe(&ring_);
      io_uring_prep_read(order, what.descriptor, what.into.data(), static_cast<unsigned>(what.into.size()),
                         static_cast<std::uint64_t>(what.position));
      io_uring_sqe_set_data64(order, ++last_id_);
      under_way_.emplace(last_id_, read);
    }
  }

  io_uring ring_{};
  bool open_ = false;
  int bell_ = -1;
  std::uint64_t rings_ = 0;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::deque<Read> reads_;
  std::uint64_t last_id_ = kBell;  // of the thread alone, like what follows
  std::unordered_map<std::uint64_t, Read> under_way_;
  std::thread thread_;
};

}  // namespace

std::expected<std::unique_ptr<core::ColdReader>, std::string> make_cold_reader(const std::string& way) {
  if (way == "pool") return std::make_unique<ReadingPool>();
  if (way != "io_uring") return nullptr;
  auto ring = std::make_unique<ReadingRing>();
  if (auto problem = ring->start(); !problem.empty()) return std::unexpected(std::move(problem));
  return ring;
}

}  // namespace iolab::session
