// Where the CPU time of a request went: in the program itself, and in the kernel on its behalf.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/report/charts.h"
#include "experiments/words/units.h"

namespace iolab::lab {

nlohmann::ordered_json cpu_chart(const Results& results) {
  struct Part {
    std::string_view metric, id, color, hatch;
  };
  static constexpr std::array kParts{Part{"server_user_us_per_request", "user", "#009E73", ""},
                                     Part{"server_system_us_per_request", "system", "#0072B2", "//"}};
  const Words& words = results.words();
  auto chart = bar_chart(results, *find_metric("server_cpu_us_per_request"));
  for (auto& panel : chart["panels"]) {
    for (auto& bar : panel["bars"]) {
      const auto cell = std::ranges::find(results.cells(), bar["cell"].get<std::string>(), &Cell::id);
      for (const Part& part : kParts) {
        const auto value = cell->median_of(part.metric);
        if (value && bar["value"].is_number()) {
          bar["parts"].push_back({{"part", part.id}, {"value", *value}, {"text", three_digits(*value)}});
        }
      }
    }
  }
  for (const Part& part : kParts) {
    chart["parts"].push_back({{"id", part.id},
                              {"label", metric_label(words, *find_metric(part.metric))},
                              {"color", part.color},
                              {"hatch", part.hatch}});
  }
  chart["id"] = "cpu_split";
  chart["subtitle"] = words.say("cpu.subtitle");
  return chart;
}

}  // namespace iolab::lab
