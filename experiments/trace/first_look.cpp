#include "experiments/trace/first_look.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "experiments/command.h"
#include "experiments/machine/interrupt.h"
#include "experiments/report/run_report.h"
#include "experiments/run/run.h"
#include "experiments/run/run_lock.h"
#include "experiments/trace/ladder.h"
#include "experiments/trace/run_trace.h"
#include "experiments/trace/strip.h"
#include "experiments/words/terminal.h"

namespace iolab::lab {
namespace {

constexpr std::string_view kSpec = R"({
  "version": 1,
  "name": "first-look",
  "question": {
    "en": "What happens to one request in each model, and what does it cost?",
    "zh": "在每个模型里，一个请求经历了什么？代价是多少？"
  },
  "background": {
    "en": "One request at a time, every call traced; then 16 busy connections, untraced: a glance.",
    "zh": "先是一次一个请求，跟踪每次调用；然后是 16 个忙碌连接，不带跟踪：粗看一眼。"
  },
  "baseline": "epoll",
  "watch": ["server_cpu_us_per_request", "requests_per_s", "latency_p99_us"],
  "workload": { "kind": "produce", "connections": 16, "record_size": "100B" },
  "limits": { "total": "3m" },
  "quick": { "timing": { "warmup": "150ms", "measure": "500ms", "repeat": 1 } }
}
)";

int fail(const Look& look, int code, const std::string& text) {
  fmt::print(stderr, "iolab {}: {}\n", look.name, text);
  return code;
}

// The models' own mistakes are the user's; anything else would be ours.
std::expected<Spec, std::vector<Problem>> spec_of(const Look& look, const std::vector<ModelInfo>& models) {
  SpecOptions options{.profile = "quick", .models = look.models, .known_models = ids_of(models)};
  if (!look.models.empty()) options.settings.push_back({"baseline", {look.models.front()}});
  if (!look.record_size.empty()) options.settings.push_back({"workload.record_size", {look.record_size}});
  options.settings.push_back({"name", {look.name}});
  return parse_spec(kSpec, look.name, options);
}

void print_look(const Look& look, const std::vector<TracedModel>& traced) {
  const auto lanes = lanes_of(traced, 0.5);
  const auto terminal = look_at_terminal(stdout);
  const Words& words = Words::in(look.language);
  fmt::print("\n{}  {}\n{}", bold(terminal, words.say("terminal.one_request")), words.say("terminal.one_request_note"),
             strip_text(words, lanes, terminal));
  if (const auto overhead = overhead_of(traced); !overhead.empty()) {
    const auto width = static_cast<std::size_t>(std::clamp(terminal.width, 60, 140));
    fmt::print("  {}\n", folded(words.say("trace.overhead", {{"overhead", words.retold(overhead)}}), width, 2, 2));
  }
  if (!look.closely) return;
  for (const auto& lane : lanes) {
    if (!lane.missing.empty()) continue;
    fmt::print("\n{}\n{}", bold(terminal, words.retold(recorded("ladder.title", {{"model", lane.series}}))),
               ladder_text(words, lane, terminal));
  }
}

nlohmann::ordered_json charts_for(const Look& look, const std::vector<TracedModel>& traced, const std::string& work) {
  if (look.closely) return charts_of(traced, work);
  const StripSubject subject{.id = "one_request", .work = work, .exemplar = "median", .overhead = overhead_of(traced)};
  return nlohmann::ordered_json::array({strip_chart(lanes_of(traced, 0.5), subject)});
}

// Nothing is measured: the datagrams go to an echo, and no broker takes part.
void plan_nothing(RunData& data) {
  data.plan.trials.clear();
  data.plan.duets.clear();
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    const bool has_reason = std::ranges::find(data.plan.not_run, series, &NotRun::series) != data.plan.not_run.end();
    if (!has_reason) data.plan.not_run.push_back({.level = 0, .series = series, .reason = recorded("reason.udp")});
  }
}

// Traces, then measures. The error is a sentence.
std::expected<void, std::string> look_and_measure(const Look& look, RunData& data, const RunDirectory& directory,
                                                  const OwnBinary& binary) {
  fmt::print(stderr, "Sending single requests, every system call traced ...\n");
  std::vector<TracedModel> traced;
  {
    const auto scratch = Scratch::create(directory.path());
    if (!scratch) return std::unexpected(scratch.error());
    traced = trace_models(data, 0, binary, scratch->path(), look.traced);
  }
  const auto charts = charts_for(look, traced, traced_work(data.spec.levels.front(), look.traced));
  if (auto done = directory.write_below("traces", "charts.json", charts.dump(1) + "\n"); !done) return done;
  if (look.traced.udp) plan_nothing(data);
  if (auto done = write_plan(data, directory); !done) return done;
  const SessionOptions session{.longest = data.spec.longest, .count_calls = false};
  if (auto done = run_session(data, directory, binary, session); !done) return done;
  print_look(look, traced);
  return {};
}

}  // namespace

std::string_view first_look_spec() {
  return kSpec;
}

int look(const Look& look) {
  const auto binary = OwnBinary::open();
  if (!binary) return fail(look, kInternalError, binary.error());
  auto models = ask_for_models(*binary);
  if (!models) return fail(look, kInternalError, models.error());
  auto spec = spec_of(look, *models);
  if (!spec) return fail(look, kUsage, to_text(spec.error().front()));
  auto data =
      prepare_run({.spec = std::move(*spec), .seed = 1, .command = look.command}, *binary, std::move(*models), "");
  if (data.plan.trials.empty()) {
    return fail(look, kCannotRunHere, "none of these models can run on this machine: iolab models says why");
  }
  const InterruptScope scope;
  const auto directory = RunDirectory::create(look.out, look.name);
  if (!directory) return fail(look, kCannotRunHere, directory.error());
  const auto lock = RunLock::take(directory->path());
  if (!lock) return fail(look, kCannotRunHere, lock.error());
  data.id = directory->id();
  if (auto done = look_and_measure(look, data, *directory, *binary); !done) {
    return fail(look, kInternalError, done.error());
  }
  return conclude(data, *directory, traced_charts(*directory), {.draw = look.draw, .language = look.language});
}

}  // namespace iolab::lab
