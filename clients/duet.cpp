#include "clients/duet.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

#include "clients/load_run.h"
#include "clients/load_worker.h"

namespace iolab::clients {
namespace {

constexpr Nanoseconds kPatience = kSecond;

// One of the two: its connections, its CPU clock, and whether it is being held still.
class Side {
 public:
  static std::expected<std::unique_ptr<Side>, std::string> open(const DuetSide& side, LoadSpec load) {
    load.target = side.target;
    load.arrivals = Arrivals::closed;
    load.threads = 1;
    if (auto problem = problem_of(load); !problem.empty()) return std::unexpected(problem);
    clockid_t clock{};
    if (const int error = ::clock_getcpuclockid(side.pid, &clock); error != 0) {
      return std::unexpected(
          fmt::format("cannot read the CPU clock of process {}: {}", side.pid, std::strerror(error)));
    }
    auto script = make_script(load);
    if (!script) return std::unexpected(script.error());
    std::unique_ptr<Side> opened(new Side(side, std::move(load), std::move(*script), clock));
    if (auto connected = opened->worker_.open({}); !connected) return std::unexpected(connected.error());
    if (const int served = opened->worker_.active_served(); served < opened->load_.connections) {
      return std::unexpected(fmt::format("{}:{} serves {} of {} connections: {}", side.target.host, side.target.port,
                                         served, opened->load_.connections, opened->worker_.tally().note));
    }
    opened->hold();
    return opened;
  }
  ~Side() { let_go(); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  std::expected<DuetSlice, std::string> slice(Nanoseconds length) {
    let_go();
    const Nanoseconds cpu_before = read_clock(cpu_clock_);
    const auto done = worker_.slice(length, kPatience);
    const Nanoseconds cpu_after = read_clock(cpu_clock_);
    hold();
    const auto named = [&](std::string_view what) {
      return std::unexpected(
          fmt::format("{}:{} (process {}): {}", side_.target.host, side_.target.port, side_.pid, what));
    };
    if (!done) return named(done.error());
    if (done->requests == 0) return named(worker_.tally().note.empty() ? "nothing answered" : worker_.tally().note);
    const auto seconds = [](Nanoseconds ns) { return static_cast<double>(ns) / kSecond; };
    return DuetSlice{done->requests, seconds(done->ns), seconds(cpu_after - cpu_before)};
  }

  const LoadTally& tally() { return worker_.tally(); }

 private:
  Side(const DuetSide& side, LoadSpec load, std::unique_ptr<Script> script, clockid_t clock)
      : side_(side),
        load_(std::move(load)),
        script_(std::move(script)),
        cpu_clock_(clock),
        worker_(load_, *script_, {0, load_.connections, load_.idle_connections, false}) {}

  void hold() {
    if (side_.pause) ::kill(side_.pid, SIGSTOP);
  }
  void let_go() {
    if (side_.pause) ::kill(side_.pid, SIGCONT);
  }

  const DuetSide side_;
  const LoadSpec load_;
  const std::unique_ptr<Script> script_;
  const clockid_t cpu_clock_;
  LoadWorker worker_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// The order-statistic interval of the median: between the k-th smallest and the k-th largest value, with the largest k
// that keeps the chance of missing it under 5 % (the count below the median is binomial). Below six values there is
// none of 95 %; then it is from the smallest to the largest.
std::pair<double, double> median_interval(std::vector<double> values) {
  std::ranges::sort(values);
  const auto n = values.size();
  const double count = static_cast<double>(n);
  std::size_t k = 0;
  double missed_below = 0;
  for (;; ++k) {
    const double i = static_cast<double>(k);
    missed_below +=
        std::exp(std::lgamma(count + 1) - std::lgamma(i + 1) - std::lgamma(count - i + 1) - count * std::log(2.0));
    if (missed_below > 0.025 || 2 * (k + 1) > n) break;
  }
  const auto rank = k == 0 ? 0 : k - 1;
  return {values[rank], values[n - 1 - rank]};
}

}  // namespace

std::expected<DuetResult, std::string> run_duet(const DuetSpec& spec) {
  if (spec.pairs < 1) return std::unexpected("a duet needs at least one pair of slices");
  auto a = Side::open(spec.a, spec.load);
  if (!a) return std::unexpected(a.error());
  auto b = Side::open(spec.b, spec.load);
  if (!b) return std::unexpected(b.error());
  for (auto* side : {a->get(), b->get()}) {
    const auto warm = side->slice(std::chrono::nanoseconds(spec.warmup).count());
    if (!warm) return std::unexpected(warm.error());
  }
  DuetResult result;
  const Nanoseconds length = std::chrono::nanoseconds(spec.slice).count();
  for (int i = 0; i < spec.pairs; ++i) {  // A B, B A, A B, ...
    const bool a_first = i % 2 == 0;
    auto first = (a_first ? *a : *b)->slice(length);
    if (!first) return std::unexpected(first.error());
    auto second = (a_first ? *b : *a)->slice(length);
    if (!second) return std::unexpected(second.error());
    if (!a_first) std::swap(first, second);
    result.a.push_back(*first);
    result.b.push_back(*second);
    const auto cpu = [](const DuetSlice& slice) { return slice.server_cpu_s / static_cast<double>(slice.requests); };
    const auto rate = [](const DuetSlice& slice) { return static_cast<double>(slice.requests) / slice.seconds; };
    result.cpu_ratios.push_back(cpu(*second) / cpu(*first));
    result.rate_ratios.push_back(rate(*second) / rate(*first));
  }
  result.cpu_ratio = median(result.cpu_ratios);
  result.rate_ratio = median(result.rate_ratios);
  std::tie(result.cpu_ratio_low, result.cpu_ratio_high) = median_interval(result.cpu_ratios);
  result.answered_a = (*a)->tally().requests;
  result.answered_b = (*b)->tally().requests;
  for (auto* side : {a->get(), b->get()}) {
    for (const auto count : side->tally().errors) result.errors += count;
    if (result.note.empty()) result.note = side->tally().note;
  }
  return result;
}

}  // namespace iolab::clients
