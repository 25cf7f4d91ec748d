// The layer's counts against the kernel's, for every row of the registry: the real broker under the real load. A
// failure here means that a report's exact figures are not exact, and names the call.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "clients/load.h"
#include "experiments/machine/kernel_calls.h"
#include "experiments/machine/process.h"
#include "experiments/run/load_json.h"
#include "io_models/registry.h"
#include "nlohmann/json.hpp"
#include "tests/io_models/required_models.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = ChildProcess::Clock;

std::vector<std::string> socket_models() {
  std::vector<std::string> ids;
  for (const auto& model : io::models()) {
    if (model.listeners != io::Listeners::none) ids.emplace_back(model.id);
  }
  return ids;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

class ExactCounts : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto& model = *std::ranges::find(io::models(), GetParam(), &io::ModelEntry::id);
    if (const auto why = model.unavailable(); !why.empty()) {
      if (io::must_run_here(model.id)) FAIL() << why;
      GTEST_SKIP() << why;
    }
    spins_ = std::ranges::find(model.features, "never-sleeps") != model.features.end();
    std::string pattern = fs::temp_directory_path() / "iolab-counts-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    server_.emplace(started({IOLAB_BINARY, "broker", "--model", GetParam(), "--listeners", "PLAINTEXT://127.0.0.1:0",
                             "--log-dirs", directory_ + "/data", "--counters", directory_ + "/counters"}));
    const auto line = server_->read_line(Clock::now() + 10s).value_or("");
    ASSERT_TRUE(line.starts_with("listening ")) << line;
    port_ = static_cast<std::uint16_t>(std::atoi(line.c_str() + line.rfind(':') + 1));
    page_.emplace(io::CounterPageView::open(directory_ + "/counters").value());
  }
  void TearDown() override {
    server_.reset();
    if (!directory_.empty()) fs::remove_all(directory_);
  }

  static ChildProcess started(std::vector<std::string> arguments) {
    return ChildProcess::start({.arguments = std::move(arguments), .quiet_stderr = true}).value();
  }

  ChildProcess started_load() const {
    clients::LoadSpec spec;
    spec.target = {"127.0.0.1", port_};
    spec.connections = 4;
    spec.warmup = 0ms;
    spec.measure = 300ms;
    auto load = started({IOLAB_BINARY, "load", "--spec", "-"});
    load.write(to_json(spec).dump() + "\n");
    return load;
  }

  // Both counts at a moment of rest. A server that is never at rest is stopped for a look at it.
  CallSnapshot look(const KernelCalls& kernel) const {
    if (spins_) kill(server_->pid(), SIGSTOP);
    KernelCounts seen = kernel.counts_at_rest();
    CallSnapshot snapshot{layer_counts(page_->page()), std::move(seen)};
    if (spins_) kill(server_->pid(), SIGCONT);
    return snapshot;
  }

  bool spins_ = false;
  std::string directory_;
  std::uint16_t port_ = 0;
  std::optional<ChildProcess> server_;
  std::optional<io::CounterPageView> page_;
};

TEST_P(ExactCounts, TheLayerCountsWhatTheKernelSees) {
  SCOPED_TRACE("a call is made past the layer, or counted without being made");
  auto load = started_load();
  const auto ready = load.read_line(Clock::now() + 20s).value_or("");
  ASSERT_TRUE(ready.starts_with("ready 4")) << ready;
  auto kernel = KernelCalls::watch(server_->pid());
  if (!kernel) {
    ASSERT_NE(geteuid(), 0u) << kernel.error();  // as root there is no excuse
    GTEST_SKIP() << kernel.error();
  }
  const CallSnapshot before = look(*kernel);
  load.write("go\n");
  std::string line;
  while (!line.starts_with("answered")) {
    const auto next = load.read_line(Clock::now() + 20s);
    ASSERT_TRUE(next) << next.error();
    line = *next;
  }
  const CallSnapshot after = look(*kernel);
  EXPECT_EQ(kernel->lost(), 0u) << "the kernel's own record has gaps";

  const auto comparison = compare_calls(before, after, layer_threads(page_->page()));
  std::uint64_t requests = 0;
  for (const auto& [thread, totals] : after.layer) requests += totals[io::Count::requests];
  std::string table =
      fmt::format("{}: {} requests\n  {:20} {:>9} {:>9}\n", GetParam(), requests, "call", "layer", "kernel");
  for (const auto& call : comparison.compared) {
    table += fmt::format("  {:20} {:>9} {:>9}\n", call.call, call.layer, call.kernel);
  }
  for (const auto& other : comparison.others) {
    table += fmt::format("  not the layer's: {} x {} in {}\n", other.count, other.call, other.thread);
  }
  fmt::print("{}", table);
  EXPECT_GT(requests, 1000u);
  constexpr double kTolerance = 0.001;
  EXPECT_TRUE(comparison.agrees(kTolerance)) << table;
}

INSTANTIATE_TEST_SUITE_P(Models, ExactCounts, testing::ValuesIn(socket_models()), test_name);

// --- the comparison itself ------------------------------------------------------------------------------------------

CallSnapshot snapshot(std::uint64_t layer_recv, std::uint64_t kernel_recv, std::uint64_t uncounted) {
  CallSnapshot result;
  result.layer[7].calls[static_cast<std::size_t>(io::Call::recv)] = layer_recv;
  result.kernel[{7, SYS_recvfrom}] = kernel_recv;
  if (uncounted > 0) result.kernel[{7, SYS_getsockopt}] = uncounted;
  return result;
}

TEST(CallComparisonTest, AnUncountedCallIsNamed) {
  SCOPED_TRACE("a call that the layer forgot passes for exact");
  const CallSnapshot start = snapshot(0, 0, 0);
  EXPECT_TRUE(compare_calls(start, snapshot(5000, 5000, 0), {}).agrees(0.001));
  EXPECT_FALSE(compare_calls(start, snapshot(5000, 5006, 0), {}).agrees(0.001));
  EXPECT_FALSE(compare_calls(start, snapshot(5006, 5000, 0), {}).agrees(0.001));
  const auto missing = compare_calls(start, snapshot(0, 5000, 0), {});
  EXPECT_FALSE(missing.agrees(0.001)) << "known to the layer, made past it";

  const auto strange = compare_calls(start, snapshot(5000, 5000, 3), {{7, "serve 0"}});
  ASSERT_EQ(strange.others.size(), 1u);
  EXPECT_EQ(strange.others[0].call, "getsockopt");
  EXPECT_EQ(strange.others[0].thread, "serve 0");
  EXPECT_EQ(strange.others[0].count, 3u);
}

TEST(CallComparisonTest, WhatALibraryDoesInItsOwnThreadsIsListed) {
  SCOPED_TRACE("glibc's hidden threads are counted as the model's own, or vanish");
  const CallSnapshot start = snapshot(0, 0, 0);
  CallSnapshot end = snapshot(100, 100, 0);
  end.kernel[{8, SYS_recvfrom}] = 50;
  end.kernel[{7, SYS_futex}] = 9;
  end.layer[7].calls[static_cast<std::size_t>(io::Call::futex_wake)] = 4;
  const auto comparison = compare_calls(start, end, {{8, "helper"}});
  EXPECT_TRUE(comparison.agrees(0.001));
  ASSERT_EQ(comparison.others.size(), 2u);
  EXPECT_EQ(comparison.others[0].thread, "helper");
  EXPECT_EQ(comparison.others[0].count, 50u);
  EXPECT_EQ(comparison.others[1].call, "futex");
  EXPECT_EQ(comparison.others[1].count, 5u) << "of nine the layer made four";
}

}  // namespace
}  // namespace iolab::lab
