// Duet slices with servers in child processes, because what is compared is the CPU time of a process.
#include "clients/duet.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "tests/clients/tiny_server.h"

namespace iolab::clients {
namespace {

// A child that echoes on one connection after another and works in vain for a while before each answer. It waits for a
// request in a blocking call, or, if it spins, asks for one again and again. It dies with the test.
class EchoProcess {
 public:
  explicit EchoProcess(int wasted_rounds, bool spins = false) {
    auto listening = io::listen_on({}, 1, 16).value();
    address = listening.address;
    pid = ::fork();
    if (pid == 0) serve(listening.sockets.front().get(), wasted_rounds, spins ? MSG_DONTWAIT : 0);
  }
  ~EchoProcess() {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  EchoProcess(const EchoProcess&) = delete;
  EchoProcess& operator=(const EchoProcess&) = delete;

  DuetSide side(bool pause = false) const { return {address, pid, pause}; }

  io::Address address;
  pid_t pid = -1;

 private:
  [[noreturn]] static void serve(int listener, int wasted_rounds, int how) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      const int fd = ::accept4(listener, nullptr, nullptr, 0);
      std::array<char, 4096> bytes;
      for (;;) {
        const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), how);
        if (got < 0 && errno == EAGAIN) continue;
        if (got <= 0) break;
        volatile double waste = 1;
        for (int i = 0; i < wasted_rounds; ++i) waste = std::sqrt(waste + i);
        if (::send(fd, bytes.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
      }
      ::close(fd);
    }
  }
};

double middle(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

DuetSpec duet_of(const DuetSide& a, const DuetSide& b) {
  DuetSpec spec;
  spec.baseline = a;
  spec.others = {b};
  spec.load.kind = LoadKind::echo;
  spec.load.connections = 1;
  spec.slice = std::chrono::milliseconds(2);
  spec.pairs = 40;
  spec.warmup = std::chrono::milliseconds(10);
  return spec;
}

TEST(Duet, AServerThatWastesTimeCostsMoreAndTheOrderDoesNotMatter) {
  SCOPED_TRACE("the ratio is upside down, or mixes up the slices of the two servers");
  const EchoProcess lean(0), wasteful(20'000);
  for (const bool wasteful_is_b : {true, false}) {
    const auto result = wasteful_is_b ? run_duet(duet_of(lean.side(), wasteful.side()))
                                      : run_duet(duet_of(wasteful.side(), lean.side()));
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->errors, 0u) << result->note;
    const auto& comparison = result->comparisons.front();
    ASSERT_EQ(comparison.cpu_ratios.size(), 40u);
    ASSERT_EQ(comparison.baseline.size(), 40u);
    // 20,000 square roots are some 100 us; an echo is about 10.
    if (wasteful_is_b) {
      EXPECT_GT(middle(comparison.cpu_ratios), 1.5);
    } else {
      EXPECT_LT(middle(comparison.cpu_ratios), 1 / 1.5);
    }
  }
}

TEST(Duet, RoundRobinComparesEachWithTheBaselineNextToIt) {
  SCOPED_TRACE("with three servers at once a ratio belongs to another server than the one it is filed under");
  const EchoProcess lean(0), same(0), wasteful(20'000);
  auto spec = duet_of(lean.side(), same.side());
  spec.others.push_back(wasteful.side());
  const auto result = run_duet(spec);
  ASSERT_TRUE(result) << result.error();
  ASSERT_EQ(result->comparisons.size(), 2u);
  EXPECT_GT(middle(result->comparisons[1].cpu_ratios), 1.5 * middle(result->comparisons[0].cpu_ratios));
  for (const auto& comparison : result->comparisons) EXPECT_EQ(comparison.rate_ratios.size(), 40u);
  EXPECT_GT(result->answered_baseline, result->comparisons[1].answered);
}

TEST(Duet, ALeadInIsPlayedAndNotCounted) {
  SCOPED_TRACE("what a server does in the first milliseconds after a stop is in its figures, or makes slices longer");
  const EchoProcess one(0), other(0);
  auto spec = duet_of(one.side(), other.side());
  spec.pairs = 20;
  spec.lead_in = std::chrono::milliseconds(6);  // three times the slice
  const auto result = run_duet(spec);
  ASSERT_TRUE(result) << result.error();
  const auto& slices = result->comparisons.front().other;
  ASSERT_EQ(slices.size(), 20u);
  std::uint64_t counted = 0;
  std::vector<double> lengths;
  for (const auto& slice : slices) {
    counted += slice.requests;
    lengths.push_back(slice.seconds);
  }
  EXPECT_LT(middle(lengths), 0.005);  // of 2 ms each
  EXPECT_GT(result->comparisons.front().answered, 2 * counted);
}

TEST(Duet, AnOpenLoopAsksBothSidesEquallyOften) {
  SCOPED_TRACE("at a fixed rate the slower server is asked less often, so that cost per request means nothing");
  const EchoProcess lean(0), wasteful(20'000);
  auto spec = duet_of(lean.side(), wasteful.side());
  spec.load.arrivals = Arrivals::open;
  spec.load.rate_per_s = 2000;
  spec.slice = std::chrono::milliseconds(5);
  const auto result = run_duet(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->errors, 0u) << result->note;
  const auto& comparison = result->comparisons.front();
  // Ten fall due in each slice, at 0, 0.5, ..., 4.5 ms, however long an answer takes.
  for (const auto& slice : comparison.baseline) EXPECT_EQ(slice.requests, 10u);
  for (const auto& slice : comparison.other) EXPECT_EQ(slice.requests, 10u);
  // A slice ends with its last answer: a server that spins would else be charged for a wait of ours.
  std::vector<double> lengths;
  for (const auto& slice : comparison.baseline) lengths.push_back(slice.seconds);
  EXPECT_LT(middle(lengths), 0.02);
  EXPECT_GT(middle(comparison.cpu_ratios), 1.5);

  spec.load.rate_per_s = 200;
  const auto empty = run_duet(spec);
  ASSERT_FALSE(empty);
  EXPECT_NE(empty.error().find("slices longer"), std::string::npos) << empty.error();
}

TEST(Duet, OfAServerWithoutAProcessOnlyTheRateIsCompared) {
  SCOPED_TRACE("a broker on another machine is given a CPU time that nobody measured");
  const EchoProcess ours(0), elsewhere(20'000);
  const auto result = run_duet(duet_of(ours.side(), {elsewhere.address, 0, false}));
  ASSERT_TRUE(result) << result.error();
  EXPECT_TRUE(result->comparisons.front().cpu_ratios.empty());
  EXPECT_LT(middle(result->comparisons.front().rate_ratios), 1);
}

TEST(Duet, APausedServerIsContinuedAtTheEnd) {
  SCOPED_TRACE("a duet leaves servers stopped, and whoever started them waits for ever");
  const EchoProcess a(0), b(0);
  const auto result = run_duet(duet_of(a.side(true), b.side(true)));
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->errors, 0u) << result->note;
  for (const auto& server : {&a, &b}) {
    LoadSpec spec;
    spec.kind = LoadKind::echo;
    spec.target = server->address;
    spec.connections = 1;
    spec.warmup = std::chrono::milliseconds(0);
    spec.measure = std::chrono::milliseconds(10);
    const auto load = run_load(spec);
    ASSERT_TRUE(load) << load.error();
    EXPECT_GT(load->requests, 0u);
  }
}

// As the kernel shows it: R runs, S sleeps, T is stopped.
char state_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const auto bracket = stat.rfind(')');
  return bracket == std::string::npos ? '?' : stat.at(bracket + 2);
}

// A process that waits for a CPU is told of the signal when it has one.
bool is_stopped_soon(pid_t process) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(800);  // a duet waits for 1 s
  while (state_of(process) != 'T') {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Duet, AServerThatSpinsIsStoppedDuringTheSlicesOfTheOther) {
  SCOPED_TRACE("a server that never sleeps takes CPU in the slices of the other, which is charged with the wait");
  const EchoProcess spinning(0, true);
  std::atomic<int> alone = 0;
  std::atomic<int> beside_it = 0;
  TinyServer other([&](int connection, std::span<const std::byte> bytes) {
    if (beside_it == 0) ++(is_stopped_soon(spinning.pid) ? alone : beside_it);
    return TinyServer::echo(connection, bytes);
  });
  const auto result = run_duet(duet_of(spinning.side(true), {other.address(), 0, false}));
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->errors, 0u) << result->note;
  EXPECT_EQ(beside_it, 0) << "it ran while the other was asked";
  EXPECT_GE(alone, 40);  // at least one request in each slice
  EXPECT_NE(state_of(spinning.pid), 'T') << "it is left stopped";
}

TEST(Duet, ASideThatIsSilentOrGoneIsNamed) {
  SCOPED_TRACE("a server that died gives a ratio of nothing");
  const EchoProcess a(0);
  std::atomic<int> answers = 0;
  TinyServer silent([&](int connection, std::span<const std::byte> bytes) {
    return answers++ == 0 ? TinyServer::echo(connection, bytes) : Reaction{};
  });
  const auto result = run_duet(duet_of(a.side(), {silent.address(), ::getpid(), false}));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("no answer"), std::string::npos) << result.error();

  answers = 0;
  TinyServer closing([&](int connection, std::span<const std::byte> bytes) {
    auto reaction = TinyServer::echo(connection, bytes);
    reaction.close = answers++ > 0;
    return reaction;
  });
  auto spec = duet_of(a.side(), {closing.address(), ::getpid(), false});
  const auto closed = run_duet(spec);
  ASSERT_FALSE(closed);
  // Which of the two it is depends on whether our next request reached the socket before it was closed.
  EXPECT_TRUE(closed.error().find("closed") != std::string::npos || closed.error().find("reset") != std::string::npos)
      << closed.error();
}

TEST(Duet, AProcessThatDoesNotExistIsNamed) {
  SCOPED_TRACE("the CPU clock of nobody is read as zero");
  const EchoProcess a(0), b(0);
  auto spec = duet_of(a.side(), b.side());
  spec.others.front().pid = ::fork();
  if (spec.others.front().pid == 0) ::_exit(0);
  ::waitpid(spec.others.front().pid, nullptr, 0);
  const auto result = run_duet(spec);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("CPU clock"), std::string::npos) << result.error();
}

}  // namespace
}  // namespace iolab::clients
