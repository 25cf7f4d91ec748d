#include "experiments/judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "experiments/metrics.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

bool duets_measure(std::string_view metric) {
  return metric == "server_cpu_us_per_request" || metric == "requests_per_s";
}

std::vector<double> duet_ratios(const RunData& data, const std::string& series, std::string_view metric) {
  std::vector<double> ratios;
  for (const DuetRecord& duet : data.duets) {
    if (duet.series != series || !duet.ok) continue;
    ratios.push_back(metric == "requests_per_s" ? duet.rate_ratio : duet.cpu_ratio);
  }
  return ratios;
}

// With as many digits as the interval allows to tell apart.
std::string ratio_text(double ratio, const Verdict& verdict) {
  constexpr double kNarrow = 0.05;
  const double width = verdict.interval ? verdict.interval->high - verdict.interval->low : 1;
  return width < kNarrow ? fmt::format("{:.3f}", ratio) : lab::ratio_text(ratio);
}

std::string interval_text(const Verdict& verdict) {
  return fmt::format("{} ({} to {})", ratio_text(verdict.ratio, verdict), ratio_text(verdict.interval->low, verdict),
                     ratio_text(verdict.interval->high, verdict));
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

std::string one_text(const Verdict& verdict, bool by_duets) {
  const int n = verdict.more + verdict.less;
  const int side = std::max(verdict.more, verdict.less);
  return fmt::format("{} {} times ({} % range {} to {}, {} of {} {})", verdict.of, ratio_text(verdict.ratio, verdict),
                     three_digits(verdict.interval->coverage * 100), ratio_text(verdict.interval->low, verdict),
                     ratio_text(verdict.interval->high, verdict), side, n, by_duets ? "pairs" : "blocks");
}

// How a word begins its sentence.
std::string opening(Word word, const Judgement& judgement, const std::string& metric, const std::string& baseline,
                    const std::string& where) {
  const std::string of = fmt::format("{} than {}{}", metric, baseline, where);
  switch (word) {
    case Word::clearly_more: return fmt::format("Clearly more {}: ", of);
    case Word::clearly_less: return fmt::format("Clearly less {}: ", of);
    case Word::probably_more: return fmt::format("Probably more {}: ", of);
    case Word::probably_less: return fmt::format("Probably less {}: ", of);
    case Word::too_close: return fmt::format("Too close to {} to call{} ({}): ", baseline, where, metric);
    case Word::same:
      return fmt::format("The same {} as {} within {}{}: ", metric, baseline, percent_text(judgement.floor.value_or(0)),
                         where);
    case Word::cannot_say: break;
  }
  return {};
}

}  // namespace

std::optional<Judgement> judgement_of(const Results& results) {
  const RunData& data = results.data();
  const auto level = judged_level(data.plan, data.spec);
  const auto baseline = results.baseline();
  if (!data.spec.judge || !level || !baseline) return std::nullopt;
  const Judge& rules = *data.spec.judge;
  Judgement judgement{
      .metric = rules.metric, .level = *level, .by_duets = rules.duets > 0 && duets_measure(rules.metric)};
  std::vector<Comparison> comparisons;
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    const Series& entry = data.plan.series[series];
    if (entry.role == Role::ceiling || series == *baseline) continue;
    auto ratios = judgement.by_duets ? duet_ratios(data, entry.id, rules.metric)
                                     : results.block_ratios(series, *baseline, *level, rules.metric);
    if (entry.role == Role::again) {
      judgement.floor = floor_of(ratios, rules.ignore_below);
    } else if (!ratios.empty()) {
      comparisons.push_back({entry.id, std::move(ratios)});
    }
  }
  if (comparisons.empty()) return std::nullopt;
  judgement.verdicts = judge(comparisons, judgement.floor, rules.confidence);
  return judgement;
}

std::vector<Sentence> judgement_in_words(const Results& results, const Judgement& judgement) {
  const RunData& data = results.data();
  const auto metric = std::string(find_metric(judgement.metric)->label);
  const auto where = at_level(results, judgement.level);
  constexpr std::array kOrder{Word::clearly_more,  Word::clearly_less,  Word::same,
                              Word::probably_more, Word::probably_less, Word::too_close};
  std::vector<Sentence> sentences;
  for (const Word word : kOrder) {
    Sentence sentence{"judged", "", {}};
    std::vector<std::string> who;
    for (const Verdict& verdict : judgement.verdicts) {
      if (verdict.word != word) continue;
      who.push_back(one_text(verdict, judgement.by_duets));
      sentence.cells.push_back(results.cell(*results.find_series(verdict.of), judgement.level).id);
    }
    if (who.empty()) continue;
    std::string list;
    for (const auto& one : who) list += (list.empty() ? "" : "; ") + one;
    sentence.text = opening(word, judgement, metric, data.spec.baseline, where) + list + ".";
    sentences.push_back(std::move(sentence));
  }
  if (!sentences.empty()) {
    sentences.push_back(
        {"noise",
         fmt::format(
             "Judged by {}; {} against itself, and what was declared too small to matter before "
             "the run, make differences below {} mean nothing here.",
             judgement.by_duets ? "duets, pairs of fresh processes under alternating load" : "trials of the same block",
             data.spec.baseline, percent_text(judgement.floor.value_or(0))),
         {}});
  }
  return sentences;
}

Json to_json(const Results& results, const Judgement& judgement) {
  const RunData& data = results.data();
  Json list = Json::array();
  for (const Verdict& verdict : judgement.verdicts) {
    const auto& interval = verdict.interval;
    list.push_back({{"series", verdict.of},
                    {"word", std::string(name(verdict.word))},
                    {"because", verdict.because},
                    {"ratio", verdict.ratio},
                    {"low", interval ? Json(interval->low) : Json()},
                    {"high", interval ? Json(interval->high) : Json()},
                    {"coverage", interval ? Json(interval->coverage) : Json()},
                    {"more", verdict.more},
                    {"less", verdict.less},
                    {"p", verdict.p},
                    {"p_holm", verdict.p_holm},
                    {"text", interval ? interval_text(verdict) : verdict.because}});
  }
  return {{"metric", judgement.metric},
          {"label", find_metric(judgement.metric)->label},
          {"baseline", data.spec.baseline},
          {"level", data.spec.levels[judgement.level].label},
          {"by", judgement.by_duets ? "duets" : "trials"},
          {"floor", judgement.floor ? Json(*judgement.floor) : Json()},
          {"floor_text", judgement.floor ? percent_text(*judgement.floor) : std::string("not known")},
          {"verdicts", list}};
}

Json judgement_chart(const Results& results, const Judgement& judgement) {
  const RunData& data = results.data();
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
                    {"word", std::string(name(verdict.word))},
                    {"text", interval_text(verdict)}});
  }
  if (rows.empty()) return {};
  constexpr double kMargin = 1.02;
  const auto metric = std::string(find_metric(judgement.metric)->label);
  const auto title =
      fmt::format("How sure: {}, against {}{}", metric, data.spec.baseline, at_level(results, judgement.level));
  return {{"id", "judgement"},
          {"kind", "forest"},
          {"title", title},
          {"subtitle", fmt::format("Ratio to {}: median and its {} range over {}. In the grey band a difference means "
                                   "nothing on this machine.",
                                   data.spec.baseline, percent_text(data.spec.judge->confidence),
                                   judgement.by_duets ? "pairs of fresh processes" : "blocks")},
          {"alt", title},
          {"floor", floor},
          {"x",
           {{"label", fmt::format("times the {} of {}", metric, data.spec.baseline)},
            {"unit", ""},
            {"scale", "log"},
            {"min", low / kMargin},
            {"max", high * kMargin},
            {"ticks", ratio_ticks(low / kMargin, high * kMargin)},
            {"note", "logarithmic"}}},
          {"panels", Json::array({{{"rows", rows}}})}};
}

}  // namespace iolab::lab
