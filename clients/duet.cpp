#include "clients/duet.h"

#include <fmt/format.h>
#include <signal.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "clients/load_run.h"
#include "clients/load_worker.h"

namespace iolab::clients {
namespace {

constexpr Nanoseconds kPatience = kSecond;

// One of them: its connections, its CPU clock, and whether it is being held still.
class Side {
 public:
  static std::expected<std::unique_ptr<Side>, std::string> open(const DuetSide& side, LoadSpec load) {
    load.target = side.target;
    load.threads = 1;
    if (auto problem = clients::problem_of(load); !problem.empty()) return std::unexpected(problem);
    clockid_t clock{};
    if (const int error = side.pid == 0 ? 0 : ::clock_getcpuclockid(side.pid, &clock); error != 0) {
      return std::unexpected(
          fmt::format("cannot read the CPU clock of process {}: {}", side.pid, std::strerror(error)));
    }
    auto script = make_script(load);
    if (!script) return std::unexpected(script.error());
    std::unique_ptr<Side> opened(new Side(side, std::move(load), std::move(*script), clock));
    if (auto connected = opened->worker_->open({}); !connected) return std::unexpected(connected.error());
    if (const int served = opened->worker_->active_served(); served < opened->load_.connections) {
      return std::unexpected(fmt::format("{}:{} serves {} of {} connections: {}", side.target.host, side.target.port,
                                         served, opened->load_.connections, opened->worker_->tally().note));
    }
    opened->hold();
    return opened;
  }
  ~Side() { let_go(); }
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  std::expected<DuetSlice, std::string> slice(Nanoseconds lead_in, Nanoseconds length) {
    let_go();
    std::expected<LoadWorker::Slice, std::string> done;
    if (lead_in > 0) done = worker_->slice(lead_in, kPatience);
    const Nanoseconds cpu_before = has_clock() ? read_clock(cpu_clock_) : 0;
    if (done) done = worker_->slice(length, kPatience);
    const Nanoseconds cpu_after = has_clock() ? read_clock(cpu_clock_) : 0;
    hold();
    const auto named = [&](std::string_view what) {
      return std::unexpected(
          has_clock() ? fmt::format("{}:{} (process {}): {}", side_.target.host, side_.target.port, side_.pid, what)
                      : fmt::format("{}:{}: {}", side_.target.host, side_.target.port, what));
    };
    if (!done) return named(done.error());
    if (done->requests == 0) return named(worker_->tally().note.empty() ? "nothing answered" : worker_->tally().note);
    const auto seconds = [](Nanoseconds ns) { return static_cast<double>(ns) / kSecond; };
    return DuetSlice{done->requests, seconds(done->ns), seconds(cpu_after - cpu_before)};
  }

  bool has_clock() const { return side_.pid != 0; }

  // Its connections are closed, and what was acknowledged has to be in the log: a server that only says so costs
  // little.
  LoadTally finish() {
    LoadTally tally = std::move(worker_->tally());
    worker_.reset();
    let_go();
    LoadResult end;
    end.acknowledged_records = tally.acknowledged_records;
    script_->check_at_end(end, tally.lost_requests);
    // It has something to say only if the log is not as it should be, or could not be asked.
    if (!end.note.empty()) tally.count_error(LoadError::wrong_offset, end.note);
    return tally;
  }

 private:
  Side(const DuetSide& side, LoadSpec load, std::unique_ptr<Script> script, clockid_t clock)
      : side_(side),
        load_(std::move(load)),
        script_(std::move(script)),
        cpu_clock_(clock),
        worker_(std::in_place, load_, *script_,
                WorkerShare{0, load_.connections, load_.idle_connections, load_.stalled_connections, false}) {}

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
  std::optional<LoadWorker> worker_;
};

double cpu_per_request(const DuetSlice& slice) {
  return slice.server_cpu_s / static_cast<double>(slice.requests);
}

double rate(const DuetSlice& slice) {
  return static_cast<double>(slice.requests) / slice.seconds;
}

// What cannot give a ratio; empty if nothing is wrong.
std::string problem_of(const DuetSpec& spec) {
  if (spec.pairs < 1) return "a duet needs at least one pair of slices";
  if (spec.others.empty()) return "a duet needs somebody to compare with";
  const double seconds = std::chrono::duration<double>(spec.slice).count();
  constexpr double kFewest = 2;  // requests in a slice
  if (spec.load.arrivals == Arrivals::open && spec.load.rate_per_s * seconds < kFewest) {
    return fmt::format("at {} requests/s a slice of {} us holds fewer than {}: make the slices longer",
                       spec.load.rate_per_s, spec.slice.count(), kFewest);
  }
  return {};
}

// One pair of adjacent slices.
std::expected<void, std::string> play(Side& baseline, Side& other, bool baseline_first, const DuetSpec& spec,
                                      DuetComparison& comparison) {
  const Nanoseconds lead_in = std::chrono::nanoseconds(spec.lead_in).count();
  const Nanoseconds length = std::chrono::nanoseconds(spec.slice).count();
  auto first = (baseline_first ? baseline : other).slice(lead_in, length);
  if (!first) return std::unexpected(first.error());
  auto second = (baseline_first ? other : baseline).slice(lead_in, length);
  if (!second) return std::unexpected(second.error());
  if (!baseline_first) std::swap(first, second);
  comparison.baseline.push_back(*first);
  comparison.other.push_back(*second);
  comparison.rate_ratios.push_back(rate(*second) / rate(*first));
  if (baseline.has_clock() && other.has_clock()) {
    comparison.cpu_ratios.push_back(cpu_per_request(*second) / cpu_per_request(*first));
  }
  return {};
}

}  // namespace

std::expected<DuetResult, std::string> run_duet(const DuetSpec& spec) {
  if (auto problem = problem_of(spec); !problem.empty()) return std::unexpected(problem);
  std::vector<std::unique_ptr<Side>> sides;  // the baseline first
  for (std::size_t i = 0; i <= spec.others.size(); ++i) {
    auto side = Side::open(i == 0 ? spec.baseline : spec.others[i - 1], spec.load);
    if (!side) return std::unexpected(side.error());
    sides.push_back(std::move(*side));
  }
  for (auto& side : sides) {
    const auto warm = side->slice(0, std::chrono::nanoseconds(spec.warmup).count());
    if (!warm) return std::unexpected(warm.error());
  }
  DuetResult result;
  result.comparisons.resize(spec.others.size());
  for (int i = 0; i < spec.pairs; ++i) {
    for (std::size_t other = 0; other < spec.others.size(); ++other) {
      auto played = play(*sides[0], *sides[other + 1], i % 2 == 0, spec, result.comparisons[other]);
      if (!played) return std::unexpected(played.error());
    }
  }
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const LoadTally tally = sides[i]->finish();
    (i == 0 ? result.answered_baseline : result.comparisons[i - 1].answered) = tally.requests;
    for (const auto count : tally.errors) result.errors += count;
    if (result.note.empty()) result.note = tally.note;
  }
  return result;
}

}  // namespace iolab::clients
