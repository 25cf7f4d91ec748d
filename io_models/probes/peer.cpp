#include "io_models/probes/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
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

void ask_for_signals(int socket, int signal) {
  const f_owner_ex owner{F_OWNER_TID, ::gettid()};
  ::fcntl(socket, F_SETSIG, signal);
  ::fcntl(socket, F_SETOWN_EX, &owner);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_ASYNC | O_NONBLOCK);
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

void stay_on(int cpu) {
  if (cpu < 0) return;
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(static_cast<unsigned>(cpu), &only);
  ::sched_setaffinity(0, sizeof only, &only);
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace iolab::io::probes
