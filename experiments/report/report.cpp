#include "experiments/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "experiments/judging/grade.h"
#include "experiments/judging/judgement.h"
#include "experiments/judging/sentences.h"
#include "experiments/machine/assets.h"
#include "experiments/report/ceiling_rows.h"
#include "experiments/report/charts.h"
#include "experiments/report/limits_report.h"
#include "experiments/report/method.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json sentences_json(const std::vector<Sentence>& sentences) {
  Json list = Json::array();
  for (const auto& sentence : sentences) {
    list.push_back({{"kind", sentence.kind}, {"text", sentence.text}, {"cells", sentence.cells}});
  }
  return list;
}

// Stevens' word; a family that he does not know keeps its own.
std::string family_text(const Words& words, const std::string& family) {
  const auto key = "family." + family;
  return words.knows(key) ? words.say(key) : family;
}

Json series_json(const Results& results) {
  const Words& words = results.words();
  Json list = Json::array();
  std::map<std::string, std::size_t, std::less<>> named;     // series of each model, so far
  std::map<std::string, std::size_t, std::less<>> variants;  // of each colour, which models of one family share
  for (const auto& series : results.data().plan.series) {
    const auto info = std::ranges::find(results.data().models, model_id(series.model), &ModelInfo::id);
    const bool known = info != results.data().models.end();
    auto look = look_of(series.model);
    if (series.role == Role::model && named[std::string(model_id(series.model))]++ > 0) {
      look = variant_look(look, ++variants[std::string(look.color)]);
    }
    std::string summary = known ? info->summary : "";
    if (series.role == Role::target) {
      look = {"#000000", "o", "solid", {}, "", 1.8};
      summary =
          words.say("series.target", {{"broker", fmt::format("{}:{}", series.target->host, series.target->port)}});
    }
    if (series.id.ends_with(kAgain)) {
      look.dash.clear();
      look.intervals = {4, 2};
      look.line_width = 1.2;
      summary = words.say("series.again");
    }
    if (series.role == Role::ceiling) {
      look = {"#999999", "_", "dotted", {}, "", 1.2};
      summary = words.say("series.ceiling");
    }
    list.push_back(
        {{"id", series.id},
         {"model", series.model},
         {"label", series.id},
         {"role", std::string(name(series.role))},
         {"family", known ? family_text(words, info->family) : ""},
         {"family_number", known ? family_number(info->family) : 0},
         {"summary", summary},
         {"color", look.color},
         {"marker", look.marker},
         {"dash", look.dash.empty() ? Json(look.intervals) : Json(look.dash)},
         {"hatch", look.hatch},
         {"line_width", look.line_width},
         {"available", series.role == Role::ceiling || series.role == Role::target || (known && info->available)},
         {"reason", known ? info->reason : ""}});
  }
  return list;
}

Json metric_json(const Words& words, const Metric& metric, const MetricValue& value) {
  const auto number = [](std::optional<double> n) { return n && std::isfinite(*n) ? Json(*n) : Json(); };
  Json values = Json::array();
  std::vector<double> present;
  for (const double each : value.values) {
    values.push_back(number(each));
    if (std::isfinite(each)) present.push_back(each);
  }
  std::string range;
  if (value.low) {
    range = metric_text(metric, *value.low) + "-" + metric_text(metric, *value.high);
  } else if (present.size() > 1 && value.value) {
    const auto [low, high] = std::ranges::minmax(present);
    range = metric_text(metric, low) + "-" + metric_text(metric, high);
  }
  std::string text = "-";
  if (value.quality == Quality::too_few) text = words.say("cell.too_few");
  if (value.value) text = metric_phrase(words, metric, *value.value);
  return {{"value", number(value.value)},
          {"low", number(value.low)},
          {"high", number(value.high)},
          {"values", values},
          {"unit", std::string(metric.unit)},
          {"text", text},
          {"range_text", range},
          {"exact", metric.exact},
          {"quality", std::string(name(value.quality))}};
}

Json level_values(const Spec& spec, const Level& level) {
  Json values = Json::object();
  for (std::size_t i = 0; i < spec.axes.size(); ++i) values[spec.axes[i].path] = spec.axes[i].values[level.at[i]];
  return values;
}

Json cell_json(const Results& results, const Cell& cell) {
  const auto& spec = results.data().spec;
  Json trials = Json::array();
  for (const auto* trial : cell.trials) trials.push_back(trial->index);
  Json values = Json::object();
  for (const Metric* metric : results.told_metrics()) {
    if (const auto found = cell.metrics.find(metric->id); found != cell.metrics.end()) {
      values[std::string(metric->id)] = metric_json(results.words(), *metric, found->second);
    }
  }
  Json calls = Json::array();
  for (const auto& [call, value] : cell.calls_per_request) {
    calls.push_back({{"call", call}, {"value", value}, {"text", three_digits(value)}});
  }
  return {{"id", cell.id},
          {"series", results.data().plan.series[cell.series].id},
          {"level", spec.levels[cell.level].id},
          {"values", level_values(spec, spec.levels[cell.level])},
          {"status", std::string(name(cell.status))},
          {"reason", cell.reason},
          {"trials", trials},
          {"metrics", values},
          {"calls_per_request", calls},
          {"marks", cell.marks},
          {"flags", cell.flags}};
}

Json facts_json(const std::vector<Fact>& facts, const Words& words) {
  Json list = Json::array();
  for (const auto& fact : facts) {
    list.push_back({{"group", words.retold(fact.group)}, {"label", fact.label}, {"text", fact.text}});
  }
  return list;
}

// Single requests were traced, and no trial was planned: datagrams go to an echo, without a broker.
bool only_traced(const RunData& data) {
  return data.plan.trials.empty() && data.plan.duets.empty();
}

std::string status_text(const Results& results) {
  const auto& data = results.data();
  if (only_traced(data)) return results.words().say("status.only_traced");
  const auto done = data.trials.size();
  const auto planned = data.plan.trials.size();
  const Words& words = results.words();
  const int failed = results.failed_trials();
  const Slot finished("done", done);
  const Slot all("planned", planned);
  std::vector<std::string> clauses{failed > 0 ? words.say("status.finished_failed", {finished, all, {"failed", failed}})
                                              : words.say("status.finished", {finished, all})};
  if (!data.plan.not_run.empty()) clauses.push_back(words.say("status.not_run", {{"cells", data.plan.not_run.size()}}));
  if (data.status != "complete") clauses.push_back(words.say("status." + data.status));
  return words.say("status.sentence", {{"clauses", words.clauses(clauses)}});
}

// The page's own headings and buttons.
Json page_words(const Words& words) {
  Json object = Json::object();
  for (const auto& [key, phrase] : words.phrases()) {
    if (key.starts_with("page.")) object[key] = phrase.text();
  }
  return object;
}

Json grade_json(const Results& results) {
  if (only_traced(results.data())) return {{"letter", ""}, {"why", Json::array()}, {"text", ""}};
  const Grade grade = grade_of(results);
  return {{"letter", std::string(1, grade.letter)}, {"why", grade.why}, {"text", grade_text(results, grade)}};
}

Json run_json(const Results& results) {
  const auto& data = results.data();
  constexpr int kEnough = 6;
  Json predict = Json::array();
  for (const auto& one : data.spec.predict) predict.push_back(one.text);
  return {{"id", data.id},
          {"language", std::string(name(results.words().language()))},
          {"experiment", data.spec.name},
          {"question", data.spec.question},
          {"background", data.spec.background},
          {"predict", predict},
          {"expected", data.spec.expected},
          {"refuted_by", data.spec.refuted_by},
          {"profile", data.spec.profile},
          {"status", data.status},
          {"status_text", status_text(results)},
          {"grade", grade_json(results)},
          {"preview", data.spec.timing.repeat < kEnough},
          {"started", data.started},
          {"finished", data.finished},
          {"duration_s", data.duration_s},
          {"trials_planned", data.plan.trials.size()},
          {"trials_done", data.trials.size()},
          {"trials_failed", results.failed_trials()},
          {"cells_not_run", data.plan.not_run.size()},
          {"repeat", data.spec.timing.repeat},
          {"seed", data.plan.seed},
          {"machine", data.machine},
          {"command", data.command},
          {"spec_sha256", data.spec.sha256},
          {"binary_sha256", data.binary_sha256},
          {"commit", data.commit},
          {"dirty", data.dirty}};
}

// Where nothing is judged, what the picture of single requests shows comes first; where nothing else was done, it is
// all.
std::vector<Sentence> found_with_traces(const Results& results, const Json& traced) {
  std::vector<Sentence> found;
  if (!only_traced(results.data())) found = what_was_found(results);
  if (results.data().spec.judge || traced.empty()) return found;
  found.insert(
      found.begin(),
      {"traced", results.words().say("status.sentence", {{"clauses", traced.front().value("title", "")}}), {}});
  return found;
}

Json axes_json(const Spec& spec) {
  Json axes = Json::array();
  for (const auto& axis : spec.axes) {
    Json values = Json::array();
    for (std::size_t i = 0; i < axis.values.size(); ++i) {
      const auto number = Json::parse(axis.values[i], nullptr, false);
      values.push_back(number.is_number() ? number : Json(axis.values[i]));
    }
    axes.push_back({{"path", axis.path}, {"label", axis.label}, {"values", values}, {"labels", axis.labels}});
  }
  return axes;
}

}  // namespace

std::vector<std::string> next_commands(const Spec& spec) {
  std::vector<std::string> next;
  const auto files = find_experiments();
  const bool named = std::ranges::find(files, spec.name, &ExperimentFile::name) != files.end();
  if (spec.profile == "quick" && named) next.push_back(fmt::format("iolab run {} --profile standard", spec.name));
  for (const auto& file : files) {
    if (file.name != spec.name && next.size() < 2)
      next.push_back(fmt::format("iolab run {} --profile quick", file.name));
  }
  return next;
}

std::string results_file(Language language) {
  return language == Language::chinese ? "results.zh.json" : "results.json";
}

nlohmann::ordered_json make_report(const Results& results, nlohmann::ordered_json extra_charts) {
  const auto found = found_with_traces(results, extra_charts);
  auto charts = std::move(extra_charts);
  for (auto& chart : make_charts(results)) charts.push_back(std::move(chart));
  const auto judgement = judgement_of(results);
  if (judgement) {
    if (auto forest = judgement_chart(results, *judgement); !forest.is_null()) charts.push_back(std::move(forest));
  }
  for (auto& chart : limits_charts(results)) charts.push_back(std::move(chart));
  Json tables = Json::array();
  for (const auto& table : make_tables(results)) tables.push_back(to_json(table));
  Json cells = Json::array();
  for (const auto& cell : results.cells()) cells.push_back(cell_json(results, cell));
  return {{"schema", "iolab-results-1"},
          {"run", run_json(results)},
          {"found", sentences_json(found)},
          {"notes", sentences_json(what_to_know(results))},
          {"series", series_json(results)},
          {"axes", axes_json(results.data().spec)},
          {"judgement", judgement ? to_json(results, *judgement) : Json()},
          {"charts", charts},
          {"tables", tables},
          {"cells", cells},
          {"ceilings", ceilings_report(results)},
          {"environment", facts_json(results.data().facts, results.words())},
          {"method", method(results)},
          {"threats", threats_to_validity(results)},
          {"think", questions_to_think_about(results)},
          {"next", next_commands(results.data().spec)},
          {"words", page_words(results.words())}};
}

std::string terminal_summary(const Results& results, const Terminal& terminal) {
  const auto& data = results.data();
  const auto width = static_cast<std::size_t>(std::min(terminal.width, 120));
  if (only_traced(data)) return "";  // its pictures have been printed
  std::string text = fmt::format("\n{}  {}\n{}\n{}\n\n", bold(terminal, data.spec.question),
                                 dim(terminal, fmt::format("{} · {}", data.spec.name, data.spec.profile)),
                                 status_text(results), folded(grade_text(results, grade_of(results)), width, 0, 0));
  for (const auto& table : make_tables(results)) {
    if (table.in_terminal) text += to_text(table, terminal) + "\n";
  }
  constexpr std::size_t kIndent = 9;
  const auto say = [&](std::string_view label, const std::vector<Sentence>& sentences) {
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      text += padded(i == 0 ? label : "", kIndent) + folded(sentences[i].text, width, kIndent, kIndent) + "\n";
    }
  };
  say(results.words().say("terminal.found"), what_was_found(results));
  say(results.words().say("terminal.note"), what_to_know(results));
  return text;
}

namespace {

std::expected<void, std::string> run_script(const std::optional<std::string>& script, const RunDirectory& directory) {
  if (!script) return std::unexpected("scripts/ was not found beside the binary or in its source directory");
  const auto python = find_python();
  if (!python) return std::unexpected(python.error());
  constexpr std::chrono::minutes kLimit{3};
  const auto errors = directory.file("report.stderr");
  auto child = ChildProcess::start(
      {.binary = nullptr, .arguments = {*python, *script, directory.path()}, .stderr_file = errors});
  if (!child) return std::unexpected(child.error());
  child->close_input();
  const auto deadline = ChildProcess::Clock::now() + kLimit;
  const auto output = child->read_all(deadline);
  const auto state = child->wait(deadline);
  if (!output || !state || !state->ok()) {
    return std::unexpected(
        fmt::format("{} ended with {}: see {}", *script, state ? state->text() : "no result", errors));
  }
  std::remove(errors.c_str());
  return {};
}

}  // namespace

std::expected<void, std::string> draw_report(const RunDirectory& directory) {
  return run_script(find_report_script(), directory);
}

std::expected<void, std::string> draw_claims(const RunDirectory& directory) {
  return run_script(find_claims_script(), directory);
}

}  // namespace iolab::lab
