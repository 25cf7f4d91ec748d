#include "experiments/trace/run_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/machine/interrupt.h"
#include "experiments/run/run.h"
#include "experiments/trace/ladder.h"
#include "experiments/trace/strip.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

// "a traced request took 1.1 to 1.6 times as long as an untraced one"; empty: not measured.
std::string overhead_of(const std::vector<TracedModel>& models) {
  std::vector<double> ratios;
  for (const auto& model : models) {
    if (model.untraced_us > 0 && model.traced_us > 0) ratios.push_back(model.traced_us / model.untraced_us);
  }
  if (ratios.empty()) return {};
  const auto [low, high] = std::ranges::minmax(ratios);
  return recorded("timeline.overhead", {{"low", three_digits(low)}, {"high", three_digits(high)}});
}

}  // namespace

nlohmann::ordered_json charts_of(const std::vector<TracedModel>& models, const std::string& work) {
  const auto overhead = overhead_of(models);
  const StripSubject median{.id = "one_request", .work = work, .exemplar = "median", .overhead = overhead};
  const StripSubject slow{.id = "one_request_p99", .work = work, .exemplar = "p99", .overhead = overhead};
  const auto lanes = lanes_of(models, 0.5);
  auto charts = nlohmann::ordered_json::array({strip_chart(lanes, median), strip_chart(lanes_of(models, 0.99), slow)});
  for (const auto& lane : lanes) {
    if (lane.missing.empty()) charts.push_back(ladder_chart(lane, median));
  }
  return charts;
}

std::expected<nlohmann::ordered_json, std::string> trace_run(const RunData& data, std::size_t level,
                                                             const RunDirectory& directory, const OwnBinary& binary,
                                                             const TraceSetup& setup) {
  const auto scratch = Scratch::create(directory.path());
  if (!scratch) return std::unexpected(scratch.error());
  const auto models = trace_models(data, level, binary, scratch->path(), setup);
  auto charts = charts_of(models, traced_work(data.spec.levels[level], setup));
  if (auto done = directory.write_below("traces", "charts.json", charts.dump(1) + "\n"); !done) {
    return std::unexpected(done.error());
  }
  return charts;
}

std::expected<void, std::string> trace_finished(const RunData& data, const RunDirectory& directory,
                                                const OwnBinary& binary) {
  const bool has_servers = !data.spec.target && data.spec.probe.empty();
  if (data.status != "complete" || !has_servers || interrupted()) return {};
  const auto level = judged_level(data.plan, data.spec).value_or(data.spec.levels.size() - 1);
  fmt::print(stderr, "Sending single requests through every model, every system call traced ...\n");
  constexpr int kOfAPreview = 60;
  const TraceSetup setup = data.spec.profile == "quick" ? TraceSetup{.requests = kOfAPreview} : TraceSetup{};
  auto charts = trace_run(data, level, directory, binary, setup);
  if (!charts) return std::unexpected(charts.error());
  return {};
}

}  // namespace iolab::lab
