#include "experiments/judging/run_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/spec/metrics.h"
#include "experiments/statistics/rank_sum.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;
constexpr double kIgnoreBelow = 0.05;  // where the spec judges nothing

// What two specs must have alike for their cells to be the same work. The rest may differ: how often a cell was
// repeated, which models and which values of an axis were run, what was asked and what was to be shown.
// Sorted by key: a flag that says what a file leaves out changes only the order.
nlohmann::json work_of(const Spec& spec) {
  auto work = nlohmann::json::parse(spec.text);
  for (const auto* key : {"$schema", "name", "question", "background", "expected", "refuted_by", "models", "watch",
                          "focus", "exclude", "limits", "judge"}) {
    work.erase(key);
  }
  work["timing"].erase("repeat");
  auto axes = nlohmann::json::array();
  for (const auto& [path, values] : work["matrix"].items()) axes.push_back(path);
  work["matrix"] = axes;
  return work;
}

std::vector<std::string> different_keys(const nlohmann::json& before, const nlohmann::json& after) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : before.items()) {
    if (!after.contains(key) || after[key] != value) keys.push_back(key);
  }
  for (const auto& [key, value] : after.items()) {
    if (!before.contains(key)) keys.push_back(key);
  }
  return keys;
}

// What differs between the sessions of one run, of those things that make it one run: machine and binary.
std::vector<std::string> changed_inside(const RunData& data) {
  std::vector<std::string> labels;
  for (const auto& label : {recorded("group.machine"), std::string(kBinaryPrint)}) {
    std::set<std::string> values;
    for (const auto& trial : data.trials) {
      if (trial.session < 0 || static_cast<std::size_t>(trial.session) >= data.sessions.size()) continue;
      const auto& fingerprint = data.sessions[static_cast<std::size_t>(trial.session)].fingerprint;
      if (const auto found = fingerprint.find(label); found != fingerprint.end()) values.insert(found->second);
    }
    if (values.size() > 1) labels.push_back(label);
  }
  return labels;
}

std::vector<std::string> why_no_verdicts(const RunData& before, const RunData& after) {
  std::vector<std::string> reasons;
  if (const auto keys = different_keys(work_of(before.spec), work_of(after.spec)); !keys.empty()) {
    reasons.push_back(fmt::format("the specs ask for different work: they differ in {}", listed(keys)));
  }
  if (before.machine != after.machine || before.machine.empty()) {
    reasons.push_back(fmt::format("the machines differ: {}; {}", before.machine, after.machine));
  }
  for (const auto* run : {&before, &after}) {
    if (const auto labels = changed_inside(*run); !labels.empty()) {
      reasons.push_back(fmt::format("the sessions of {} are no one thing: they differ in {}", run->id, listed(labels)));
    }
  }
  return reasons;
}

std::vector<std::string> notes_on(const RunData& before, const RunData& after) {
  std::vector<std::string> notes{
      "The two runs were made at different times, not interleaved: what changed on the machine in between is in every "
      "ratio. Only what exceeds the floor is called clear."};
  if (before.sessions.empty() || after.sessions.empty()) return notes;
  auto first = before.sessions.front().fingerprint;
  auto second = after.sessions.front().fingerprint;
  for (auto* fingerprint : {&first, &second}) {
    // Another binary is what is compared; a machine that differs has been said; a restart alone changes no hardware.
    for (const auto& label :
         {std::string(kBinaryPrint), recorded("group.machine"), recorded("fact.kernel"), recorded("session.boot")}) {
      fingerprint->erase(label);
    }
  }
  for (const auto& change : changes(first, second)) notes.push_back(fmt::format("Not the same: {}.", change));
  return notes;
}

bool depends_on_speed(const Metric& metric) {
  return !metric.exact && metric.id != "rss_mib" && metric.id != "pss_mib";
}

std::optional<double> ceiling_at(const Results& results, const std::string& level) {
  const auto series = results.find_series("ceiling");
  const auto& levels = results.data().spec.levels;
  const auto found = std::ranges::find(levels, level, &Level::id);
  if (!series || found == levels.end()) return std::nullopt;
  return results.cell(*series, static_cast<std::size_t>(found - levels.begin())).median_of("requests_per_s");
}

double distance(double ratio) {
  return std::max(ratio, 1 / ratio) - 1;
}

// How far the baseline was from itself inside one run, at this level; nothing if too few blocks say so.
std::optional<double> noise_at(const Results& results, const Cell& cell, std::string_view metric, double ignore_below,
                               double confidence) {
  const auto first = results.baseline();
  const auto second = results.find_series(again_id(results.data().spec.baseline));
  if (!first || !second) return std::nullopt;
  const auto reach = reach_of(results.block_ratios(*second, *first, cell.level, metric), confidence);
  return reach ? std::optional(std::max(*reach, ignore_below)) : std::nullopt;
}

class Comparer {
 public:
  Comparer(const Results& before, const Results& after)
      : before_(before),
        after_(after),
        ignore_below_(before.data().spec.judge ? before.data().spec.judge->ignore_below : kIgnoreBelow),
        confidence_(before.data().spec.judge ? before.data().spec.judge->confidence : 0.95) {}

  CellPair pair(const Cell& first, const Cell& second, const Metric& metric, bool may_judge) const {
    CellPair pair{.cell = first.id,
                  .metric = std::string(metric.id),
                  .before = first.median_of(metric.id),
                  .after = second.median_of(metric.id),
                  .verdict = {.of = first.id, .because = {}},
                  .floor = {}};
    Verdict& verdict = pair.verdict;
    const bool divisible = pair.before && pair.after && *pair.before > 0 && *pair.after > 0;
    verdict.ratio = divisible ? *pair.after / *pair.before : std::numeric_limits<double>::quiet_NaN();
    verdict.because = measure(verdict, values_of(first, metric), values_of(second, metric));
    if (!may_judge) {
      verdict.interval.reset();
      verdict.because = "the runs cannot be judged";
    }
    if (!verdict.because.empty()) return pair;
    pair.floor = floor(first, second, metric);
    if (!pair.floor) verdict.because = "how large no difference is between these runs is not known";
    return pair;
  }

  double confidence() const { return confidence_; }

 private:
  static std::vector<double> values_of(const Cell& cell, const Metric& metric) {
    const auto found = cell.metrics.find(metric.id);
    std::vector<double> values = found == cell.metrics.end() ? std::vector<double>{} : found->second.values;
    std::erase_if(values, [](double value) { return !std::isfinite(value); });
    return values;
  }

  // Empty, or why there is nothing to judge.
  std::string measure(Verdict& verdict, const std::vector<double>& first, const std::vector<double>& second) const {
    const auto is_positive = [](double value) { return value > 0; };
    if (first.empty() || second.empty()) return "not measured in both";
    if (!std::ranges::all_of(first, is_positive) || !std::ranges::all_of(second, is_positive)) {
      return "a value of 0 makes no ratio";
    }
    const auto groups = compare_groups(first, second, confidence_);
    verdict.ratio = groups->ratio;
    verdict.interval = groups->interval;
    verdict.p = groups->p;
    constexpr std::size_t kFewestTrials = 6;
    if (std::min(first.size(), second.size()) < kFewestTrials) verdict.interval.reset();
    if (verdict.interval) return {};
    return fmt::format("{} and {} trials are too few for an interval", first.size(), second.size());
  }

  std::optional<double> floor(const Cell& first, const Cell& second, const Metric& metric) const {
    const auto a = noise_at(before_, first, metric.id, ignore_below_, confidence_);
    const auto b = noise_at(after_, second, metric.id, ignore_below_, confidence_);
    if (!a || !b) return std::nullopt;
    const double noise = std::max(*a, *b);
    if (!depends_on_speed(metric)) return noise;
    const auto& level = before_.data().spec.levels[first.level].id;
    const auto ceiling_before = ceiling_at(before_, level);
    const auto ceiling_after = ceiling_at(after_, level);
    if (!ceiling_before || !ceiling_after) return std::nullopt;
    return std::max(noise, distance(*ceiling_after / *ceiling_before));
  }

  const Results& before_;
  const Results& after_;
  const double ignore_below_;
  const double confidence_;
};

const Cell* find_cell(const Results& results, const std::string& id) {
  const auto found = std::ranges::find(results.cells(), id, &Cell::id);
  return found == results.cells().end() || found->trials.empty() ? nullptr : &*found;
}

// All that are judged at once: the more there are, the more is asked of each.
void give_words(std::vector<CellPair>& cells, double confidence) {
  std::vector<double> p;
  for (const auto& pair : cells) {
    if (pair.floor) p.push_back(pair.verdict.p);
  }
  const auto adjusted = holm(p);
  std::size_t at = 0;
  for (auto& [cell, metric, before, after, verdict, floor] : cells) {
    if (!floor) continue;
    verdict.p_holm = adjusted[at++];
    verdict.word = word_for(verdict, *floor, confidence);
  }
}

}  // namespace

RunComparison compare_runs(const Results& before, const Results& after, const std::vector<std::string>& metrics,
                           const std::function<bool(const std::string& cell)>& wanted) {
  RunComparison comparison{.why_no_verdicts = why_no_verdicts(before.data(), after.data()),
                           .notes = notes_on(before.data(), after.data()),
                           .cells = {},
                           .only_before = {},
                           .only_after = {}};
  const Comparer comparer(before, after);
  const auto counts = [&](const Results& results, const Cell& cell) {
    return !cell.trials.empty() && results.data().plan.series[cell.series].role == Role::model &&
           (!wanted || wanted(cell.id));
  };
  std::vector<std::pair<const Cell*, const Cell*>> common;
  for (const auto& cell : before.cells()) {
    if (!counts(before, cell)) continue;
    const Cell* other = find_cell(after, cell.id);
    if (other == nullptr) {
      comparison.only_before.push_back(cell.id);
    } else {
      common.emplace_back(&cell, other);
    }
  }
  for (const auto& cell : after.cells()) {
    if (counts(after, cell) && find_cell(before, cell.id) == nullptr) comparison.only_after.push_back(cell.id);
  }
  for (const auto& id : metrics) {
    for (const auto& [first, second] : common) {
      comparison.cells.push_back(comparer.pair(*first, *second, *find_metric(id), comparison.why_no_verdicts.empty()));
    }
  }
  give_words(comparison.cells, comparer.confidence());
  return comparison;
}

std::string_view news(Word word, std::string_view metric) {
  const auto better = better_when(metric);
  const bool more = word == Word::clearly_more || word == Word::probably_more;
  const bool less = word == Word::clearly_less || word == Word::probably_less;
  if (!better || (!more && !less)) return "";
  return more == (*better == Better::higher) ? "better" : "worse";
}

std::expected<FailIf, std::string> parse_fail_if(std::string_view text) {
  const auto wrong = [&](const std::string& why) {
    return std::unexpected(fmt::format("--fail-if \"{}\": {}", text, why));
  };
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("write METRIC:+PERCENT, for example latency_p99_us:+5%");
  const std::string metric(text.substr(0, colon));
  auto limit = text.substr(colon + 1);
  if (find_metric(metric) == nullptr) {
    return wrong(fmt::format("there is no metric \"{}\": {}", metric, nearest_or_all(metric, metric_ids())));
  }
  const auto better = better_when(metric);
  if (!better) return wrong(fmt::format("{} is neither better nor worse when it changes", metric));
  const char worse = *better == Better::lower ? '+' : '-';
  if (limit.empty() || limit.front() != worse) {
    return wrong(fmt::format("{} gets worse when it {}: write {}:{}5%", metric, worse == '+' ? "grows" : "falls",
                             metric, worse));
  }
  limit.remove_prefix(1);
  const auto share = parse_percent(limit);
  if (!share) return wrong(share.error());
  if (worse == '-' && *share >= 1) return wrong("nothing falls by 100 % or more");
  return FailIf{metric, worse == '+' ? 1 + *share : 1 - *share};
}

bool fails(const CellPair& pair, const FailIf& rule) {
  if (pair.metric != rule.metric || !pair.verdict.interval) return false;
  const auto& interval = *pair.verdict.interval;
  if (rule.factor >= 1) return pair.verdict.word == Word::clearly_more && interval.low > rule.factor;
  return pair.verdict.word == Word::clearly_less && interval.high < rule.factor;
}

}  // namespace iolab::lab
