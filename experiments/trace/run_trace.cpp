#include "experiments/trace/run_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/machine/interrupt.h"
#include "experiments/run/run.h"
#include "experiments/trace/ladder.h"
#include "experiments/trace/strip.h"

namespace iolab::lab {
namespace {

// A 99th percentile is worth its name with four requests beyond it.
constexpr int kEnoughForP99 = 400;

int fewest_counted(const std::vector<Lane>& lanes) {
  int fewest = kEnoughForP99;
  for (const auto& lane : lanes) {
    if (lane.missing.empty()) fewest = std::min(fewest, lane.requests);
  }
  return fewest;
}

}  // namespace

nlohmann::ordered_json charts_of(const std::vector<TracedModel>& models, const std::string& work) {
  const auto overhead = overhead_of(models);
  const StripSubject median{.id = "one_request", .work = work, .exemplar = "median", .overhead = overhead};
  const auto lanes = lanes_of(models, 0.5);
  const bool enough = fewest_counted(lanes) >= kEnoughForP99;
  const StripSubject slow{.id = enough ? "one_request_p99" : "one_request_slowest",
                          .work = work,
                          .exemplar = enough ? "p99" : "slowest",
                          .overhead = overhead};
  auto charts = nlohmann::ordered_json::array(
      {strip_chart(lanes, median), strip_chart(lanes_of(models, enough ? 0.99 : 1.0), slow)});
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
  // Half of the models, drawn as if it were all, would stay for ever.
  if (interrupted())
    return std::unexpected(std::string("interrupted while single requests were traced: none is drawn"));
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
  constexpr TraceSetup kOfAPreview{.requests = 60, .pairs = 3, .requests_of_a_piece = 16};
  const TraceSetup setup = data.spec.profile == "quick" ? kOfAPreview : TraceSetup{};
  auto charts = trace_run(data, level, directory, binary, setup);
  if (!charts && !interrupted()) return std::unexpected(charts.error());
  return {};
}

}  // namespace iolab::lab
