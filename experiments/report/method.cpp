#include "experiments/report/method.h"

#include <algorithm>

#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

void add_judged(const Results& results, std::vector<std::string>& text) {
  const Words& words = results.words();
  const Judge& judge = *results.data().spec.judge;
  text.push_back(words.say("method.judged", {{"metric", metric_label(words, *find_metric(judge.metric))},
                                             {"better", words.say("better." + judge.better)},
                                             {"ignored", percent_text(judge.ignore_below)}}));
  if (judges_by_duets(judge)) {
    text.push_back(words.say("method.duets", {{"duets", judge.duets}, {"slice", duration_text(judge.slice)}}));
  }
}

void add_place(const Results& results, std::vector<std::string>& text) {
  const Words& words = results.words();
  const RunData& data = results.data();
  const auto is = [&](std::string_view kind) {
    return std::ranges::find(data.facts, words.say(kind), &Fact::text) != data.facts.end();
  };
  text.push_back(words.say("threat.one_machine", {{"machine", data.machine}}));
  if (is("recorded.machine.kind_virtual")) text.push_back(words.say("threat.virtual"));
  if (is("recorded.machine.kind_container")) text.push_back(words.say("threat.container"));
  double steal = 0;
  for (const auto& trial : data.trials) steal = std::max(steal, trial.machine.steal_share);
  constexpr double kWorthSaying = 0.001;
  if (steal >= kWorthSaying) text.push_back(words.say("threat.steal", {{"steal", percent_text(steal)}}));
  if (!data.spec.target) {
    text.push_back(words.say(data.spec.path == PathKind::veth ? "threat.veth" : "threat.loopback"));
  }
  if (data.cpus.shared()) {
    text.push_back(words.say("threat.shared_cpu"));
  } else {
    text.push_back(words.say("threat.shared_caches", {{"server", data.cpus.server}, {"load", data.cpus.load}}));
  }
}

void add_work(const Results& results, std::vector<std::string>& text) {
  const Words& words = results.words();
  const Spec& spec = results.data().spec;
  if (!spec.probe.empty()) {
    text.push_back(words.say("threat.probe"));
    return;
  }
  text.push_back(words.say("threat.one_client"));
  const auto any = [&](auto&& holds) { return std::ranges::any_of(spec.levels, holds); };
  const auto is_open = [](const Level& level) { return level.workload.rate_per_s.has_value(); };
  const auto produces = [](const Level& level) { return level.workload.kind == "produce"; };
  const auto syncs = [](const Level& level) {
    return std::ranges::any_of(level.broker, [](const auto& property) { return property.first == "iolab.flush"; });
  };
  if (!any(is_open)) text.push_back(words.say("threat.closed_loop"));
  if (any(is_open)) text.push_back(words.say("threat.open_loop"));
  if (!any(syncs)) {
    text.push_back(words.say(any(produces) ? "threat.page_cache_write" : "threat.page_cache_read"));
  }
  const auto scales = [](const Variant& variant) { return variant.threads.value_or(1) > 1; };
  if (spec.threads <= 1 && std::ranges::none_of(spec.variants, scales)) {
    text.push_back(words.say("threat.one_thread"));
  }
}

void add_run(const Results& results, std::vector<std::string>& text) {
  const Words& words = results.words();
  const RunData& data = results.data();
  constexpr int kEnough = 6;
  const int repeat = data.spec.timing.repeat;
  text.push_back(words.say(repeat < kEnough ? "threat.few_trials" : "threat.trials", {{"trials", repeat}}));
  if (data.spec.profile == "quick") {
    text.push_back(words.say("threat.quick", {{"measure", duration_text(data.spec.timing.measure)}}));
  }
  if (data.status != "complete") text.push_back(words.say("threat.stopped"));
  if (results.failed_trials() > 0) text.push_back(words.say("threat.failed", {{"failed", results.failed_trials()}}));
  if (data.dirty) text.push_back(words.say("threat.dirty"));
}

std::vector<std::string> method_of_a_probe(const Results& results) {
  const Words& words = results.words();
  const RunData& data = results.data();
  std::vector<std::string> text{
      words.say("method.probe", {{"probe", data.spec.probe}, {"server", data.cpus.server}, {"peer", data.cpus.load}}),
      words.say("method.probe_window",
                {{"measure", duration_text(data.spec.timing.measure)}, {"trials", data.spec.timing.repeat}}),
      words.say("method.blocks", {{"seed", std::to_string(data.plan.seed)}}),
      words.say("method.again", {{"baseline", data.spec.baseline}}),
  };
  if (data.spec.judge) add_judged(results, text);
  return text;
}

}  // namespace

std::vector<std::string> method(const Results& results) {
  const Words& words = results.words();
  const RunData& data = results.data();
  const Spec& spec = data.spec;
  if (!spec.probe.empty()) return method_of_a_probe(results);
  std::vector<std::string> text{
      spec.target ? words.say("method.target", {{"load", data.cpus.load}})
                  : words.say("method.fresh_process", {{"server", data.cpus.server}, {"load", data.cpus.load}}),
      words.say("method.window", {{"warmup", duration_text(spec.timing.warmup)},
                                  {"measure", duration_text(spec.timing.measure)},
                                  {"trials", spec.timing.repeat}}),
      words.say("method.blocks", {{"seed", std::to_string(data.plan.seed)}}),
      words.say("method.counts_only_if"),
      words.say("method.again", {{"baseline", spec.baseline}}),
  };
  if (!spec.target) {
    text.push_back(words.say("method.counters"));
    text.push_back(words.say("method.cpu"));
  }
  if (!spec.target) text.push_back(words.say(spec.path == PathKind::veth ? "method.veth" : "method.loopback"));
  if (spec.judge) add_judged(results, text);
  return text;
}

std::vector<std::string> threats_to_validity(const Results& results) {
  std::vector<std::string> text;
  add_place(results, text);
  add_work(results, text);
  add_run(results, text);
  return text;
}

std::vector<std::string> questions_to_think_about(const Results& results) {
  const Words& words = results.words();
  const auto own = "think." + results.data().spec.name + ".";
  const auto prefix = words.knows(own + "1") ? own : std::string("think.any.");
  return {words.say(prefix + "1"), words.say(prefix + "2"), words.say(prefix + "3")};
}

}  // namespace iolab::lab
