#include "clients/load.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <latch>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "clients/load_run.h"
#include "clients/load_worker.h"

namespace iolab::clients {
namespace {

std::string first_problem(const LoadSpec& spec) {
  using std::chrono::milliseconds;
  const std::pair<bool, const char*> problems[] = {
      {spec.target.port == 0, "the target has no port"},
      {spec.connections < 1, "connections must be 1 or more"},
      {spec.idle_connections < 0, "idle_connections cannot be negative"},
      {spec.stalled_connections < 0 || spec.stalled_connections > spec.idle_connections,
       "stalled_connections must be some of the idle ones"},
      {spec.in_flight < 1 || spec.in_flight > 10'000, "in_flight must lie between 1 and 10000"},
      {spec.threads < 1 || spec.threads > 256, "threads must lie between 1 and 256"},
      {spec.message_bytes < 1 || spec.message_bytes > 64 << 20, "message_bytes must lie between 1 and 64 MiB"},
      {spec.partitions < 1, "partitions must be 1 or more"},
      {spec.records_per_batch < 1, "records_per_batch must be 1 or more"},
      {spec.acks != 1 && spec.acks != -1, "acks must be 1 or -1 (all): without an answer there is nothing to measure"},
      {spec.arrivals == Arrivals::open && !(spec.rate_per_s > 0), "an open loop needs rate_per_s above 0"},
      {spec.measure <= milliseconds(0) || spec.warmup < milliseconds(0), "measure must be longer than 0"},
      {spec.kind == LoadKind::fetch && (spec.fetch_max_bytes < 1 || spec.fetch_max_bytes > 128 << 20),
       "fetch_max_bytes must lie between 1 and 128 MiB"},
  };
  for (const auto& [wrong, what] : problems) {
    if (wrong) return fmt::format("this load makes no sense: {}", what);
  }
  return {};
}

std::string allow_files(int needed) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto wanted = static_cast<rlim_t>(needed);
  if (limit.rlim_cur >= wanted) return {};
  if (limit.rlim_max < wanted) {
    return fmt::format(
        "this load needs {} open files and the hard limit is {}: ask for fewer connections, or raise it "
        "(ulimit -Hn)",
        needed, limit.rlim_max);
  }
  limit.rlim_cur = wanted;
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::string() : "the limit of open files cannot be raised";
}

// Connections dealt out evenly; the first workers take what is left over.
std::vector<std::unique_ptr<LoadWorker>> make_workers(const LoadSpec& spec, const Script& script) {
  std::vector<std::unique_ptr<LoadWorker>> workers;
  const int threads = std::min(spec.threads, spec.connections);
  for (int i = 0, first = 0; i < threads; ++i) {
    const auto part = [&](int of) { return of / threads + (i < of % threads ? 1 : 0); };
    const WorkerShare share{first, part(spec.connections), part(spec.idle_connections),
                            std::min(part(spec.idle_connections), part(spec.stalled_connections)), i == 0};
    workers.push_back(std::make_unique<LoadWorker>(spec, script, share));
    first += share.connections;
  }
  return workers;
}

// A run in the making: workers that open, wait for each other, and run.
struct Run {
  const LoadSpec& spec;
  const LoadEvents& events;
  std::vector<std::unique_ptr<LoadWorker>> workers;
  std::vector<std::string> failures;  // of opening, one for each worker
  Course course;
  std::latch opened;
  std::latch go{1};
  bool cancelled = false;  // written before `go`

  Run(const LoadSpec& s, const LoadEvents& e, const Script& script)
      : spec(s),
        events(e),
        workers(make_workers(s, script)),
        failures(workers.size()),
        opened(static_cast<std::ptrdiff_t>(workers.size())) {}

  void open(std::size_t i) {
    ::prctl(PR_SET_TIMERSLACK, 1UL);  // an open loop's sleeps end when they should, not 50 us later
    if (auto open = workers[i]->open(events.stop); !open) failures[i] = open.error();
    opened.count_down();
  }
  void work(std::size_t i) {
    open(i);
    go.wait();
    if (!cancelled) workers[i]->run(course, events);
  }
};

LoadResult summarise(const Run& run) {
  LoadResult result;
  LoadTally all;
  double busiest_s = 0;
  for (const auto& worker : run.workers) {
    const auto& tally = worker->tally();
    all.merge(tally);
    busiest_s = std::max(busiest_s, tally.cpu.user_s + tally.cpu.system_s);
    result.connections_served += worker->active_served();
    result.idle_connections_served += worker->idle_served();
    result.connect_ns = std::max(result.connect_ns, static_cast<std::uint64_t>(worker->open_ns()));
  }
  result.requests = all.requests;
  result.records = all.records;
  result.payload_bytes = all.payload_bytes;
  result.early = all.early;
  result.late = all.late;
  result.unsent = all.unsent;
  result.held_back = all.held_back;
  result.latency_ns = std::move(all.latency_ns);
  result.send_delay_ns = std::move(all.send_delay_ns);
  result.errors = all.errors;
  result.note = all.note;
  result.cpu_user_s = all.cpu.user_s;
  result.cpu_system_s = all.cpu.system_s;
  if (run.spec.kind == LoadKind::produce) result.acknowledged_records = all.acknowledged_records;

  const auto& window = run.course.window;
  const Nanoseconds start = window.start, middle = window.middle, end = window.end;
  if (start == kNever || end <= start) return result;
  const auto seconds = [](Nanoseconds ns) { return static_cast<double>(ns) / kSecond; };
  const auto rate = [&](std::uint64_t count, Nanoseconds ns) {
    return ns <= 0 ? 0 : static_cast<double>(count) / seconds(ns);
  };
  result.duration_s = seconds(end - start);
  result.requests_per_s = rate(result.requests, end - start);
  result.first_half_per_s = rate(all.first_half, std::min(middle, end) - start);
  result.second_half_per_s = rate(result.requests - all.first_half, end - middle);
  result.cpu_share = busiest_s / result.duration_s;
  if (run.spec.arrivals == Arrivals::open) {
    const auto punctual = result.send_delay_ns.count_up_to(kMillisecond);
    result.client_kept_up = static_cast<double>(punctual) >= 0.99 * static_cast<double>(result.send_delay_ns.count());
    result.overloaded = result.requests_per_s < 0.99 * run.spec.rate_per_s;
  }
  return result;
}

}  // namespace

std::string_view name(LoadError error) {
  constexpr std::array<std::string_view, kLoadErrors> kNames{"refused",      "never_served", "closed_by_server",
                                                             "unanswered",   "broker_error", "wrong_answer",
                                                             "wrong_offset", "wrong_bytes"};
  return kNames[static_cast<std::size_t>(error)];
}

std::string_view name(LoadKind kind) {
  constexpr std::array<std::string_view, 3> kNames{"echo", "produce", "fetch"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view name(Arrivals arrivals) {
  return arrivals == Arrivals::open ? "open" : "closed";
}

std::uint64_t LoadResult::errors_total() const {
  return std::accumulate(errors.begin(), errors.end(), std::uint64_t{0});
}

std::string problem_of(const LoadSpec& spec) {
  constexpr int kOtherFiles = 64;
  auto problem = first_problem(spec);
  return problem.empty() ? allow_files(spec.connections + spec.idle_connections + kOtherFiles) : problem;
}

std::expected<LoadResult, std::string> run_load(const LoadSpec& spec, const LoadEvents& events) {
  if (auto problem = problem_of(spec); !problem.empty()) return std::unexpected(problem);
  const auto script = make_script(spec);
  if (!script) return std::unexpected(script.error());
  return run_script(spec, **script, events);
}

std::expected<LoadResult, std::string> run_script(const LoadSpec& spec, const Script& script,
                                                  const LoadEvents& events) {
  Run run(spec, events, script);
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < run.workers.size(); ++i) threads.emplace_back([&run, i] { run.work(i); });
  run.open(0);
  run.opened.wait();

  const auto at_ready = summarise(run);
  const auto failure = std::ranges::find_if(run.failures, [](const auto& text) { return !text.empty(); });
  std::string problem = failure == run.failures.end() ? std::string() : *failure;
  if (problem.empty() && at_ready.connections_served == 0 && !events.stop.stop_requested()) {
    problem = fmt::format(
        "{}:{} serves none of {} connections ({}): is a server listening there, and may it accept them?",
        spec.target.host, spec.target.port, spec.connections, at_ready.note.empty() ? "no answer" : at_ready.note);
  }
  run.cancelled = !problem.empty() || events.stop.stop_requested() || (events.on_ready && !events.on_ready(at_ready));
  run.course.begin = monotonic_ns();
  run.course.connections = at_ready.connections_served;
  run.course.connections_alive = at_ready.connections_served;
  run.go.count_down();
  if (!run.cancelled) run.workers[0]->run(run.course, events);
  threads.clear();
  if (!problem.empty()) return std::unexpected(problem);

  if (!run.cancelled && events.on_answered) events.on_answered();
  auto result = summarise(run);
  std::uint64_t lost_requests = 0;
  for (const auto& worker : run.workers) lost_requests += worker->tally().lost_requests;
  run.workers.clear();  // a server that holds few connections has room again for the one that checks
  if (!run.cancelled) script.check_at_end(result, lost_requests);
  return result;
}

MadeScript make_script(const LoadSpec& spec) {
  switch (spec.kind) {
    case LoadKind::echo: return echo_script(spec);
    case LoadKind::produce: return produce_script(spec);
    case LoadKind::fetch: break;
  }
  return fetch_script(spec);
}

}  // namespace iolab::clients
