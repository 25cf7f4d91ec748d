#include "experiments/report/ceiling_rows.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "experiments/statistics/statistics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

Json json_number(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

// "101 ns (98 to 116)", or why there is none.
std::string measured_text(const Words& words, const Ceiling* ceiling) {
  if (ceiling == nullptr) return words.say("ceiling.not_measured");
  if (!std::isfinite(ceiling->value)) {
    if (ceiling->reason.empty()) return words.say("ceiling.not_measurable");
    return words.say("ceiling.not_measurable_because", {{"reason", words.retold(ceiling->reason)}});
  }
  const auto text = words.say("unit.other", {{"value", three_digits(ceiling->value)}, {"unit", ceiling->unit}});
  if (ceiling->repetitions < 2 || !std::isfinite(ceiling->low)) return text;
  return words.say("ceiling.range",
                   {{"value", text}, {"low", three_digits(ceiling->low)}, {"high", three_digits(ceiling->high)}});
}

const Ceiling* row(const std::vector<Ceiling>& ceilings, const std::string& id) {
  const auto found = std::ranges::find(ceilings, id, &Ceiling::id);
  return found == ceilings.end() ? nullptr : &*found;
}

// Over all times between, as one row: the median of the medians, and how far they went.
std::optional<Ceiling> over_the_run(const RunData& data, const std::string& id) {
  std::vector<double> values;
  std::optional<Ceiling> all;
  for (const auto& session : data.sessions) {
    for (const auto& moment : session.ceilings_between) {
      const Ceiling* one = find_ceiling(moment.values, id);
      if (one == nullptr) continue;
      values.push_back(one->value);
      all = *one;
    }
  }
  if (!all) return std::nullopt;
  const auto [low, high] = std::ranges::minmax(values);
  all->value = median(values);
  all->low = low;
  all->high = high;
  all->repetitions = static_cast<int>(values.size());
  return all;
}

}  // namespace

Json ceilings_report(const Results& results) {
  const Words& words = results.words();
  const RunData& data = results.data();
  Json list = Json::array();
  for (const auto& before : data.ceilings_before) {
    const Ceiling* after = row(data.ceilings_after, before.id);
    const auto between = over_the_run(data, before.id);
    const auto first = measured_text(words, &before);
    const auto last = measured_text(words, after);
    const bool once = before.id == "first_touch" || before.id == "second_touch";
    std::string text = words.say("ceiling.before", {{"before", first}});
    if (between) {
      text = words.say("ceiling.before_between_after",
                       {{"before", first}, {"between", measured_text(words, &*between)}, {"after", last}});
    } else if (!once) {
      text = words.say("ceiling.before_and_after", {{"before", first}, {"after", last}});
    }
    list.push_back({{"id", before.id},
                    {"label", before.label},
                    {"unit", before.unit},
                    {"before", json_number(before.value)},
                    {"between", between ? json_number(between->value) : Json()},
                    {"after", after != nullptr ? json_number(after->value) : Json()},
                    {"text", text},
                    {"meaning", before.meaning}});
  }
  return list;
}

}  // namespace iolab::lab
