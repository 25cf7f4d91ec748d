#include "experiments/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/assets.h"
#include "experiments/charts.h"
#include "experiments/judgement.h"
#include "experiments/metrics.h"
#include "experiments/sentences.h"
#include "experiments/units.h"

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

Json series_json(const Results& results) {
  Json list = Json::array();
  for (const auto& series : results.data().plan.series) {
    const auto info = std::ranges::find(results.data().models, model_id(series.model), &ModelInfo::id);
    const bool known = info != results.data().models.end();
    auto look = look_of(series.model);
    std::string summary = known ? info->summary : "";
    if (series.role == Role::again) {
      look.dash.clear();
      look.intervals = {4, 2};
      look.line_width = 1.2;
      summary = "The same model entered a second time: how large \"nothing\" is.";
    }
    if (series.role == Role::ceiling) {
      look = {"#999999", "_", "dotted", {}, "", 1.2};
      summary = "The load generator against a server that only answers: what it can do at most.";
    }
    list.push_back({{"id", series.id},
                    {"model", series.model},
                    {"label", series.id},
                    {"role", std::string(name(series.role))},
                    {"family", known ? info->family : ""},
                    {"family_number", known ? family_number(info->family) : 0},
                    {"summary", summary},
                    {"color", look.color},
                    {"marker", look.marker},
                    {"dash", look.dash.empty() ? Json(look.intervals) : Json(look.dash)},
                    {"hatch", look.hatch},
                    {"line_width", look.line_width},
                    {"available", series.role == Role::ceiling || (known && info->available)},
                    {"reason", known ? info->reason : ""}});
  }
  return list;
}

Json metric_json(const Metric& metric, const MetricValue& value) {
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
  if (value.quality == Quality::too_few) text = "too few";
  if (value.value) text = metric_phrase(metric, *value.value);
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
  for (const auto& metric : metrics()) {
    if (const auto found = cell.metrics.find(metric.id); found != cell.metrics.end()) {
      values[std::string(metric.id)] = metric_json(metric, found->second);
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
          {"marks", cell.marks}};
}

Json ceilings_json(const RunData& data) {
  Json list = Json::array();
  for (const auto& before : data.ceilings_before) {
    const auto after = std::ranges::find(data.ceilings_after, before.id, &Ceiling::id);
    const auto number = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
    const bool measured_after = after != data.ceilings_after.end();
    const auto text = [&](double value) {
      return std::isfinite(value) ? fmt::format("{} {}", three_digits(value), before.unit)
                                  : std::string("not measurable");
    };
    list.push_back({{"id", before.id},
                    {"label", before.label},
                    {"unit", before.unit},
                    {"before", number(before.value)},
                    {"after", measured_after ? number(after->value) : Json()},
                    {"text", fmt::format("{} before, {} after", text(before.value),
                                         measured_after ? text(after->value) : "not measured")},
                    {"meaning", before.meaning}});
  }
  return list;
}

Json facts_json(const std::vector<Fact>& facts) {
  Json list = Json::array();
  for (const auto& fact : facts) list.push_back({{"group", fact.group}, {"label", fact.label}, {"text", fact.text}});
  return list;
}

std::vector<std::string> method(const Results& results) {
  const auto& data = results.data();
  const auto& spec = data.spec;
  std::vector<std::string> text{
      fmt::format("Every trial is a fresh server process on a fresh data directory, on CPU {}; the load generator is a "
                  "process of its own on CPU {}.",
                  data.cpus.server, data.cpus.load),
      fmt::format("Each trial warms up for {} and is measured for {}; each cell has {}.",
                  duration_text(spec.timing.warmup), duration_text(spec.timing.measure),
                  counted(static_cast<std::uint64_t>(spec.timing.repeat), "trial")),
      fmt::format(
          "A block holds every model once, in random order (seed {}); blocks come in random order too. Ratios are "
          "formed inside a block.",
          data.plan.seed),
      fmt::format("{} is entered twice: how far it differs from itself is the noise, and nothing smaller is called a "
                  "difference.",
                  spec.baseline),
      "A trial counts only if every connection was served, every answer was right, and the log grew by what was "
      "acknowledged.",
      "System calls, wake-ups and EAGAINs are counted in the server by the thread that makes them, and read from "
      "outside "
      "at the borders of the window.",
      "CPU per request is the CPU clock of the server's process, all threads, over the requests it counted itself; "
      "user "
      "and system are split by the kernel's samples of 10 ms.",
      "On loopback the sender pays for much of the receiver's TCP work: read the client's CPU beside the server's.",
  };
  if (spec.judge) {
    text.push_back(fmt::format(
        "Fixed before the run: judged by {}, {} is better, differences below {} do not matter. A ratio is called clear "
        "if its interval lies beyond what the baseline shows against itself, and if its signs agree more than chance "
        "explains (sign test, corrected for all comparisons by Holm's method).",
        find_metric(spec.judge->metric)->label, spec.judge->better, percent_text(spec.judge->ignore_below)));
    if (spec.judge->duets > 0) {
      text.push_back(
          fmt::format("Each of the {} of a model starts it and the baseline fresh on one CPU; the load alternates "
                      "between them every "
                      "{}, and the ratio is formed between adjacent slices: what the machine does hits both alike.",
                      counted(static_cast<std::uint64_t>(spec.judge->duets), "duet"),
                      duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(spec.judge->slice))));
    }
  }
  return text;
}

std::string status_text(const Results& results) {
  const auto& data = results.data();
  const auto done = data.trials.size();
  const auto planned = data.plan.trials.size();
  std::string text = fmt::format("{} of {} finished", done, counted(planned, "trial"));
  if (results.failed_trials() > 0) text += fmt::format(", {} of them failed", results.failed_trials());
  std::size_t not_run = data.plan.not_run.size();
  if (not_run > 0) text += fmt::format("; {} not run, each with its reason", counted(not_run, "cell"));
  if (data.status == "interrupted") text += "; interrupted";
  if (data.status == "time-limit") text += "; stopped at its time limit";
  if (data.status == "disk-limit") text += "; stopped before the disk was 80 % full";
  return text + ".";
}

Json run_json(const Results& results) {
  const auto& data = results.data();
  constexpr int kEnough = 6;
  return {{"id", data.id},
          {"experiment", data.spec.name},
          {"question", data.spec.question},
          {"background", data.spec.background},
          {"profile", data.spec.profile},
          {"status", data.status},
          {"status_text", status_text(results)},
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

}  // namespace

nlohmann::ordered_json make_report(const Results& results, nlohmann::ordered_json extra_charts) {
  auto charts = std::move(extra_charts);
  for (auto& chart : make_charts(results)) charts.push_back(std::move(chart));
  const auto judgement = judgement_of(results);
  if (judgement) {
    if (auto forest = judgement_chart(results, *judgement); !forest.is_null()) charts.push_back(std::move(forest));
  }
  Json tables = Json::array();
  for (const auto& table : make_tables(results)) tables.push_back(to_json(table));
  Json cells = Json::array();
  for (const auto& cell : results.cells()) cells.push_back(cell_json(results, cell));
  return {{"schema", "iolab-results-1"},
          {"run", run_json(results)},
          {"found", sentences_json(what_was_found(results))},
          {"notes", sentences_json(what_to_know(results))},
          {"series", series_json(results)},
          {"axes", axes_json(results.data().spec)},
          {"judgement", judgement ? to_json(results, *judgement) : Json()},
          {"charts", charts},
          {"tables", tables},
          {"cells", cells},
          {"ceilings", ceilings_json(results.data())},
          {"environment", facts_json(results.data().facts)},
          {"method", method(results)},
          {"next", next_commands(results.data().spec)}};
}

std::string terminal_summary(const Results& results, const Terminal& terminal) {
  const auto& data = results.data();
  const auto width = static_cast<std::size_t>(std::min(terminal.width, 120));
  std::string text =
      fmt::format("\n{}  {}\n{}\n\n", bold(terminal, data.spec.question),
                  dim(terminal, fmt::format("{} · {}", data.spec.name, data.spec.profile)), status_text(results));
  for (const auto& table : make_tables(results)) {
    if (table.in_terminal) text += to_text(table, terminal) + "\n";
  }
  constexpr std::size_t kIndent = 9;
  const auto say = [&](std::string_view label, const std::vector<Sentence>& sentences) {
    for (std::size_t i = 0; i < sentences.size(); ++i) {
      text += padded(i == 0 ? label : "", kIndent) + folded(sentences[i].text, width, kIndent, kIndent) + "\n";
    }
  };
  say("Found", what_was_found(results));
  say("Note", what_to_know(results));
  return text;
}

std::expected<void, std::string> draw_report(const RunDirectory& directory) {
  const auto script = find_report_script();
  if (!script) return std::unexpected("scripts/report.py was not found beside the binary or in its source directory");
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

}  // namespace iolab::lab
