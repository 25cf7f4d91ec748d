// The layer's counts against strace's, for those who may not watch tracepoints: slower by far, so for fewer requests,
// and for the calls that nobody but the layer makes often. As root one model shows that this judge works; the exact
// one is exact_counts_test.cpp.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "clients/load.h"
#include "experiments/machine/process.h"
#include "experiments/run/load_json.h"
#include "io_models/counters.h"
#include "io_models/registry.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = ChildProcess::Clock;
using io::Call;

std::vector<std::string> judged_models() {
  std::vector<std::string> ids;
  for (const auto& model : io::models()) {
    const bool one_is_enough = geteuid() == 0;
    if (model.listeners == io::Listeners::none || (one_is_enough && model.id != "epoll")) continue;
    ids.emplace_back(model.id);
  }
  return ids;
}

std::string name_of_test(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

// A call that was still going on when another thread made one stands in two lines: the first begins it.
std::map<std::string, std::uint64_t> begun_calls(const std::string& file) {
  std::map<std::string, std::uint64_t> calls;
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string thread;
    std::string call;
    words >> thread >> call;
    const auto bracket = call.find('(');
    if (bracket != std::string::npos && !call.starts_with("<...")) ++calls[call.substr(0, bracket)];
  }
  return calls;
}

class CountsByStrace : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto& model = *std::ranges::find(io::models(), GetParam(), &io::ModelEntry::id);
    if (const auto why = model.unavailable(); !why.empty()) GTEST_SKIP() << why;
    std::string pattern = fs::temp_directory_path() / "iolab-strace-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    auto traced =
        ChildProcess::start({.arguments = {"strace", "-f", "-qq", "-o", directory_ + "/calls", IOLAB_BINARY, "broker",
                                           "--model", GetParam(), "--listeners", "PLAINTEXT://127.0.0.1:0",
                                           "--log-dirs", directory_ + "/data", "--counters", directory_ + "/counters"},
                             .stderr_file = directory_ + "/stderr"});
    if (!traced) GTEST_SKIP() << traced.error();
    strace_.emplace(std::move(*traced));
    const auto line = strace_->read_line(Clock::now() + 20s).value_or("");
    if (!line.starts_with("listening ")) GTEST_SKIP() << "strace may not trace here, or is not installed";
    port_ = static_cast<std::uint16_t>(std::atoi(line.c_str() + line.rfind(':') + 1));
    std::ifstream(fmt::format("/proc/{0}/task/{0}/children", strace_->pid())) >> server_;
    ASSERT_GT(server_, 0);
  }
  void TearDown() override {
    if (server_ > 0) kill(server_, SIGKILL);
    strace_.reset();
    if (!directory_.empty()) fs::remove_all(directory_);
  }

  void load_and_stop() {
    clients::LoadSpec spec;
    spec.target = {"127.0.0.1", port_};
    spec.connections = 4;
    spec.warmup = 0ms;
    spec.measure = 1s;
    auto load = ChildProcess::start({.arguments = {IOLAB_BINARY, "load", "--spec", "-"}, .quiet_stderr = true}).value();
    load.write(to_json(spec).dump() + "\n");
    const auto ready = load.read_line(Clock::now() + 20s).value_or("");
    ASSERT_TRUE(ready.starts_with("ready 4")) << ready;
    load.write("go\nclose\n");
    for (std::string line; !line.starts_with("result");) {
      const auto next = load.read_line(Clock::now() + 20s);
      ASSERT_TRUE(next) << next.error();
      line = *next;
    }
    ASSERT_EQ(kill(server_, SIGTERM), 0);
    ASSERT_TRUE(strace_->wait(Clock::now() + 20s)) << "the traced server did not stop";
    server_ = 0;
  }

  std::string directory_;
  std::uint16_t port_ = 0;
  pid_t server_ = 0;
  std::optional<ChildProcess> strace_;
};

TEST_P(CountsByStrace, TheLayerCountsWhatStraceSees) {
  SCOPED_TRACE("a call is made past the layer, or counted without being made, and nobody without root sees it");
  const auto page = io::CounterPageView::open(directory_ + "/counters");
  ASSERT_TRUE(page) << page.error();
  load_and_stop();
  const auto layer = page->totals();
  auto seen = begun_calls(directory_ + "/calls");
  EXPECT_GT(layer[io::Count::requests], 100u);
  const std::vector<std::pair<Call, std::vector<std::string>>> same{
      {Call::accept4, {"accept4"}},
      {Call::recv, {"recvfrom"}},
      {Call::send, {"sendto"}},
      {Call::select, {"select", "pselect6"}},
      {Call::poll, {"poll", "ppoll"}},
      {Call::epoll_wait, {"epoll_wait", "epoll_pwait"}},
      {Call::rt_sigtimedwait, {"rt_sigtimedwait"}},
      {Call::io_uring_enter, {"io_uring_enter"}},
  };
  constexpr double kStartAndStop = 4;  // waits of main(), and answers to nobody, which the layer has no part in
  constexpr double kTolerance = 0.001;
  for (const auto& [call, names] : same) {
    std::uint64_t kernel = 0;
    for (const auto& name : names) kernel += seen[name];
    EXPECT_NEAR(static_cast<double>(layer[call]), static_cast<double>(kernel),
                kStartAndStop + kTolerance * static_cast<double>(kernel))
        << names.front();
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CountsByStrace, testing::ValuesIn(judged_models()), name_of_test);

}  // namespace
}  // namespace iolab::lab
