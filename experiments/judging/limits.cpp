#include "experiments/judging/limits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "experiments/machine/ceiling_kernels.h"
#include "experiments/machine/models.h"

namespace iolab::lab {
namespace {

double number_of(const std::map<std::string, std::uint64_t>& counted, const std::string& what) {
  const auto found = counted.find(what);
  return found == counted.end() ? 0 : static_cast<double>(found->second);
}

double requests_of(const TrialRecord& trial) {
  const auto counted = number_of(trial.server.counts, "requests");
  return counted > 0 ? counted : static_cast<double>(trial.load.requests);
}

// Bytes that a produce load had appended to logs by pwrite(), for each such call. The log writes each batch once.
struct Appends {
  double calls = 0;
  double bytes = 0;
};
Appends appends_of(const TrialRecord& trial, const Level& level) {
  const double calls = number_of(trial.server.calls, "pwrite");
  if (level.workload.kind != "produce" || calls <= 0) return {};
  return {calls, static_cast<double>(trial.load.payload_bytes)};
}

// Threads that may sleep side by side: all but the two that are the same for every model.
double sleepers(const TrialRecord& trial) {
  constexpr int kTimerAndFlusher = 2;
  return std::max(1, trial.server.threads - kTimerAndFlusher);
}

double sleeps_per_request(const TrialRecord& trial) {
  const auto requests = static_cast<double>(trial.server.switches_requests);
  return requests > 0 ? static_cast<double>(trial.server.voluntary_switches) / requests : 0;
}

Share share_of(const std::vector<double>& values) {
  Share share{.value = median(values), .low = {}, .high = {}};
  if (const auto interval = median_interval(values)) {
    share.low = interval->low;
    share.high = interval->high;
  }
  return share;
}

double median_of(const std::vector<RateLimit>& limits, double RateLimit::* member) {
  std::vector<double> values;
  for (const auto& limit : limits) values.push_back(limit.*member);
  return median(values);
}

// What "reached" and "most" of a limit are counted in.
constexpr std::array kUnits{
    std::pair<std::string_view, std::string_view>{"server-cpu", "CPU s/s"},
    std::pair<std::string_view, std::string_view>{"client-cpu", "CPU s/s"},
    std::pair<std::string_view, std::string_view>{"client", "requests/s"},
    std::pair<std::string_view, std::string_view>{"asked", "requests/s"},
    std::pair<std::string_view, std::string_view>{"loopback", "MB/s"},
    std::pair<std::string_view, std::string_view>{"append", "MB/s"},
    std::pair<std::string_view, std::string_view>{"fdatasync", "syncs/s"},
    std::pair<std::string_view, std::string_view>{"wake-up", "wake-ups/s"},
};

void add_cost(const Results& results, const Cell& cell, Closeness& close) {
  const auto& level = results.data().spec.levels[cell.level];
  std::vector<double> shares;
  std::vector<double> least;
  std::vector<double> measured;
  std::map<std::string_view, std::vector<double>> parts;
  for (const auto* trial : cell.trials) {
    const auto cpu = results.metric_of(*trial, "server_cpu_us_per_request");
    const auto costs = least_cost(*trial, level, nearest_ceilings(results.data(), *trial));
    if (!cpu || *cpu <= 0 || costs.empty()) continue;
    double sum = 0;
    for (const auto& part : costs) {
      sum += part.us;
      parts[part.id].push_back(part.us);
    }
    shares.push_back(sum / *cpu);
    least.push_back(sum);
    measured.push_back(*cpu);
  }
  if (shares.empty()) return;
  close.of_cost = share_of(shares);
  close.least_us = median(least);
  close.measured_us = median(measured);
  double largest = 0;
  for (const auto& [id, us] : parts) {
    if (median(us) < largest) continue;
    largest = median(us);
    close.largest_part = id;
  }
}

void add_limit(const Results& results, const Cell& cell, Closeness& close) {
  const auto& level = results.data().spec.levels[cell.level];
  std::map<std::string_view, std::vector<RateLimit>> limits;
  for (const auto* trial : cell.trials) {
    std::optional<double> client;
    if (const auto share = results.metric_of(*trial, "ceiling_share"); share && *share > 0) {
      client = trial->load.requests_per_s / *share;
    }
    for (const auto& limit : rate_limits(*trial, level, nearest_ceilings(results.data(), *trial), client)) {
      limits[limit.id].push_back(limit);
    }
  }
  // Who spins uses up its CPU whether there is work or not: no sign of a limit.
  const auto& data = results.data();
  if (spins(data.models, data.plan.series[cell.series].model)) limits.erase("server-cpu");
  for (const auto& [id, over_trials] : limits) {
    std::vector<double> shares;
    for (const auto& limit : over_trials) shares.push_back(limit.share());
    const Share share = share_of(shares);
    if (share.value <= close.of_limit.value) continue;
    close.binding = id;
    close.of_limit = share;
    close.reached = median_of(over_trials, &RateLimit::reached);
    close.most = median_of(over_trials, &RateLimit::most);
  }
}

}  // namespace

std::vector<CostPart> least_cost(const TrialRecord& trial, const Level& level, const std::vector<Ceiling>& ceilings) {
  std::vector<CostPart> parts;
  const double requests = requests_of(trial);
  if (requests <= 0) return parts;
  const Ceiling* entry = find_ceiling(ceilings, "null_syscall");
  const double entry_us = entry != nullptr ? entry->best() / 1000 : 0;
  double calls = 0;
  for (const auto& [call, number] : trial.server.calls) {
    if (is_system_call(call)) calls += static_cast<double>(number);
  }
  // A call that blocks, fails or finds nothing has entered the kernel once, too.
  if (entry != nullptr) parts.push_back({"calls", calls * entry_us / requests});

  const Appends appends = appends_of(trial, level);
  const Ceiling* append = find_ceiling(ceilings, "append");
  // A block of 16 KiB costs an entry, a part for the call and a part for each byte. Of smaller writes each byte costs
  // at least as much; of larger ones it may cost less, so for these only the copy is certain.
  const bool small = appends.bytes <= appends.calls * static_cast<double>(kAppendBytes);
  const bool priced = append != nullptr && small && appends.bytes > 0;
  const auto kAppend = static_cast<double>(kAppendBytes);
  double copied = number_of(trial.server.counts, "bytes_received") + number_of(trial.server.counts, "bytes_sent");
  if (!priced) copied += appends.bytes;
  // Sent and received bytes cross the border of the kernel once; no copy is cheaper than one inside the cache.
  const Ceiling* copy = find_ceiling(ceilings, "memcpy_cached");
  if (copy != nullptr) parts.push_back({"copies", copied / copy->best() / requests});  // 1 MB/s is 1 byte/us

  // Whoever sleeps gives the CPU away once.
  const Ceiling* away = find_ceiling(ceilings, "switch");
  if (away != nullptr) parts.push_back({"sleeps", sleeps_per_request(trial) * away->best()});
  if (priced) {
    const double block_us = std::max(0.0, kAppend / append->best() - entry_us);  // the entry is counted above
    parts.push_back({"appends", appends.bytes / kAppend * block_us / requests});
  }
  return parts;
}

std::vector<RateLimit> rate_limits(const TrialRecord& trial, const Level& level, const std::vector<Ceiling>& ceilings,
                                   std::optional<double> client_ceiling_per_s) {
  std::vector<RateLimit> limits;
  const double window_s = trial.load.duration_s;
  if (window_s <= 0) return limits;
  const auto add = [&](std::string_view id, double reached, double most) {
    if (reached > 0 && most > 0 && std::isfinite(most)) limits.push_back({id, reached, most});
  };
  add("server-cpu", trial.server.cpu_s / window_s, 1);  // it is pinned to one CPU
  if (level.workload.rate_per_s) add("asked", trial.load.requests_per_s, *level.workload.rate_per_s);
  add("client-cpu", trial.load.cpu_share, 1);
  if (client_ceiling_per_s) add("client", trial.load.requests_per_s, *client_ceiling_per_s);
  if (const Ceiling* stream = find_ceiling(ceilings, "loopback")) {
    const double one_way =
        std::max(number_of(trial.server.counts, "bytes_received"), number_of(trial.server.counts, "bytes_sent"));
    add("loopback", one_way / window_s / 1e6, stream->best());
  }
  const Appends appends = appends_of(trial, level);
  if (const Ceiling* append = find_ceiling(ceilings, "append")) {
    add("append", appends.bytes / window_s / 1e6, append->best());
  }
  if (const Ceiling* sync = find_ceiling(ceilings, "fdatasync")) {
    add("fdatasync", number_of(trial.server.calls, "fdatasync") / window_s, 1e6 / sync->best());
  }
  // While a thread is being woken it does nothing else: no more wake-ups fit into a second, one after the other, for
  // each thread that may sleep.
  // The yardstick may have met a busy CPU, where a wake-up waits for others: the cheaper of the two places counts then.
  const Ceiling* wake = find_ceiling(ceilings, "wake_up");
  const Ceiling* same = find_ceiling(ceilings, "wake_up_same");
  if (wake != nullptr) {
    const double least_us = same != nullptr ? std::min(wake->best(), same->best()) : wake->best();
    const double per_s = sleeps_per_request(trial) * requests_of(trial) / window_s;
    add("wake-up", per_s, sleepers(trial) * 1e6 / least_us);
  }
  return limits;
}

std::string_view unit_of(std::string_view limit) {
  const auto found = std::ranges::find(kUnits, limit, [](const auto& entry) { return entry.first; });
  return found == kUnits.end() ? std::string_view() : found->second;
}

const std::vector<Ceiling>& nearest_ceilings(const RunData& data, const TrialRecord& trial) {
  const auto number = static_cast<std::size_t>(std::max(0, trial.session));
  if (number >= data.sessions.size()) return data.ceilings_before;
  const Session& session = data.sessions[number];
  int first = trial.index;
  int last = trial.index;
  for (const auto& other : data.trials) {
    if (other.session != trial.session) continue;
    first = std::min(first, other.index);
    last = std::max(last, other.index);
  }
  const std::vector<Ceiling>* nearest = &data.ceilings_before;
  double distance = std::numeric_limits<double>::infinity();
  const auto consider = [&](const std::vector<Ceiling>& ceilings, double at) {
    if (ceilings.empty() || std::abs(at - trial.index) >= distance) return;
    distance = std::abs(at - trial.index);
    nearest = &ceilings;
  };
  constexpr double kBetween = 0.5;  // just before or after a trial
  consider(session.ceilings_before, first - kBetween);
  for (const auto& moment : session.ceilings_between) {
    consider(moment.values, moment.after_trial + kBetween + moment.after_duets);
  }
  consider(session.ceilings_after, last + kBetween + static_cast<double>(data.duets.size()));
  return *nearest;
}

Closeness closeness_of(const Results& results, const Cell& cell) {
  Closeness close;
  if (results.data().plan.series[cell.series].role == Role::ceiling) return close;
  add_cost(results, cell, close);
  add_limit(results, cell, close);
  return close;
}

}  // namespace iolab::lab
