#include "experiments/claims/claims_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/judging/grade.h"
#include "experiments/run/trial.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

std::string minutes_text(double seconds) {
  return fmt::format("{:.1f}", seconds / 60);
}

std::string word_of(const Words& words, Ruling ruling) {
  return words.say(fmt::format("claim.ruling_{}", name(ruling)));
}

const UsedRun* find_run(const std::vector<UsedRun>& runs, const std::string& name) {
  const auto found = std::ranges::find(runs, name, &UsedRun::name);
  return found == runs.end() ? nullptr : &*found;
}

// The trials behind one cell of a figure: where they lie, and what each of them gave.
Json trials_of(const UsedRun& run, const std::string& id, const std::string& metric) {
  const Cell* cell = run.results->find_cell(id);
  Json numbers = Json::array();
  Json values = Json::array();
  if (cell != nullptr) {
    for (const auto* trial : cell->trials) numbers.push_back(trial->index);
    const auto found = cell->metrics.find(metric);
    if (found != cell->metrics.end()) {
      for (const double value : found->second.values) {
        values.push_back(std::isfinite(value) ? metric_text(*find_metric(metric), value) : "-");
      }
    }
  }
  return {{"cell", id}, {"metric", metric}, {"trials", numbers}, {"values", values}};
}

Json figure_json(const Words& words, const Figure& figure, const std::vector<UsedRun>& runs) {
  const Check& check = *figure.check;
  const CheckedFigure& found = figure.found;
  Json trials = Json::array();
  if (const auto* run = find_run(runs, check.run)) {
    trials.push_back(trials_of(*run, check.cell, check.metric));
    if (!check.per.empty()) trials.push_back(trials_of(*run, check.cell, check.per));
    if (!check.against.empty()) trials.push_back(trials_of(*run, check.against, check.metric));
  }
  return {{"text", figure_text(words, figure)},
          {"standing", name(figure.standing)},
          {"value", found.value ? Json(*found.value) : Json()},
          {"low", found.value ? Json(found.low) : Json()},
          {"high", found.value ? Json(found.high) : Json()},
          {"least", found.value ? Json(found.least) : Json()},
          {"most", found.value ? Json(found.most) : Json()},
          {"count", found.count},
          {"of", found.of},
          {"run", check.run},
          {"trials", trials}};
}

Json figures_json(const Words& words, const std::vector<Figure>& figures, const std::vector<UsedRun>& runs) {
  Json list = Json::array();
  for (const auto& figure : figures) list.push_back(figure_json(words, figure, runs));
  return list;
}

// One for each run that the figures come from; of a claim without figures, the experiment that shows it.
Json commands_of(const Judged& judged, const std::vector<UsedRun>& runs) {
  std::vector<std::string> names;
  for (const auto* figures : {&judged.checks, &judged.limits}) {
    for (const auto& figure : *figures) {
      if (std::ranges::find(names, figure.check->run) == names.end()) names.push_back(figure.check->run);
    }
  }
  if (names.empty() && !judged.claim->experiment.empty()) names.push_back(judged.claim->experiment);
  Json list = Json::array();
  for (const auto& name : names) {
    const auto* run = find_run(runs, name);
    const bool told = run != nullptr && !run->results->data().command.empty();
    list.push_back(told ? run->results->data().command : fmt::format("iolab run {} --profile quick", name));
  }
  return list;
}

bool is_surprise(const Judged& judged) {
  const auto& expected = judged.claim->expected;
  return expected && *expected != judged.ruling && judged.ruling != Ruling::cannot_say;
}

Json claim_json(const Words& words, const Judged& judged, const std::vector<UsedRun>& runs) {
  const auto& claim = *judged.claim;
  Json kinds = Json::array();
  for (const auto& kind : claim.kinds) kinds.push_back(words.say(fmt::format("claim.kind_{}", kind)));
  const auto expected = claim.expected ? word_of(words, *claim.expected) : words.say("claim.expected_open");
  return {{"id", claim.id},
          {"group", claim.group},
          {"group_text", words.say(fmt::format("claim.group_{}", claim.group))},
          {"kinds", kinds},
          {"claim", claim.claim.in(words.language())},
          {"source", claim.source},
          {"test", claim.test.in(words.language())},
          {"ruling", name(judged.ruling)},
          {"ruling_word", word_of(words, judged.ruling)},
          {"ruling_text", ruling_text(words, judged)},
          {"expected", claim.expected ? Json(name(*claim.expected)) : Json()},
          {"expected_text", words.say("claim.expected", {{"word", expected}})},
          {"surprise", is_surprise(judged)},
          {"checks", figures_json(words, judged.checks, runs)},
          {"limits", figures_json(words, judged.limits, runs)},
          {"commands", commands_of(judged, runs)}};
}

Json run_json(const UsedRun& run) {
  const RunData& data = run.results->data();
  return {{"name", run.name},
          {"report", run.path + "/report.html"},
          {"profile", data.spec.profile},
          {"repeat", data.spec.timing.repeat},
          {"grade", std::string(1, grade_of(*run.results).letter)},
          {"machine", data.machine},
          {"commit", data.commit},
          {"date", data.started.substr(0, 10)},
          {"took", minutes_text(data.duration_s)}};
}

}  // namespace

std::string ruling_text(const Words& words, const Judged& judged) {
  const auto word = word_of(words, judged.ruling);
  const auto& claim = *judged.claim;
  const auto& what = claim.only_if.in(words.language());
  if (judged.ruling == Ruling::only_if) return words.say("claim.only_if", {{"word", word}, {"what", what}});
  if (judged.ruling == Ruling::historical && !what.empty()) {
    return words.say("claim.of_its_time", {{"word", word}, {"what", what}});
  }
  if (judged.ruling != Ruling::cannot_say) return word;
  const auto why = claim.why.en.empty() ? words.retold(judged.why) : claim.why.in(words.language());
  return words.say("claim.cannot_say", {{"word", word}, {"why", why}});
}

std::string claims_summary(const std::vector<Judged>& all) {
  const Words& words = Words::in(Language::english);
  std::vector<const Judged*> rows;
  for (const auto& judged : all) rows.push_back(&judged);
  std::ranges::stable_partition(rows, [](const Judged* judged) { return is_surprise(*judged); });
  std::string text = fmt::format("# {}\n\n", words.say("claim.title"));
  text += "| claim | | expected | came out | figures |\n|---|---|---|---|---|\n";
  for (const auto* judged : rows) {
    std::string figures;  // each on a line of its own
    for (const auto* list : {&judged->checks, &judged->limits}) {
      for (const auto& figure : *list) figures += (figures.empty() ? "" : "<br>") + figure_text(words, figure);
    }
    const auto& expected = judged->claim->expected;
    text += fmt::format("| {} | {} | {} | {} | {} |\n", judged->claim->id, judged->claim->claim.en,
                        expected ? word_of(words, *expected) : words.say("claim.expected_open"),
                        ruling_text(words, *judged), figures);
  }
  return text;
}

nlohmann::ordered_json claims_page(const Words& words, const std::vector<Judged>& all,
                                   const std::vector<UsedRun>& runs) {
  Json claims = Json::array();
  for (const auto& judged : all) claims.push_back(claim_json(words, judged, runs));
  Json used = Json::array();
  double took_s = 0;
  for (const auto& run : runs) {
    used.push_back(run_json(run));
    took_s += run.results->data().duration_s;
  }
  Json texts = Json::object();
  for (const auto& [key, phrase] : words.phrases()) {
    if (key.starts_with("claim.page_")) texts[key.substr(std::string_view("claim.page_").size())] = phrase.text();
  }
  return {{"schema", "iolab-claims-2"},
          {"language", words.language() == Language::chinese ? "zh" : "en"},
          {"made", utc_now()},
          {"title", words.say("claim.title")},
          {"how", words.say("claim.how")},
          {"took", words.say("claim.took", {{"runs", runs.size()}, {"minutes", minutes_text(took_s)}})},
          {"words", texts},
          {"claims", claims},
          {"runs", used}};
}

}  // namespace iolab::lab
