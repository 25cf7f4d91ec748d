// What can be said of a cell: every metric with its id (in files), its words (in reports), its unit, and whether it is
// an exact count or a measured time. The ids are those of RESULTS.md.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/words/words.h"

namespace iolab::lab {

struct Metric {
  std::string_view id;    // "server_cpu_us_per_request"
  std::string_view unit;  // "us"; "%" values are stored as shares and printed as percentages
  bool exact = false;     // a count: the same on every machine, no statistics needed
  double fraction = 0;    // of a percentile; 0: it is none
};

std::span<const Metric> metrics();        // of broker and load
std::span<const Metric> probe_metrics();  // of probes
const Metric* find_metric(std::string_view id);
std::vector<std::string> metric_ids();

// Whether more of it is good news. Nothing: it is neither, such as the share of its CPU that a client used.
enum class Better : std::uint8_t { lower, higher };
std::optional<Better> better_when(std::string_view metric);
// Cost and rate, which slices of a load show; what builds up over time is for trials.
// What a load generator can tell of a server that it sees only from outside.
bool told_by_load(std::string_view metric);

bool duets_measure(std::string_view metric);

std::string metric_label(const Words& words, const Metric& metric);        // "server CPU per request"
std::string metric_short_label(const Words& words, const Metric& metric);  // "CPU/req", for narrow columns

// The value alone, as it stands in a table whose header names the unit: "4.05", "12,345", "3.1 %".
std::string metric_text(const Metric& metric, double value);
// The value with its unit, as it stands in a sentence: "4.05 us", "12,345 requests/s".
std::string metric_phrase(const Words& words, const Metric& metric, double value);

}  // namespace iolab::lab
