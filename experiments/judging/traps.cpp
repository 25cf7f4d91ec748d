#include "experiments/judging/traps.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

constexpr double kOtherSpeed = 1.2;
constexpr double kDear = 3;  // cold against warm memory, the other CPU against the same

// Where a sorted list falls into two clusters: the split with the least squares within them. The share of all squares
// that is left tells two clusters from one: a normal distribution leaves 0.36, an even one 0.25.
struct Split {
  std::size_t at = 0;  // first of the upper cluster
  double left_over = 1;
};
Split best_split(std::span<const double> sorted) {
  const auto squares = [](std::span<const double> part) {
    double sum = 0;
    double of_squares = 0;
    for (const double value : part) {
      sum += value;
      of_squares += value * value;
    }
    return std::max(0.0, of_squares - sum * sum / static_cast<double>(part.size()));
  };
  Split best;
  const double all = squares(sorted);
  constexpr std::size_t kSmallest = 2;  // one value is an outlier, not a speed
  for (std::size_t at = kSmallest; at + kSmallest <= sorted.size() && all > 0; ++at) {
    const double left = (squares(sorted.first(at)) + squares(sorted.subspan(at))) / all;
    if (left < best.left_over) best = {at, left};
  }
  return best;
}

// How far all measurements of one ceiling lie apart, over the whole run.
struct Spread {
  double low = 0;
  double high = 0;
  std::size_t measured = 0;
};
Spread spread_of(const RunData& data, std::string_view id) {
  Spread spread;
  const auto add = [&](const std::vector<Ceiling>& ceilings) {
    const Ceiling* one = find_ceiling(ceilings, id);
    if (one == nullptr) return;
    spread.low = spread.measured == 0 ? one->value : std::min(spread.low, one->value);
    spread.high = std::max(spread.high, one->value);
    ++spread.measured;
  };
  for (const Session& session : data.sessions) {
    add(session.ceilings_before);
    for (const auto& moment : session.ceilings_between) add(moment.values);
    add(session.ceilings_after);
  }
  return spread;
}

void note_speeds(const Results& results, std::vector<Sentence>& notes) {
  const Words& words = results.words();
  std::vector<std::string> said;
  if (const auto speeds = two_speeds_of(results)) {
    said.push_back(words.say("trap.two_speeds", {{"ratio", ratio_text(speeds->ratio)},
                                                 {"slow", speeds->slow},
                                                 {"blocks", speeds->all},
                                                 {"changes", speeds->changes}}));
  }
  const Spread entry = spread_of(results.data(), "null_syscall");
  if (entry.measured > 1 && entry.high > kOtherSpeed * entry.low) {
    said.push_back(words.say("trap.changed", {{"low", three_digits(entry.low)}, {"high", three_digits(entry.high)}}));
  }
  if (!said.empty()) notes.push_back({"noise", words.sentences(said), {}});
}

void note_cold_memory(const Results& results, std::vector<Sentence>& notes) {
  const auto& ceilings = results.data().ceilings_before;
  const Ceiling* first = find_ceiling(ceilings, "first_touch");
  const Ceiling* second = find_ceiling(ceilings, "second_touch");
  if (first == nullptr || second == nullptr || first->value <= kDear * second->value) return;
  notes.push_back({"limit",
                   results.words().say("trap.cold_memory", {{"first", three_digits(first->value)},
                                                            {"second", three_digits(second->value)}}),
                   {}});
}

// Where one request is on its way, both ends sleep for each of them.
void note_wake_up(const Results& results, std::vector<Sentence>& notes) {
  const auto& ceilings = results.data().ceilings_before;
  const Ceiling* same = find_ceiling(ceilings, "wake_up_same");
  const Ceiling* other = find_ceiling(ceilings, "wake_up");
  if (same == nullptr || other == nullptr || other->value <= kDear * same->value) return;
  Sentence sentence{"limit", "", {}};
  for (const auto& cell : results.cells()) {
    const auto& work = results.data().spec.levels[cell.level].workload;
    const bool one = work.connections * work.in_flight == 1;
    if (one && !cell.trials.empty() && results.is_model(cell.series)) sentence.cells.push_back(cell.id);
  }
  if (sentence.cells.empty()) return;
  sentence.text =
      results.words().say("trap.wake_up", {{"other", three_digits(other->value)}, {"same", three_digits(same->value)}});
  notes.push_back(std::move(sentence));
}

// The client's share of the bill, which loopback makes larger than a network would.
void note_loopback(const Results& results, std::vector<Sentence>& notes) {
  std::vector<double> server;
  std::vector<double> client;
  std::vector<double> softirq;
  for (const auto& cell : results.cells()) {
    const auto own = cell.median_of("server_cpu_us_per_request");
    const auto other = cell.median_of("client_cpu_us_per_request");
    if (!results.is_model(cell.series) || !own || !other) continue;
    server.push_back(*own);
    client.push_back(*other);
    for (const auto* trial : cell.trials) {
      if (trial->load.requests == 0) continue;
      softirq.push_back(trial->machine.softirq_s * 1e6 / static_cast<double>(trial->load.requests));
    }
  }
  constexpr double kWorthSaying = 0.2;
  if (server.empty() || median(client) < kWorthSaying * median(server)) return;
  notes.push_back({"limit",
                   results.words().say("trap.loopback", {{"server", three_digits(median(server))},
                                                         {"client", three_digits(median(client))},
                                                         {"softirq", three_digits(median(softirq))}}),
                   {}});
}

void note_overload(const Results& results, std::vector<Sentence>& notes) {
  for (const auto& cell : results.cells()) {
    const auto asked = results.data().spec.levels[cell.level].workload.rate_per_s;
    const auto got = cell.median_of("requests_per_s");
    if (!asked || !got || std::ranges::find(cell.marks, "overloaded") == cell.marks.end()) continue;
    notes.push_back({"limit",
                     results.words().say("trap.overloaded", {{"model", results.data().plan.series[cell.series].id},
                                                             {"where", at_level(results, cell.level)},
                                                             {"got", with_thousands(*got)},
                                                             {"want", with_thousands(*asked)}}),
                     {cell.id}});
  }
}

// What the machine disturbed among these records: how many, and by what.
struct Disturbed {
  std::size_t records = 0;
  std::string flags;  // "time taken by the host in 2, other processes in 1"
};
Disturbed disturbed_of(const auto& records, const Words& words) {
  std::map<std::string, std::size_t> by_word;
  Disturbed disturbed;
  for (const auto& record : records) {
    disturbed.records += record.machine.flags.empty() ? 0 : 1;
    for (const auto& flag : record.machine.flags) ++by_word[flag.word];
  }
  std::vector<std::string> parts;
  for (const auto& [word, times] : by_word) {
    parts.push_back(words.say("note.flag_count", {{"flag", words.say("flag." + word)}, {"trials", times}}));
  }
  disturbed.flags = words.comma_parted(parts);
  return disturbed;
}

void note_flags(const Results& results, std::vector<Sentence>& notes) {
  const Words& words = results.words();
  const RunData& data = results.data();
  if (const auto trials = disturbed_of(data.trials, words); trials.records > 0) {
    Sentence sentence{"noise", "", {}};
    for (const auto& cell : results.cells()) {
      if (!cell.flags.empty()) sentence.cells.push_back(cell.id);
    }
    sentence.text = words.say("note.flagged",
                              {{"disturbed", trials.records}, {"trials", data.trials.size()}, {"flags", trials.flags}});
    notes.push_back(std::move(sentence));
  }
  if (const auto duets = disturbed_of(data.duets, words); duets.records > 0) {
    notes.push_back({"noise",
                     words.say("note.flagged_duets",
                               {{"disturbed", duets.records}, {"duets", data.duets.size()}, {"flags", duets.flags}}),
                     {}});
  }
}

void note_calm_median(const Results& results, const Cell& cell, const Metric& metric, std::vector<Sentence>& notes) {
  std::vector<double> calm;
  for (const auto* trial : cell.trials) {
    const auto value = results.metric_of(*trial, metric.id);
    if (value && trial->machine.flags.empty()) calm.push_back(*value);
  }
  const auto all = cell.median_of(metric.id);
  const auto floor = results.noise(metric.id, cell.level);
  if (calm.empty() || !all || !floor || *all <= 0 || median(calm) <= 0) return;
  const double change = *all / median(calm);
  if (std::max(change, 1 / change) <= 1 + *floor) return;
  const Words& words = results.words();
  notes.push_back({"noise",
                   words.say("note.flagged_median", {{"model", results.data().plan.series[cell.series].id},
                                                     {"where", at_level(results, cell.level)},
                                                     {"metric", metric_label(words, metric)},
                                                     {"all", metric_phrase(words, metric, *all)},
                                                     {"calm", metric_phrase(words, metric, median(calm))}}),
                   {cell.id}});
}

}  // namespace

std::optional<TwoSpeeds> two_speeds(std::span<const double> log_times) {
  constexpr std::size_t kFewest = 4;
  if (log_times.size() < kFewest) return std::nullopt;
  std::vector<double> sorted(log_times.begin(), log_times.end());
  std::ranges::sort(sorted);
  const Split split = best_split(sorted);
  constexpr double kTwoClusters = 0.2;
  if (split.left_over > kTwoClusters) return std::nullopt;
  const std::span<const double> all(sorted);
  TwoSpeeds speeds{.ratio = std::exp(median(all.subspan(split.at)) - median(all.first(split.at))),
                   .slow = sorted.size() - split.at,
                   .all = sorted.size()};
  if (speeds.ratio < kOtherSpeed) return std::nullopt;
  const double border = (sorted[split.at - 1] + sorted[split.at]) / 2;
  for (std::size_t i = 1; i < log_times.size(); ++i) {
    speeds.changes += (log_times[i] > border) != (log_times[i - 1] > border) ? 1 : 0;
  }
  // Drawn at random, slow and fast would change places 2 s (n - s) / n times.
  const auto slow = static_cast<double>(speeds.slow);
  const auto n = static_cast<double>(speeds.all);
  const double by_chance = 2 * slow * (n - slow) / n;
  if (static_cast<double>(speeds.changes) > by_chance / 2) return std::nullopt;
  return speeds;
}

std::optional<TwoSpeeds> two_speeds_of(const Results& results) {
  struct Moment {
    int first = 0;  // index of a trial: trials run in their order
    std::vector<double> values;
  };
  std::map<BlockPart, Moment> blocks;
  for (const auto& cell : results.cells()) {
    const auto usual = cell.median_of("server_cpu_us_per_request");
    if (cell.trials.size() < 2 || !usual || *usual <= 0) continue;
    for (const auto* trial : cell.trials) {
      const auto value = results.metric_of(*trial, "server_cpu_us_per_request");
      if (!value || *value <= 0) continue;
      auto& block = blocks.try_emplace({trial->block, trial->session}, Moment{trial->index, {}}).first->second;
      block.first = std::min(block.first, trial->index);
      block.values.push_back(std::log(*value / *usual));
    }
  }
  std::map<int, double> in_time;
  for (const auto& [part, block] : blocks) in_time[block.first] = median(block.values);
  std::vector<double> values;
  for (const auto& [first, value] : in_time) values.push_back(value);
  return two_speeds(values);
}

void note_traps(const Results& results, std::vector<Sentence>& notes) {
  note_speeds(results, notes);
  note_flags(results, notes);
  for (const auto& cell : results.cells()) {
    if (cell.flags.empty()) continue;
    for (const auto& id : results.data().spec.watch) note_calm_median(results, cell, *find_metric(id), notes);
  }
  note_overload(results, notes);
  note_cold_memory(results, notes);
  note_wake_up(results, notes);
  note_loopback(results, notes);
}

}  // namespace iolab::lab
