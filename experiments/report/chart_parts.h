// What all charts are made of: points with their whiskers, axes with their ticks, titles and subtitles. RESULTS.md
// describes the shapes; units are those of the axis (shares in percent, bytes in MB).
#pragma once

#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiments/judging/results.h"
#include "experiments/spec/metrics.h"

namespace iolab::lab {

// {value, low, high, values, text, cell, quality} of one cell.
nlohmann::ordered_json point_of(const Words& words, const Cell& cell, const Metric& metric);

// From the smallest positive to the largest of all figures that a chart has to show.
struct Span {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  void add(const nlohmann::ordered_json& point);
  void add(double value);
  bool empty() const { return high <= 0; }
  bool wide() const;  // too wide to be read on a linear axis
};

nlohmann::ordered_json value_axis(const Words& words, const Metric& metric, const Span& span, bool may_be_logarithmic);
nlohmann::ordered_json no_axis();

// The finding: "Server CPU per request: poll: 5.23 to 7.66 times epoll with 5,000 idle connections".
std::string chart_title(const Results& results, const Metric& metric);
std::string chart_subtitle(const Results& results);

}  // namespace iolab::lab
