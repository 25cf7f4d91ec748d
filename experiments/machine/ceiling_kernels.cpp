#include "experiments/machine/ceiling_kernels.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "experiments/statistics/statistics.h"

namespace iolab::lab {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

std::unexpected<std::string> failed(std::string_view what) {
  return std::unexpected(fmt::format("{}: {}", what, std::strerror(errno)));
}

void pin_this_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// Repeats `batch` until the time is over; the fastest batch is the ceiling, because everything else is disturbance.
template <class F>
double fastest_seconds(milliseconds limit, F&& batch) {
  const auto start = Clock::now();
  double best = std::numeric_limits<double>::infinity();
  do {
    const auto before = Clock::now();
    batch();
    best = std::min(best, seconds_since(before));
  } while (Clock::now() - start < limit);
  return best;
}

struct Sockets {
  int near = -1;
  int far = -1;
  Sockets() = default;
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;
  ~Sockets() {
    if (near >= 0) ::close(near);
    if (far >= 0) ::close(far);
  }
  bool pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return false;
    near = ends[0];
    far = ends[1];
    return true;
  }
  bool connect_over_loopback() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    bool open = listener >= 0 && ::bind(listener, generic, length) == 0 && ::listen(listener, 1) == 0 &&
                ::getsockname(listener, generic, &length) == 0;
    if (open) near = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    open = open && near >= 0 && ::connect(near, generic, length) == 0;
    if (open) far = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (listener >= 0) ::close(listener);
    return open && far >= 0;
  }
};

// Messages of `bytes` there and back between two threads that sleep in between: the median trip in microseconds.
Measured round_trip_us(const Sockets& sockets, CpuPair cpus, std::size_t bytes, milliseconds limit) {
  const auto size = static_cast<ssize_t>(bytes);
  std::jthread echo([&] {
    pin_this_thread(cpus.server);
    std::vector<char> message(bytes);
    while (::recv(sockets.far, message.data(), bytes, MSG_WAITALL) == size &&
           ::send(sockets.far, message.data(), bytes, MSG_NOSIGNAL) == size) {
    }
  });
  std::vector<double> trips;
  std::jthread ask([&] {
    pin_this_thread(cpus.load);
    std::vector<char> message(bytes, 'x');
    for (const auto start = Clock::now(); Clock::now() - start < limit;) {
      const auto before = Clock::now();
      if (::send(sockets.near, message.data(), bytes, MSG_NOSIGNAL) != size) break;
      if (::recv(sockets.near, message.data(), bytes, MSG_WAITALL) != size) break;
      trips.push_back(seconds_since(before));
    }
    ::shutdown(sockets.near, SHUT_RDWR);
  });
  ask.join();
  echo.join();
  if (trips.empty()) return std::unexpected("no message came back in time");
  return median(trips) * 1e6;
}

double this_threads_cpu_s() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// What a thread paid while it offered its CPU to another one, again and again.
struct SwitchBill {
  double cpu_s = 0;
  std::uint64_t calls = 0;
  long switches = 0;
};

SwitchBill yield_for(milliseconds limit) {
  rusage before{};
  rusage after{};
  SwitchBill bill;
  getrusage(RUSAGE_THREAD, &before);
  const double cpu = this_threads_cpu_s();
  for (const auto start = Clock::now(); Clock::now() - start < limit;) {
    constexpr int kCalls = 100;
    for (int i = 0; i < kCalls; ++i) ::sched_yield();
    bill.calls += kCalls;
  }
  bill.cpu_s = this_threads_cpu_s() - cpu;
  getrusage(RUSAGE_THREAD, &after);
  bill.switches = after.ru_nivcsw - before.ru_nivcsw;  // a thread that yields still wants to run: "involuntary"
  return bill;
}

class ScratchFile {
 public:
  explicit ScratchFile(const std::string& directory) {
    auto name = directory + "/iolab-ceiling-XXXXXX";
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ >= 0) ::unlink(name.c_str());
  }
  ~ScratchFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Measured null_syscall_ns(milliseconds limit) {
  constexpr int kCalls = 5000;
  const double seconds = fastest_seconds(limit, [] {
    for (int i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
  });
  return seconds / kCalls * 1e9;
}

Measured clock_ns(milliseconds limit) {
  constexpr int kCalls = 20'000;
  timespec now{};
  const double seconds = fastest_seconds(limit, [&] {
    for (int i = 0; i < kCalls; ++i) clock_gettime(CLOCK_MONOTONIC, &now);
  });
  return seconds / kCalls * 1e9;
}

Measured memcpy_mb_per_s(std::size_t bytes, milliseconds limit) {
  constexpr std::size_t kBatch = std::size_t{64} << 20;  // long enough to be timed, also where a copy takes 100 ns
  const std::size_t copies = std::max<std::size_t>(1, kBatch / 4 / bytes);
  std::vector<char> from(bytes, 'a');
  std::vector<char> to(bytes, 'b');
  const double seconds = fastest_seconds(limit, [&] {
    for (std::size_t i = 0; i < copies; ++i) {
      std::memcpy(to.data(), from.data(), bytes);
      asm volatile("" : : "r"(to.data()) : "memory");  // the copy has a reader, as far as the compiler knows
    }
  });
  return static_cast<double>(copies * bytes) / seconds / 1e6;
}

Measured wake_up_us(CpuPair cpus, milliseconds limit) {
  Sockets sockets;
  if (!sockets.pair()) return failed("cannot make a pair of sockets");
  auto trip = round_trip_us(sockets, cpus, 1, limit);
  if (trip) *trip /= 2;
  return trip;
}

Measured ping_pong_us(CpuPair cpus, milliseconds limit) {
  Sockets sockets;
  if (!sockets.connect_over_loopback()) return failed("cannot connect over loopback");
  return round_trip_us(sockets, cpus, 64, limit);
}

Measured switch_us(int cpu, milliseconds limit) {
  const auto entry_ns = null_syscall_ns(limit / 10);
  SwitchBill one;
  SwitchBill other;
  std::jthread first([&] {
    pin_this_thread(cpu);
    one = yield_for(limit);
  });
  std::jthread second([&] {
    pin_this_thread(cpu);
    other = yield_for(limit);
  });
  first.join();
  second.join();
  const auto switches = static_cast<double>(one.switches + other.switches);
  const double calls_s = static_cast<double>(one.calls + other.calls) * *entry_ns / 1e9;
  const double switching_s = one.cpu_s + other.cpu_s - calls_s;
  if (switches <= 0 || switching_s <= 0) return std::unexpected("the two threads did not take turns");
  return switching_s / switches * 1e6;
}

Measured loopback_mb_per_s(CpuPair cpus, milliseconds limit) {
  Sockets sockets;
  if (!sockets.connect_over_loopback()) return failed("cannot connect over loopback");
  constexpr std::size_t kBytes = std::size_t{64} * 1024;
  std::atomic<std::uint64_t> received{0};
  std::jthread drain([&] {
    pin_this_thread(cpus.server);
    std::vector<char> room(4 * kBytes);
    for (;;) {
      const auto bytes = ::recv(sockets.far, room.data(), room.size(), 0);
      if (bytes <= 0) return;
      received += static_cast<std::uint64_t>(bytes);
    }
  });
  double rate = 0;
  std::jthread send([&] {
    pin_this_thread(cpus.load);
    const std::vector<char> content(kBytes, 'x');
    const auto start = Clock::now();
    while (Clock::now() - start < limit) {
      if (::send(sockets.near, content.data(), kBytes, MSG_NOSIGNAL) < 0) break;
    }
    rate = static_cast<double>(received) / seconds_since(start) / 1e6;
    ::shutdown(sockets.near, SHUT_RDWR);
  });
  send.join();
  drain.join();
  if (rate <= 0) return std::unexpected("nothing arrived in time");
  return rate;
}

Measured append_mb_per_s(const std::string& directory, milliseconds limit) {
  const ScratchFile file(directory);
  if (file.descriptor() < 0) return failed("cannot create a file in " + directory);
  const std::vector<char> block(kAppendBytes, 'x');
  constexpr int kBlocks = 512;  // 8 MiB, truncated before they are appended again: no disk gets to see them
  double best = std::numeric_limits<double>::infinity();
  const auto start = Clock::now();
  do {
    if (::ftruncate(file.descriptor(), 0) != 0) return failed("cannot empty a file in " + directory);
    const auto before = Clock::now();
    for (int i = 0; i < kBlocks; ++i) {
      const auto written = ::pwrite(file.descriptor(), block.data(), block.size(), i * off_t{kAppendBytes});
      if (written != static_cast<ssize_t>(block.size())) return failed("cannot write a file in " + directory);
    }
    best = std::min(best, seconds_since(before));
  } while (Clock::now() - start < limit);
  return kBlocks * double{kAppendBytes} / best / 1e6;
}

Measured fdatasync_us(const std::string& directory, milliseconds limit) {
  const ScratchFile file(directory);
  if (file.descriptor() < 0) return failed("cannot create a file in " + directory);
  const std::vector<char> block(kAppendBytes, 'x');
  std::vector<double> times;
  off_t at = 0;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    if (::pwrite(file.descriptor(), block.data(), block.size(), at) != static_cast<ssize_t>(block.size())) {
      return failed("cannot write a file in " + directory);
    }
    at += static_cast<off_t>(block.size());
    if (::fdatasync(file.descriptor()) != 0) return failed("cannot sync a file in " + directory);
    times.push_back(seconds_since(before));
  } while (Clock::now() - start < limit);
  return median(times) * 1e6;
}

}  // namespace iolab::lab
