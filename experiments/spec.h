// One question, as a file: which models, which work, what varies, how long. JSON with comments, Kafka's own property
// names inside `broker`, `topic_config`, `producer` and `consumer`, quantities as strings with units.
//
// A spec is read strictly: a key that nobody knows, a quantity without a unit or a value out of range is a problem with
// file, line and column, and all of them are reported at once. What a spec says is settled before anything runs; what
// it does not say is written out with its default in the run's own spec.json.
// Left out here: whether a model can run on this machine (plan.h), and whether the broker knows a property (it says so
// itself when the first server starts).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/json_document.h"

namespace iolab::lab {

using Properties = std::vector<std::pair<std::string, std::string>>;  // in the order of the file

struct Workload {
  std::string kind = "produce";  // produce | fetch
  int connections = 16;
  int idle_connections = 0;
  int in_flight = 1;
  std::uint64_t record_bytes = 100;
  int records_per_batch = 1;
  int partitions = 1;
  std::uint64_t prefill_bytes = 0;   // fetch: what each partition holds before the load starts
  std::optional<double> rate_per_s;  // nothing: closed loop
};

struct Timing {
  std::chrono::milliseconds warmup{1000};
  std::chrono::milliseconds measure{3000};
  int repeat = 10;
};

struct Axis {
  std::string path;                 // "workload.idle_connections"
  std::string label;                // "idle connections"
  std::vector<std::string> values;  // as in the file, but as text: "0", "64KiB"
  std::vector<std::string> labels;  // "0", "64 KiB"
  std::vector<double> numbers;      // for a position on a chart; NaN where a value is no quantity
};

// One combination of the axes' values, with the work it stands for.
struct Level {
  std::string id;               // "connections=32,record_size=64KiB"
  std::string label;            // "32 busy connections, 64 KiB records"
  std::vector<std::size_t> at;  // index of the value on each axis
  Workload workload;
  Properties broker;  // broker properties, those of the topic included
  Properties producer;
  Properties consumer;
};

// What does not vary need not be said at every figure, unless nothing varies.
inline bool is_said(const std::vector<Axis>& axes, const Axis& axis) {
  const auto varies = [](const Axis& one) { return one.values.size() > 1; };
  for (const Axis& each : axes) {
    if (varies(each)) return varies(axis);
  }
  return true;
}

struct Exclusion {
  std::vector<std::string> models;
  std::string when;     // "workload.idle_connections > 1000", sums on the left allowed; empty: always
  std::string because;  // half a sentence
};

// Which comparison counts, and by which rules: parsed, printed and hashed with the spec, so that it stands before the
// first trial.
struct Judge {
  std::string metric;
  std::string better = "lower";
  double ignore_below = 0.05;
  double confidence = 0.95;
  int duets = 0;  // pairs of processes for each model; 0: judged by the trials
  std::chrono::microseconds slice{10'000};
  int slices = 150;  // of each side of a duet
};

struct Spec {
  std::string name;
  std::string question;
  std::string background;
  std::vector<std::string> models;  // empty: all of them
  std::string baseline = "epoll";   // of every ratio; also the model that is entered twice
  int threads = 0;                  // serving threads; 0: each model's own default
  std::vector<std::string> watch;   // metrics, the most telling first
  std::vector<std::string> focus;   // the models that the question names: compared with the baseline level by level
  std::vector<Axis> axes;
  std::vector<Level> levels;
  std::vector<Exclusion> exclusions;
  Timing timing;
  std::chrono::seconds longest{1200};  // limits.total
  std::optional<Judge> judge;
  std::string profile;
  std::string text;    // the effective spec, every default written out: what spec.json holds
  std::string sha256;  // of `text`
};

struct SpecOptions {
  std::string profile = "standard";                                             // quick | standard | careful
  std::vector<std::string> models = {};                                         // --models
  std::vector<std::pair<std::string, std::vector<std::string>>> settings = {};  // --set KEY=V1,V2
  std::vector<std::string> known_models = {};                                   // ids; empty: not checked
};

// `file_name` is only for complaints. Problems are never empty on failure.
std::expected<Spec, std::vector<Problem>> parse_spec(std::string_view text, const std::string& file_name,
                                                     const SpecOptions& options);

// Whether an exclusion's condition holds for this work. The error is half a sentence.
std::expected<bool, std::string> condition_holds(std::string_view condition, const Workload& workload);

// "epoll" of "epoll:option=value": models are compared by what is before the colon.
std::string_view model_id(std::string_view model);

}  // namespace iolab::lab
