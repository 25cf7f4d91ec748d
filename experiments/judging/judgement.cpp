#include "experiments/judging/judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "experiments/judging/comparisons.h"
#include "experiments/judging/grade.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

// With as many digits as the interval allows to tell apart.
std::string judged_ratio(double ratio, const Verdict& verdict) {
  constexpr double kNarrow = 0.05;
  const double width = verdict.interval ? verdict.interval->high - verdict.interval->low : 1;
  return width < kNarrow ? fmt::format("{:.3f}", ratio) : ratio_text(ratio);
}

std::string interval_text(const Words& words, const Verdict& verdict) {
  return words.say("judged.range", {{"ratio", judged_ratio(verdict.ratio, verdict)},
                                    {"low", judged_ratio(verdict.interval->low, verdict)},
                                    {"high", judged_ratio(verdict.interval->high, verdict)}});
}

std::string word_text(const Words& words, Word word) {
  return words.say(fmt::format("word.{}", name(word)));
}

// Round ratios between two ends: fine ones where the ends are near to each other.
Json ratio_ticks(double low, double high) {
  constexpr std::array kFine{0.7, 0.8, 0.9, 0.95, 1.0, 1.05, 1.1, 1.2, 1.3};
  constexpr std::array kCoarse{0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0};
  const bool near = high / low < 1.6;
  const std::span<const double> candidates = near ? std::span<const double>(kFine) : std::span<const double>(kCoarse);
  Json ticks = Json::array();
  for (const double at : candidates) {
    if (at >= low && at <= high) ticks.push_back({{"at", at}, {"label", fmt::format("{}", at)}});
  }
  return ticks;
}

std::string one_text(const Words& words, const Verdict& verdict, bool by_duets) {
  return words.say(by_duets ? "judged.one_of_pairs" : "judged.one_of_blocks",
                   {{"model", verdict.of},
                    {"ratio", judged_ratio(verdict.ratio, verdict)},
                    {"coverage", three_digits(verdict.interval->coverage * 100)},
                    {"low", judged_ratio(verdict.interval->low, verdict)},
                    {"high", judged_ratio(verdict.interval->high, verdict)},
                    {"side", std::max(verdict.more, verdict.less)},
                    {"all", verdict.more + verdict.less}});
}

// The words that are given, the strongest first.
constexpr std::array kOrder{Word::clearly_more,  Word::clearly_less,  Word::same,
                            Word::probably_more, Word::probably_less, Word::too_close};

// All verdicts of one word in one sentence.
std::string one_word(const Results& results, const Judgement& judgement, Word word, const std::string& who) {
  const Words& words = results.words();
  const auto key = fmt::format("judged.{}", name(word));
  const Slot metric("metric", metric_label(words, *find_metric(judgement.metric)));
  const Slot baseline("baseline", results.data().spec.baseline);
  const Slot where("where", at_level(results, judgement.level));
  if (word == Word::same) {
    return words.say(key,
                     {metric, baseline, where, {"who", who}, {"floor", percent_text(judgement.floor.value_or(0))}});
  }
  return words.say(key, {metric, baseline, where, {"who", who}});
}

// Empty of what can run, and of what a filter left out because nobody asked for it.
std::string why_not_run(const Plan& plan, std::size_t level, std::size_t series) {
  const auto found = std::ranges::find_if(
      plan.not_run, [&](const NotRun& entry) { return entry.level == level && entry.series == series; });
  return found == plan.not_run.end() || found->filtered ? "" : found->reason;
}

// A run that is too noisy gives its ratios and no verdict.
void withhold(std::vector<Verdict>& verdicts, const std::string& because) {
  for (Verdict& verdict : verdicts) {
    if (verdict.word == Word::cannot_say || verdict.word == Word::not_available) continue;
    verdict.word = Word::cannot_say;
    verdict.because = because;
  }
}

}  // namespace

std::optional<Verdict> verdict_by_duets(const Results& results, const Cell& cell, const Cell& against,
                                        std::string_view metric) {
  const auto judgement = judgement_of(results);
  const bool same = judgement && judgement->by_duets && judgement->metric == metric && judgement->level == cell.level &&
                    against.level == cell.level && results.baseline() == against.series;
  if (!same) return std::nullopt;
  const auto found = std::ranges::find(judgement->verdicts, results.data().plan.series[cell.series].id, &Verdict::of);
  if (found == judgement->verdicts.end() || !found->interval) return std::nullopt;
  return *found;
}

std::vector<double> duet_ratios(const RunData& data, const std::string& series, std::string_view metric) {
  std::vector<double> ratios;
  for (const DuetRecord& duet : data.duets) {
    if (duet.series != series || !duet.ok) continue;
    const double ratio = metric == "requests_per_s" ? duet.rate_ratio : duet.cpu_ratio;
    if (std::isfinite(ratio)) ratios.push_back(ratio);  // of a broker that is not ours the CPU is not known
  }
  return ratios;
}

std::optional<Judgement> judgement_of(const Results& results) {
  const RunData& data = results.data();
  const auto level = judged_level(data.plan, data.spec);
  const auto baseline = results.baseline();
  if (!data.spec.judge || !level || !baseline) return std::nullopt;
  const Judge& rules = *data.spec.judge;
  Judgement judgement{.metric = rules.metric, .level = *level, .by_duets = judges_by_duets(rules)};
  std::vector<Comparison> comparisons;
  std::vector<Verdict> absent;
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    const Series& entry = data.plan.series[series];
    if (entry.role == Role::ceiling || series == *baseline) continue;
    auto ratios = judgement.by_duets ? duet_ratios(data, entry.id, rules.metric)
                                     : results.block_ratios(series, *baseline, *level, rules.metric);
    // A model of which nothing worked has a verdict, too: that there is none.
    const bool tried = judgement.by_duets ? std::ranges::count(data.duets, entry.id, &DuetRecord::series) > 0
                                          : std::ranges::count(data.trials, cell_id(entry, data.spec.levels[*level]),
                                                               &TrialRecord::cell) > 0;
    if (entry.role == Role::again) {
      judgement.floor = floor_of(ratios, rules.ignore_below);
      judgement.reach = reach_of(ratios, rules.confidence);
    } else if (tried) {
      comparisons.push_back({entry.id, std::move(ratios)});
    } else if (const auto why = why_not_run(data.plan, *level, series); !why.empty()) {
      absent.push_back({.of = entry.id,
                        .word = Word::not_available,
                        .ratio = std::numeric_limits<double>::quiet_NaN(),
                        .interval = {},
                        .because = why});
    }
  }
  if (comparisons.empty()) return std::nullopt;
  judgement.verdicts = judge(comparisons, judgement.floor, rules.confidence);
  const Grade grade = grade_of(results);
  if (grade.letter == 'D') withhold(judgement.verdicts, grade_text(results, grade));
  judgement.verdicts.insert(judgement.verdicts.end(), absent.begin(), absent.end());
  return judgement;
}

namespace {

// Of the models that the question names, why they differ; only of the server's CPU do counters tell.
std::vector<Sentence> causes_in_words(const Results& results, const Judgement& judgement) {
  std::vector<Sentence> sentences;
  if (!judgement.metric.starts_with("server_")) return sentences;
  const auto& focus = results.data().spec.focus;
  for (const Verdict& verdict : judgement.verdicts) {
    const bool clear = verdict.word == Word::clearly_more || verdict.word == Word::clearly_less;
    if (!clear || std::ranges::find(focus, verdict.of) == focus.end()) continue;
    const auto series = *results.find_series(verdict.of);
    const auto cause = cause_of(results, series, judgement.level, verdict.word == Word::clearly_more);
    sentences.push_back(
        {"judged",
         results.words().say("judged.cause", {{"model", verdict.of}, {"cause", cause}}),
         {results.cell(series, judgement.level).id, results.cell(*results.baseline(), judgement.level).id}});
  }
  return sentences;
}

}  // namespace

std::vector<Sentence> judgement_in_words(const Results& results, const Judgement& judgement) {
  const Words& words = results.words();
  // Those that the question names come first: they are the answer.
  const auto& focus = results.data().spec.focus;
  std::vector<Sentence> sentences;
  for (const bool asked : {true, false}) {
    for (const Word word : kOrder) {
      Sentence sentence{"judged", "", {}};
      std::vector<std::string> who;
      for (const Verdict& verdict : judgement.verdicts) {
        if (verdict.word != word || (std::ranges::count(focus, verdict.of) > 0) != asked) continue;
        who.push_back(one_text(words, verdict, judgement.by_duets));
        sentence.cells.push_back(results.cell(*results.find_series(verdict.of), judgement.level).id);
      }
      if (who.empty()) continue;
      sentence.text = one_word(results, judgement, word, words.clauses(who));
      sentences.push_back(std::move(sentence));
    }
    if (asked) std::ranges::move(causes_in_words(results, judgement), std::back_inserter(sentences));
  }
  if (!sentences.empty()) {
    sentences.push_back(
        {"noise",
         words.say(judgement.by_duets ? "judged.by_duets" : "judged.by_trials",
                   {{"baseline", results.data().spec.baseline}, {"floor", percent_text(judgement.floor.value_or(0))}}),
         {}});
  }
  return sentences;
}

std::string why_no_verdict(const Results& results) {
  // Where the baseline is farther than this from itself, a run is a preview.
  constexpr double kTooNoisy = 0.15;
  const RunData& data = results.data();
  constexpr int kFewestTrials = 6;
  if (!data.spec.judge && data.spec.timing.repeat < kFewestTrials) {
    return fmt::format("{} of each cell are too few for an interval",
                       counted(static_cast<std::uint64_t>(data.spec.timing.repeat), "trial"));
  }
  if (!data.spec.judge && data.spec.watch.empty()) return "the experiment watches no metric";
  const std::string metric = data.spec.judge ? data.spec.judge->metric : data.spec.watch.front();
  const auto judgement = judgement_of(results);
  if (data.spec.judge && !judgement) return "nothing of what is to be judged was measured";
  if (judgement) {
    // What is too noisy to be judged has been withheld, with its reason: grade D.
    const Verdict* dumb = nullptr;
    for (const Verdict& verdict : judgement->verdicts) {
      if (verdict.word == Word::not_available) continue;
      if (verdict.word != Word::cannot_say) return {};
      if (dumb == nullptr) dumb = &verdict;
    }
    return dumb == nullptr ? "nothing of what is to be judged can run"
                           : fmt::format("of {} {}", dumb->of, dumb->because);
  }
  const auto noise = results.noise(metric);
  if (!noise) return fmt::format("{} was not measured often enough against itself", data.spec.baseline);
  if (*noise <= kTooNoisy) return {};
  return fmt::format("{} against itself differs by up to {} ({}), and above {} nothing is called clear",
                     data.spec.baseline, percent_text(*noise),
                     metric_label(Words::in(Language::english), *find_metric(metric)), percent_text(kTooNoisy));
}

Json to_json(const Results& results, const Judgement& judgement) {
  const RunData& data = results.data();
  const Words& words = results.words();
  Json list = Json::array();
  for (const Verdict& verdict : judgement.verdicts) {
    const auto& interval = verdict.interval;
    list.push_back({{"series", verdict.of},
                    {"word", word_text(words, verdict.word)},
                    {"word_id", std::string(name(verdict.word))},
                    {"because", words.retold(verdict.because)},
                    {"ratio", std::isfinite(verdict.ratio) ? Json(verdict.ratio) : Json()},
                    {"low", interval ? Json(interval->low) : Json()},
                    {"high", interval ? Json(interval->high) : Json()},
                    {"coverage", interval ? Json(interval->coverage) : Json()},
                    {"more", verdict.more},
                    {"less", verdict.less},
                    {"p", verdict.p},
                    {"p_holm", verdict.p_holm},
                    {"text", interval ? interval_text(words, verdict) : words.retold(verdict.because)}});
  }
  return {{"metric", judgement.metric},
          {"label", metric_label(words, *find_metric(judgement.metric))},
          {"baseline", data.spec.baseline},
          {"level", data.spec.levels[judgement.level].label},
          {"by", judgement.by_duets ? "duets" : "trials"},
          {"floor", judgement.floor ? Json(*judgement.floor) : Json()},
          {"floor_text", judgement.floor ? percent_text(*judgement.floor) : words.say("judged.floor_unknown")},
          {"verdicts", list}};
}

Json judgement_chart(const Results& results, const Judgement& judgement) {
  const RunData& data = results.data();
  const Words& words = results.words();
  const double floor = judgement.floor.value_or(0);
  double low = 1 / (1 + std::max(floor, 0.04));
  double high = 1 + std::max(floor, 0.04);
  Json rows = Json::array();
  for (const Verdict& verdict : judgement.verdicts) {
    if (!verdict.interval) continue;
    low = std::min(low, verdict.interval->low);
    high = std::max(high, verdict.interval->high);
    rows.push_back({{"series", verdict.of},
                    {"value", verdict.ratio},
                    {"low", verdict.interval->low},
                    {"high", verdict.interval->high},
                    {"word", word_text(words, verdict.word)},
                    {"word_id", std::string(name(verdict.word))},
                    {"text", interval_text(words, verdict)}});
  }
  if (rows.empty()) return {};
  constexpr double kMargin = 1.02;
  const auto metric = metric_label(words, *find_metric(judgement.metric));
  const auto& baseline = data.spec.baseline;
  const auto title = words.say(
      "forest.title", {{"metric", metric}, {"baseline", baseline}, {"where", at_level(results, judgement.level)}});
  return {{"id", "judgement"},
          {"kind", "forest"},
          {"title", title},
          {"subtitle", words.say(judgement.by_duets ? "forest.subtitle_duets" : "forest.subtitle_trials",
                                 {{"baseline", baseline}, {"confidence", percent_text(data.spec.judge->confidence)}})},
          {"alt", title},
          {"floor", floor},
          {"x",
           {{"label", words.say("forest.axis", {{"metric", metric}, {"baseline", baseline}})},
            {"unit", ""},
            {"scale", "log"},
            {"min", low / kMargin},
            {"max", high * kMargin},
            {"ticks", ratio_ticks(low / kMargin, high * kMargin)},
            {"note", words.say("chart.logarithmic")}}},
          {"panels", Json::array({{{"rows", rows}}})}};
}

}  // namespace iolab::lab
