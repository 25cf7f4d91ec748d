#include "broker/session/broker_host.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "broker/session/kafka_session.h"
#include "io_models/counters.h"

namespace iolab::session {
namespace {

std::int64_t milliseconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

core::Moment SystemClock::now() {
  return {milliseconds_of(CLOCK_REALTIME), milliseconds_of(CLOCK_MONOTONIC)};
}

std::uint64_t SystemRandom::next() {
  std::uint64_t bits = 0;
  if (getrandom(&bits, sizeof bits, 0) != sizeof bits) {
    fmt::print(stderr, "iolab: the kernel's random source failed: {}\n", std::generic_category().message(errno));
    std::abort();
  }
  return bits;
}

storage::FileHooks counting_file_hooks() {
  return {.count =
              [](storage::FileCall call, std::int64_t) {
                static constexpr std::array kNames{
                    io::Call::open,      io::Call::close, io::Call::pread,     io::Call::preadv2, io::Call::pwrite,
                    io::Call::fdatasync, io::Call::fsync, io::Call::ftruncate, io::Call::rename,  io::Call::unlink,
                    io::Call::fstat,     io::Call::mmap,  io::Call::munmap,    io::Call::mincore, io::Call::fadvise64};
                io::count(kNames[static_cast<std::size_t>(call)]);
              },
          .fail = nullptr};
}

// An eventfd: it may be rung by any thread at any time, and rings that come together are one.
class BrokerHost::Bell final : public core::Sleeper {
 public:
  Bell() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Bell() override { ::close(descriptor_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  void wake() override { (void)eventfd_write(descriptor_, 1); }

  // Until rung, until `watched` is readable, or until `milliseconds` have passed (kNever: no limit).
  void sleep(std::int64_t milliseconds, Watched* watched) {
    std::array<pollfd, 2> entries{pollfd{descriptor_, POLLIN, 0},
                                  pollfd{watched != nullptr ? watched->descriptor() : -1, POLLIN, 0}};
    const timespec limit{milliseconds / 1000, milliseconds % 1000 * 1'000'000};
    const bool forever = milliseconds == core::Deadlines::kNever;
    if (ppoll(entries.data(), entries.size(), forever ? nullptr : &limit, nullptr) <= 0) return;
    eventfd_t rings = 0;
    if (entries[0].revents != 0) (void)eventfd_read(descriptor_, &rings);
    if (watched != nullptr && entries[1].revents != 0) watched->readable();
  }

 private:
  int descriptor_;
};

BrokerHost::BrokerHost(core::Broker& broker, core::Clock& clock, Watched* watched)
    : broker_(broker),
      clock_(clock),
      watched_(watched),
      timer_bell_(std::make_shared<Bell>()),
      flusher_bell_(std::make_shared<Bell>()) {
  broker_.deadlines().set_sleeper(timer_bell_);
  broker_.flushes().set_sleeper(flusher_bell_);
}

BrokerHost::~BrokerHost() {
  stop();
}

std::unique_ptr<io::Session> BrokerHost::open(io::Waker waker) {
  return std::make_unique<KafkaSession>(broker_, clock_, std::move(waker));
}

void BrokerHost::start() {
  timer_ = std::thread([this] { run_timer(); });
  flusher_ = std::thread([this] { run_flusher(); });
}

void BrokerHost::stop() {
  stopping_.store(true);
  timer_bell_->wake();
  flusher_bell_->wake();
  if (timer_.joinable()) timer_.join();
  if (flusher_.joinable()) flusher_.join();
}

void BrokerHost::run_timer() {
  const io::CountedThread counted("timer");
  while (!stopping_.load()) {
    const std::int64_t next = broker_.run_timers(clock_.now());
    const std::int64_t left =
        next == core::Deadlines::kNever ? next : std::max<std::int64_t>(next - clock_.now().steady_ms, 0);
    timer_bell_->sleep(left, watched_);
  }
}

void BrokerHost::run_flusher() {
  const io::CountedThread counted("flusher");
  while (!stopping_.load()) {
    broker_.run_flushes(clock_.now());
    const std::int64_t next = broker_.flushes().next();
    const std::int64_t left =
        next == core::Deadlines::kNever ? next : std::max<std::int64_t>(next - clock_.now().steady_ms, 0);
    flusher_bell_->sleep(left, nullptr);
  }
}

}  // namespace iolab::session
