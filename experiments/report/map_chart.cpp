// The map: where which models need least of what the question is about. A column is a level, a row is a model. All that
// cannot be told from the least by the ratios of their blocks share "=", and that is most of a map.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/judging/sentences.h"
#include "experiments/report/chart_parts.h"
#include "experiments/report/charts.h"
#include "experiments/statistics/statistics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

bool more_is_wanted(const Metric& metric) {
  return metric.id == "requests_per_s" || metric.id == "bytes_per_s";
}

// The end of a column that everybody else is held against; nothing where no model ran.
std::optional<std::size_t> end_of(const Results& results, std::size_t level, const Metric& metric) {
  std::optional<std::size_t> found;
  double end = 0;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto value = results.cell(series, level).median_of(metric.id);
    if (!results.is_model(series) || !value) continue;
    if (!found || (more_is_wanted(metric) ? *value > end : *value < end)) {
      found = series;
      end = *value;
    }
  }
  return found;
}

enum class State : std::uint8_t { alone, tied, apart, unknown, missing };

std::string_view name(State state) {
  switch (state) {
    case State::alone: return "alone";
    case State::tied: return "tied";
    case State::apart: return "apart";
    case State::unknown: return "unknown";
    case State::missing: return "missing";
  }
  return "missing";
}

Json place(State state, std::string text, const Cell& cell) {
  return {{"state", name(state)}, {"text", std::move(text)}, {"cell", cell.id}, {"reason", cell.reason}};
}

Json place_beside(const Results& results, std::size_t series, std::size_t end, std::size_t level,
                  const Metric& metric) {
  const Cell& cell = results.cell(series, level);
  if (!cell.median_of(metric.id)) return place(State::missing, "-", cell);
  if (series == end) return place(State::tied, "=", cell);
  auto ratios = results.block_ratios(series, end, level, metric.id);
  if (ratios.size() < kFewestBlocks) return place(State::unknown, "?", cell);
  if (direction(ratios, results.noise(metric.id, level).value_or(0)) == Direction::not_told) {
    return place(State::tied, "=", cell);
  }
  std::ranges::sort(ratios);
  return place(State::apart, fmt::format("{}-{} x", ratio_text(ratios.front()), ratio_text(ratios.back())), cell);
}

// One column, model by model. The end of the column keeps its letter only if nobody shares it.
std::vector<Json> column(const Results& results, const std::vector<std::size_t>& models, std::size_t level,
                         const Metric& metric) {
  const auto end = end_of(results, level, metric);
  std::vector<Json> places;
  bool shared = false;
  bool beaten = false;  // alone is only who left another behind
  for (const auto series : models) {
    places.push_back(end ? place_beside(results, series, *end, level, metric)
                         : place(State::missing, "-", results.cell(series, level)));
    const auto state = places.back()["state"].get<std::string>();
    shared = shared || (series != end && (state == "tied" || state == "unknown"));
    beaten = beaten || (series != end && state == "apart");
  }
  const auto alone = std::ranges::find(models, end.value_or(0));
  if (!end || shared || !beaten || alone == models.end()) return places;
  const auto row = static_cast<std::size_t>(alone - models.begin());
  places[row] = place(State::alone, std::string(1, static_cast<char>('A' + row)), results.cell(*end, level));
  return places;
}

Json states(const Words& words, bool most) {
  return Json::array(
      {{{"id", "alone"}, {"label", words.say(most ? "map.alone_most" : "map.alone_least")}, {"hatch", ""}},
       {{"id", "tied"}, {"label", words.say("map.tied")}, {"hatch", "//"}},
       {{"id", "apart"}, {"label", words.say("map.apart")}, {"hatch", ""}},
       {{"id", "unknown"}, {"label", words.say("map.unknown")}, {"hatch", ".."}},
       {{"id", "missing"}, {"label", words.say("cell.not_run")}, {"hatch", "xx"}}});
}

Json columns_json(const Spec& spec) {
  Json columns = Json::array();
  for (const auto& level : spec.levels) columns.push_back({{"id", level.id}, {"label", level.label}});
  return columns;
}

}  // namespace

Json map_chart(const Results& results) {
  const RunData& data = results.data();
  const Words& words = results.words();
  const Metric& metric = *find_metric(data.spec.judge ? data.spec.judge->metric : data.spec.watch.front());
  if (data.spec.levels.size() < 2 || !results.noise(metric.id)) return {};
  std::vector<std::size_t> models;
  for (std::size_t series = 0; series < data.plan.series.size(); ++series) {
    if (results.is_model(series)) models.push_back(series);
  }
  Json rows = Json::array();
  for (const auto series : models) {
    rows.push_back({{"series", data.plan.series[series].id},
                    {"letter", std::string(1, static_cast<char>('A' + rows.size()))},
                    {"label", data.plan.series[series].id},
                    {"cells", Json::array()}});
  }
  std::size_t alone = 0;
  for (std::size_t level = 0; level < data.spec.levels.size(); ++level) {
    const auto places = column(results, models, level, metric);
    for (std::size_t row = 0; row < places.size(); ++row) {
      alone += places[row]["state"] == "alone" ? 1 : 0;
      rows[row]["cells"].push_back(places[row]);
    }
  }
  const bool most = more_is_wanted(metric);
  const auto title =
      words.say(most ? "map.title_most" : "map.title_least",
                {{"metric", metric_label(words, metric)}, {"alone", alone}, {"levels", data.spec.levels.size()}});
  return {{"id", "map"},
          {"kind", "map"},
          {"title", title},
          {"subtitle", words.say("map.subtitle", {{"metric", metric_label(words, metric)}})},
          {"alt", title},
          {"x", no_axis()},
          {"y", no_axis()},
          {"columns", columns_json(data.spec)},
          {"states", states(words, most)},
          {"panels", Json::array({{{"rows", rows}}})}};
}

}  // namespace iolab::lab
