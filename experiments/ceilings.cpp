#include "experiments/ceilings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

#include "experiments/environment.h"
#include "experiments/statistics.h"

namespace iolab::lab {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
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

double null_syscall_ns(milliseconds limit) {
  constexpr int kCalls = 5000;
  return fastest_seconds(limit,
                         [] {
                           for (int i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
                         }) /
         kCalls * 1e9;
}

double clock_ns(milliseconds limit) {
  constexpr int kCalls = 20'000;
  timespec now{};
  return fastest_seconds(limit,
                         [&] {
                           for (int i = 0; i < kCalls; ++i) clock_gettime(CLOCK_MONOTONIC, &now);
                         }) /
         kCalls * 1e9;
}

double memcpy_mb_per_s(milliseconds limit) {
  constexpr std::size_t kBytes = 64 << 20;  // more than caches hold
  std::vector<char> from(kBytes, 'a');
  std::vector<char> to(kBytes, 'b');
  const double seconds = fastest_seconds(limit, [&] {
    std::memcpy(to.data(), from.data(), kBytes);
    asm volatile("" : : "r"(to.data()) : "memory");  // the copy has a reader, as far as the compiler knows
  });
  return kBytes / seconds / 1e6;
}

struct Sockets {
  int near = -1;
  int far = -1;
  ~Sockets() {
    if (near >= 0) ::close(near);
    if (far >= 0) ::close(far);
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

// One byte there and back between two sleeping threads: half of a round trip is one wake-up with its send and receive.
double wake_up_us(CpuPair cpus, milliseconds limit) {
  Sockets sockets;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return kNotMeasured;
  sockets.near = ends[0];
  sockets.far = ends[1];
  std::jthread echo([&] {
    pin_this_thread(cpus.server);
    char byte = 0;
    while (::read(sockets.far, &byte, 1) == 1 && ::write(sockets.far, &byte, 1) == 1) {
    }
  });
  std::vector<double> trips;
  std::jthread ask([&] {
    pin_this_thread(cpus.load);
    const auto start = Clock::now();
    char byte = 0;
    while (Clock::now() - start < limit) {
      const auto before = Clock::now();
      if (::write(sockets.near, &byte, 1) != 1 || ::read(sockets.near, &byte, 1) != 1) break;
      trips.push_back(seconds_since(before));
    }
    ::shutdown(sockets.near, SHUT_RDWR);
  });
  ask.join();
  echo.join();
  return trips.empty() ? kNotMeasured : median(trips) / 2 * 1e6;
}

double loopback_mb_per_s(CpuPair cpus, milliseconds limit) {
  Sockets sockets;
  if (!sockets.connect_over_loopback()) return kNotMeasured;
  constexpr std::size_t kBytes = 64 * 1024;
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
  return rate > 0 ? rate : kNotMeasured;
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

constexpr std::size_t kAppendBytes = 16 * 1024;

double append_mb_per_s(const std::string& directory, milliseconds limit) {
  const ScratchFile file(directory);
  const std::vector<char> block(kAppendBytes, 'x');
  constexpr int kBlocks = 4096;  // 64 MiB, written again and again: the page cache, not the disk
  bool failed = file.descriptor() < 0;
  const double seconds = fastest_seconds(limit, [&] {
    for (int i = 0; i < kBlocks && !failed; ++i) {
      failed = ::pwrite(file.descriptor(), block.data(), block.size(), i * off_t{kAppendBytes}) < 0;
    }
  });
  return failed ? kNotMeasured : kBlocks * double{kAppendBytes} / seconds / 1e6;
}

double fdatasync_us(const std::string& directory, milliseconds limit) {
  const ScratchFile file(directory);
  const std::vector<char> block(kAppendBytes, 'x');
  std::vector<double> times;
  off_t at = 0;
  for (const auto start = Clock::now(); Clock::now() - start < limit;) {
    if (::pwrite(file.descriptor(), block.data(), block.size(), at) < 0) return kNotMeasured;
    at += static_cast<off_t>(block.size());
    const auto before = Clock::now();
    if (::fdatasync(file.descriptor()) != 0) return kNotMeasured;
    times.push_back(seconds_since(before));
  }
  return median(times) * 1e6;
}

}  // namespace

CpuPair choose_cpus(const std::vector<int>& allowed) {
  if (allowed.empty()) return {0, 0};
  return {allowed.front(), allowed.size() > 1 ? allowed[1] : allowed.front()};
}

std::vector<Ceiling> measure_ceilings(CpuPair cpus, const std::string& directory, milliseconds each) {
  return {
      {"null_syscall", "null system call", "ns", null_syscall_ns(each), "entering the kernel and doing nothing"},
      {"clock", "reading the clock", "ns", clock_ns(each), "clock_gettime(), without entering the kernel"},
      {"wake_up", cpus.shared() ? "wake-up on the same CPU" : "wake-up on the other CPU", "us", wake_up_us(cpus, each),
       "one byte sent to a thread that sleeps in read()"},
      {"loopback", "loopback stream", "MB/s", loopback_mb_per_s(cpus, each),
       "one connection, 64 KiB at a time, sender and receiver on different CPUs"},
      {"memcpy", "memory copy", "MB/s", memcpy_mb_per_s(each), "64 MiB, one CPU"},
      {"append", "append to the page cache", "MB/s", append_mb_per_s(directory, each),
       "pwrite() of 16 KiB blocks over a file of 64 MiB"},
      {"fdatasync", "append and fdatasync", "us", fdatasync_us(directory, each),
       "16 KiB until the disk says it is safe"},
  };
}

NoiseHint measure_noise(milliseconds total) {
  constexpr auto kSlice = milliseconds{20};
  const CpuTicks before = read_cpu_ticks();
  std::vector<double> rates;
  for (const auto start = Clock::now(); Clock::now() - start < total;) {
    const auto slice = Clock::now();
    std::uint64_t calls = 0;
    do {
      for (int i = 0; i < 100; ++i) ::syscall(SYS_getppid);
      calls += 100;
    } while (Clock::now() - slice < kSlice);
    rates.push_back(static_cast<double>(calls) / seconds_since(slice));
  }
  NoiseHint hint;
  hint.steal = steal_share(before, read_cpu_ticks());
  if (rates.empty()) return hint;
  const double middle = median(rates);
  std::vector<double> distances;
  for (const double rate : rates) distances.push_back(std::abs(rate / middle - 1));
  std::ranges::sort(distances);
  constexpr double kMostOfThem = 0.9;
  hint.spread = distances[static_cast<std::size_t>(kMostOfThem * static_cast<double>(distances.size() - 1))];
  return hint;
}

void touch_memory(std::uint64_t bytes) {
  if (bytes == 0) return;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  std::memset(memory, 1, bytes);
  munmap(memory, bytes);
}

}  // namespace iolab::lab
