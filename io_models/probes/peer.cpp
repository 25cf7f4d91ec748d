#include "io_models/probes/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>

namespace iolab::io::probes {

std::expected<Pair, std::string> connected_pair() {
  auto listening = listen_on({}, 1, 1);
  if (!listening) return std::unexpected(listening.error());
  auto far = connect_to(listening->address);
  if (!far) return std::unexpected(far.error());
  Fd near(::accept4(listening->sockets.front().get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!near) return std::unexpected(std::string("cannot accept a connection: ") + std::strerror(errno));
  set_no_delay(near.get());
  return Pair{std::move(near), std::move(*far)};
}

std::expected<std::vector<Pair>, std::string> connected_pairs(int how_many) {
  std::vector<Pair> pairs;
  for (int i = 0; i < how_many; ++i) {
    auto pair = connected_pair();
    if (!pair) return std::unexpected(pair.error());
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

std::expected<Pair, std::string> datagram_pair() {
  Fd near(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  Fd far(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(near.get(), any, bytes) != 0 || ::getsockname(near.get(), any, &bytes) != 0 ||
      ::connect(far.get(), any, bytes) != 0) {
    return std::unexpected(std::string("no pair of UDP sockets on 127.0.0.1: ") + std::strerror(errno));
  }
  return Pair{std::move(near), std::move(far)};
}

std::expected<void, std::string> ask_for_signals(int socket, int signal) {
  const auto refused = [&](const char* call) {
    return std::unexpected(std::string("the kernel will not signal for this socket: fcntl(") + call +
                           "): " + std::strerror(errno) + "; see `iolab models` whether sigio may run here");
  };
  const f_owner_ex owner{F_OWNER_TID, ::gettid()};
  if (::fcntl(socket, F_SETSIG, signal) != 0) return refused("F_SETSIG");
  if (::fcntl(socket, F_SETOWN_EX, &owner) != 0) return refused("F_SETOWN_EX");
  const int flags = ::fcntl(socket, F_GETFL);
  if (flags < 0) return refused("F_GETFL");
  if (::fcntl(socket, F_SETFL, flags | O_ASYNC | O_NONBLOCK) != 0) return refused("F_SETFL, O_ASYNC");
  return {};
}

std::expected<void, std::string> limit_signal_queue(long room) {
  const rlimit limit{static_cast<rlim_t>(room), static_cast<rlim_t>(room)};
  if (::setrlimit(RLIMIT_SIGPENDING, &limit) == 0) return {};
  return std::unexpected("no queue of " + std::to_string(room) + " signals: " + std::strerror(errno) +
                         "; `ulimit -i` says how many there may be");
}

namespace {

std::int64_t read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

std::int64_t now_ns() {
  return read_clock(CLOCK_MONOTONIC);
}

std::int64_t thread_cpu_ns() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void sleep_until_ns(std::int64_t at_ns) {
  const timespec at{at_ns / 1'000'000'000, at_ns % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) continue;
}

int threads_of_this_process() {
  std::error_code error;
  return static_cast<int>(std::distance(std::filesystem::directory_iterator("/proc/self/task", error), {}));
}

std::optional<long> call_asleep_in(pid_t thread) {
  const auto path = "/proc/self/task/" + std::to_string(thread) + "/syscall";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return std::nullopt;
  if (text[0] < '0' || text[0] > '9') return kRuns;  // "running", or "-1 ..." of one that sleeps outside of a call
  return std::strtol(text, nullptr, 10);
}

std::expected<void, std::string> stay_on(int cpu) {
  if (cpu < 0) return {};
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<unsigned>(cpu), &only);
  if (::sched_setaffinity(0, sizeof only, &only) == 0) return {};
  return std::unexpected("the peer cannot run on CPU " + std::to_string(cpu) + ": " + std::strerror(errno) +
                         "; `nproc --all` counts the CPUs, from 0, and /proc/self/status says which are allowed");
}

std::expected<void, std::string> can_stay_on(int cpu) {
  cpu_set_t before;
  CPU_ZERO(&before);
  if (cpu < 0 || ::sched_getaffinity(0, sizeof before, &before) != 0) return stay_on(cpu);
  auto stays = stay_on(cpu);
  if (stays && ::sched_setaffinity(0, sizeof before, &before) != 0) {
    return std::unexpected(std::string("cannot go back to the CPUs from before: ") + std::strerror(errno));
  }
  return stays;
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "iolab probe: %s\n", why.c_str());
  std::_Exit(4);  // as a probe that cannot run here
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace iolab::io::probes
