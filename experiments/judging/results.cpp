#include "experiments/judging/results.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {

bool is_system_call(std::string_view call) {
  return !call.starts_with("aio_") && call != "thread_create";
}

double count_of(const TrialRecord& trial, const std::string& count) {
  const auto found = trial.server.counts.find(count);
  return found == trial.server.counts.end() ? 0 : static_cast<double>(found->second);
}

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

double server_requests(const TrialRecord& trial) {
  const auto counted = trial.server.counts.find("requests");
  // The server's own count was read at the same moments as its CPU clock; the client's window is a wake-up apart.
  return static_cast<double>(counted != trial.server.counts.end() ? counted->second : trial.load.requests);
}

double system_calls(const TrialRecord& trial) {
  double sum = 0;
  for (const auto& [call, number] : trial.server.calls) {
    if (is_system_call(call)) sum += static_cast<double>(number);
  }
  return sum;
}

double share(double part, double whole) {
  return whole > 0 ? part / whole : kNothing;
}

double load_metric(const TrialRecord& trial, const Metric& metric) {
  const auto& load = trial.load;
  if (metric.fraction > 0) return static_cast<double>(load.latency_ns.percentile(metric.fraction)) / 1000;
  if (metric.id == "latency_max_us") return static_cast<double>(load.latency_ns.max()) / 1000;
  if (metric.id == "requests_per_s") return load.requests_per_s;
  if (metric.id == "records_per_s") return share(static_cast<double>(load.records), load.duration_s);
  if (metric.id == "bytes_per_s") return share(static_cast<double>(load.payload_bytes), load.duration_s);
  if (metric.id == "client_cpu_share") return load.cpu_share;
  if (metric.id == "client_cpu_us_per_request") {
    return share((load.cpu_user_s + load.cpu_system_s) * 1e6, static_cast<double>(load.requests));
  }
  return kNothing;
}

double server_metric(const TrialRecord& trial, std::string_view id) {
  const auto& server = trial.server;
  const double requests = server_requests(trial);
  const auto longer = static_cast<double>(server.switches_requests);
  constexpr double kMiB = 1 << 20;
  if (id == "server_cpu_us_per_request") return share(server.cpu_s * 1e6, requests);
  if (id == "server_cpu_us_per_record") return share(server.cpu_s * 1e6, static_cast<double>(trial.load.records));
  // The kernel samples the split every 10 ms: without either there was no sample.
  if (server.user_s + server.system_s > 0) {
    if (id == "server_user_us_per_request") return share(server.user_s * 1e6, requests);
    if (id == "server_system_us_per_request") return share(server.system_s * 1e6, requests);
  }
  if (id == "syscalls_per_request") return share(system_calls(trial), requests);
  if (id == "wake_ups_per_request") return share(count_of(trial, "wake_ups"), requests);
  if (id == "would_block_per_request") return share(count_of(trial, "would_block"), requests);
  if (id == "copied_bytes_per_request") {
    return share(count_of(trial, "bytes_received") + count_of(trial, "bytes_sent"), requests);
  }
  if (id == "voluntary_switches_per_request") return share(static_cast<double>(server.voluntary_switches), longer);
  if (id == "involuntary_switches_per_request") return share(static_cast<double>(server.involuntary_switches), longer);
  if (id == "threads") return server.threads;
  if (id == "rss_mib") return static_cast<double>(server.rss_bytes) / kMiB;
  if (id == "pss_mib") return server.pss_bytes > 0 ? static_cast<double>(server.pss_bytes) / kMiB : kNothing;
  if (id == "server_cpu_share") return share(server.cpu_s, trial.load.duration_s);
  return kNothing;
}

}  // namespace

std::string_view name(Quality quality) {
  static constexpr std::array<std::string_view, 5> kNames{"ok", "preview", "too few", "none", "not ours"};
  return kNames[static_cast<std::size_t>(quality)];
}

std::string_view name(CellStatus status) {
  static constexpr std::array<std::string_view, 4> kNames{"ok", "partial", "failed", "not-run"};
  return kNames[static_cast<std::size_t>(status)];
}

std::optional<double> Cell::median_of(std::string_view metric) const {
  const auto found = metrics.find(metric);
  return found == metrics.end() ? std::nullopt : found->second.value;
}

Results::Results(const RunData& data, const Words& words) : data_(data), words_(words) {
  const auto& plan = data.plan;
  for (const auto& trial : data.trials) {
    if (!trial.ok) ++failed_;
    if (trial.ok && trial.model.empty()) {
      ceiling_by_block_[{trial.block, trial.session}] = trial.load.requests_per_s;
    }
  }
  for (std::size_t level = 0; level < data.spec.levels.size(); ++level) {
    for (std::size_t series = 0; series < plan.series.size(); ++series) {
      Cell cell;
      cell.id = cell_id(plan.series[series], data.spec.levels[level]);
      cell.series = series;
      cell.level = level;
      fill(cell);
      cells_.push_back(std::move(cell));
    }
  }
  for (Cell& cell : cells_) mark(cell);
}

const Cell& Results::cell(std::size_t series, std::size_t level) const {
  return cells_[level * data_.plan.series.size() + series];
}

const Cell* Results::find_cell(std::string_view id) const {
  const auto found = std::ranges::find(cells_, id, &Cell::id);
  return found == cells_.end() ? nullptr : &*found;
}

std::optional<std::size_t> Results::find_series(std::string_view id) const {
  const auto found = std::ranges::find(data_.plan.series, id, &Series::id);
  if (found == data_.plan.series.end()) return std::nullopt;
  return static_cast<std::size_t>(found - data_.plan.series.begin());
}

std::vector<const Metric*> Results::told_metrics() const {
  std::vector<const Metric*> told;
  const auto tells = [&](const Metric& metric) {
    return std::ranges::any_of(data_.trials,
                               [&](const TrialRecord& trial) { return trial.probe.contains(std::string(metric.id)); });
  };
  for (const auto& metric : metrics()) {
    if (data_.spec.probe.empty() || tells(metric)) told.push_back(&metric);
  }
  for (const auto& metric : probe_metrics()) {
    if (tells(metric)) told.push_back(&metric);
  }
  return told;
}

std::optional<double> Results::metric_of(const TrialRecord& trial, std::string_view id) const {
  const Metric* metric = find_metric(id);
  if (metric == nullptr) return std::nullopt;
  if (const auto figure = trial.probe.find(std::string(id)); figure != trial.probe.end()) return figure->second;
  double value = load_metric(trial, *metric);
  const bool is_ours = !trial.model.empty() && trial.model != kTargetModel;
  if (is_ours && std::isnan(value)) value = server_metric(trial, id);
  if (id == "steal_share" && !trial.model.empty()) value = trial.machine.steal_share;
  if (id == "ceiling_share" && !trial.model.empty()) {
    const auto ceiling = ceiling_by_block_.find({trial.block, trial.session});
    value = ceiling == ceiling_by_block_.end() ? kNothing : share(trial.load.requests_per_s, ceiling->second);
  }
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

void Results::fill(Cell& cell) const {
  std::size_t planned = 0;
  for (const auto& trial : data_.plan.trials) planned += trial.series == cell.series && trial.level == cell.level;
  std::size_t failed = 0;
  for (const auto& trial : data_.trials) {
    if (trial.cell != cell.id) continue;
    if (trial.ok) {
      cell.trials.push_back(&trial);
    } else {
      ++failed;
      cell.reason = trial.reason;
    }
  }
  for (const auto& entry : data_.plan.not_run) {
    if (entry.series == cell.series && entry.level == cell.level) cell.reason = entry.reason;
  }
  if (cell.trials.empty()) {
    cell.status = failed > 0 ? CellStatus::failed : CellStatus::not_run;
    if (cell.reason.empty()) cell.reason = words_.say(planned > 0 ? "cell.run_ended" : "cell.nothing_to_compare");
    return;
  }
  cell.status = cell.trials.size() < planned ? CellStatus::partial : CellStatus::ok;
  if (failed > 0) {
    cell.reason = words_.say("cell.some_failed", {{"failed", failed}, {"planned", planned}, {"reason", cell.reason}});
  }
  for (const Metric* metric : told_metrics()) fill_metric(cell, metric->id);
  std::map<std::string, std::vector<double>> calls;
  for (const auto* trial : cell.trials) {
    for (const auto& [call, number] : trial->server.calls) {
      calls[call].push_back(share(static_cast<double>(number), server_requests(*trial)));
    }
  }
  constexpr double kWorthNaming = 0.0005;
  for (auto& [call, values] : calls) {
    values.resize(cell.trials.size(), 0);  // a trial that made none of them
    if (const double value = median(values); value >= kWorthNaming) cell.calls_per_request.emplace_back(call, value);
  }
  std::ranges::stable_sort(cell.calls_per_request, std::greater{}, &std::pair<std::string, double>::second);
}

void Results::fill_metric(Cell& cell, std::string_view id) const {
  const Metric& metric = *find_metric(id);
  MetricValue result;
  std::vector<double> present;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (const auto* trial : cell.trials) {
    const auto value = metric_of(*trial, id);
    result.values.push_back(value.value_or(kNothing));
    if (value) present.push_back(*value);
    fewest = std::min(fewest, trial->load.latency_ns.count());
  }
  if (!present.empty() && metric.fraction > 0 && !enough_for_percentile(fewest, metric.fraction)) {
    result.quality = Quality::too_few;
    result.values.assign(cell.trials.size(), kNothing);
  } else if (!present.empty()) {
    result.value = median(present);
    const auto interval = median_interval(present);
    if (interval && !metric.exact) {
      result.low = interval->low;
      result.high = interval->high;
    }
    result.quality = metric.exact || interval ? Quality::ok : Quality::preview;
  } else if (data_.plan.series[cell.series].role == Role::target && !cell.trials.empty()) {
    result.quality = Quality::not_ours;
  }
  cell.metrics.emplace(id, std::move(result));
}

std::vector<double> Results::block_ratios(std::size_t series, std::size_t other, std::size_t level,
                                          std::string_view metric) const {
  const Metric* asked = find_metric(metric);
  std::map<BlockPart, Pair> blocks;
  const auto collect = [&](std::size_t from, double Pair::* where) {
    for (const auto* trial : cell(from, level).trials) {
      const bool percentile = asked != nullptr && asked->fraction > 0;
      if (percentile && !enough_for_percentile(trial->load.latency_ns.count(), asked->fraction)) continue;
      const BlockPart part{trial->block, trial->session};
      auto& pair = blocks.try_emplace(part, Pair{kNothing, kNothing}).first->second;
      pair.*where = metric_of(*trial, metric).value_or(kNothing);
    }
  };
  collect(series, &Pair::value);
  collect(other, &Pair::baseline);
  std::vector<Pair> pairs;
  for (const auto& [part, pair] : blocks) pairs.push_back(pair);
  return ratios(pairs);
}

std::optional<double> Results::noise(std::string_view metric) const {
  const auto first = baseline();
  const auto second = find_series(again_id(data_.spec.baseline));
  if (!first || !second) return std::nullopt;
  std::vector<double> all;
  for (std::size_t level = 0; level < data_.spec.levels.size(); ++level) {
    const auto some = block_ratios(*second, *first, level, metric);
    all.insert(all.end(), some.begin(), some.end());
  }
  return all.size() < kFewestBlocks ? std::nullopt : noise_floor(all);
}

std::optional<double> Results::noise(std::string_view metric, std::size_t level) const {
  const auto first = baseline();
  const auto second = find_series(again_id(data_.spec.baseline));
  if (!first || !second) return std::nullopt;
  constexpr std::size_t kEnoughAlone = 6;
  const auto here = block_ratios(*second, *first, level, metric);
  return here.size() >= kEnoughAlone ? noise_floor(here) : noise(metric);
}

}  // namespace iolab::lab
