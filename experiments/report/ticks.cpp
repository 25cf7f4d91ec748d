// Where an axis is labelled: round steps, or 1, 2 and 5 of each decade.
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/report/charts.h"
#include "experiments/words/units.h"

namespace iolab::lab {
using Json = nlohmann::ordered_json;

Json linear_ticks(double high) {
  Json ticks = Json::array();
  if (!(high > 0) || !std::isfinite(high)) return ticks;
  constexpr double kAboutSteps = 5;
  const double decade = std::pow(10, std::floor(std::log10(high / kAboutSteps)));
  double step = decade;
  for (const double factor : {2.0, 5.0, 10.0}) {
    if (high / step > kAboutSteps + 1) step = decade * factor;
  }
  const int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step))));
  for (int i = 0; i * step <= high * (1 + 1e-9); ++i) {
    ticks.push_back({{"at", i * step}, {"label", with_thousands(i * step, decimals)}});
  }
  return ticks;
}

Json logarithmic_ticks(double low, double high) {
  Json ticks = Json::array();
  if (!(low > 0) || !std::isfinite(high)) return ticks;
  const bool few_decades = high / low < 300;
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); std::pow(10, exponent) <= high; ++exponent) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      if (factor > 1 && !few_decades) continue;
      const double at = factor * std::pow(10, exponent);
      if (at < low || at > high) continue;
      ticks.push_back({{"at", at}, {"label", with_thousands(at, std::max(0, -exponent))}});
    }
  }
  return ticks;
}

}  // namespace iolab::lab
