// What can be said of a cell: every metric with its id (in files), its words (in reports), its unit, and whether it is
// an exact count or a measured time. The ids are those of RESULTS.md.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct Metric {
  std::string_view id;           // "server_cpu_us_per_request"
  std::string_view label;        // "server CPU per request"
  std::string_view unit;         // "us"; "%" values are stored as shares and printed as percentages
  std::string_view short_label;  // "CPU/req", for narrow columns
  bool exact = false;            // a count: the same on every machine, no statistics needed
  double fraction = 0;           // of a percentile; 0: it is none
};

std::span<const Metric> metrics();
const Metric* find_metric(std::string_view id);
std::vector<std::string> metric_ids();

// The value alone, as it stands in a table whose header names the unit: "4.05", "12,345", "3.1 %".
std::string metric_text(const Metric& metric, double value);
// The value with its unit, as it stands in a sentence: "4.05 us", "12,345 requests/s".
std::string metric_phrase(const Metric& metric, double value);

}  // namespace iolab::lab
