// The strip view of one request through every model: a lane for each, all aligned where the data arrived. To the left,
// in a scale of its own, what the threads did while they waited; to the right, what came after, in microseconds.
// Recorded in English as everything that a run records, and shown as a chart and as lines of text for the terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/trace/phases.h"
#include "experiments/words/terminal.h"
#include "experiments/words/words.h"

namespace iolab::lab {

struct StripSubject {
  std::string id;        // of the chart
  std::string work;      // "one produced record of 100 B, one connection"
  std::string exemplar;  // "median" | "p99" | "slowest"
  std::string overhead;  // of tracing, as recorded; may be empty
};

// A chart of kind "timeline" as RESULTS.md describes it.
nlohmann::ordered_json strip_chart(const std::vector<Lane>& lanes, const StripSubject& subject);

// For each model a bar and its figures, and what the signs mean.
std::string strip_text(const Words& words, const std::vector<Lane>& lanes, const Terminal& terminal);

// What was traced, which request is shown, and what tracing cost.
std::string subtitle_of(const StripSubject& subject, const std::string& requests);

// Colours, hatches and names of what a thread may be doing; of every chart that is made of pieces.
nlohmann::ordered_json doing_states();
std::string_view name(Doing doing);

}  // namespace iolab::lab
