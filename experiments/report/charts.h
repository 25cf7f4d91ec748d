// The charts of a report as data: titles that say the finding, axes with their ticks, points with their whiskers. The
// program that draws them computes nothing (RESULTS.md describes the shape).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/judging/results.h"
#include "experiments/spec/metrics.h"

namespace iolab::lab {

nlohmann::ordered_json make_charts(const Results& results);

// One panel for each of two telling levels.
nlohmann::ordered_json bar_chart(const Results& results, const Metric& metric);
// System calls per request, stacked by kind.
nlohmann::ordered_json call_chart(const Results& results);

// CPU per request, stacked: in the program, in the kernel.
nlohmann::ordered_json cpu_chart(const Results& results);
// From the median to the slowest request, one panel for each of two telling levels; null if nothing was timed.
nlohmann::ordered_json tail_chart(const Results& results);
// Which models share the least (of a rate: the most) of the judged figure at each level; null for a single level, and
// where nothing tells how large a difference must be.
nlohmann::ordered_json map_chart(const Results& results);

// A list of {at, label} that spans [low, high] in round steps; for logarithmic axes 1, 2, 5 of each decade.
nlohmann::ordered_json linear_ticks(double high);
nlohmann::ordered_json logarithmic_ticks(double low, double high);

}  // namespace iolab::lab
