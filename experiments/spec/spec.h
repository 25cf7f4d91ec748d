// One question, as a file: which models, which work, what varies, how long. JSON with comments, Kafka's own property
// names inside `broker`, `topic_config`, `producer` and `consumer`, quantities as strings with units.
//
// A spec is read strictly: a key that nobody knows, a quantity without a unit or a value out of range is a problem with
// file, line and column, and all of them are reported at once. What a spec says is settled before anything runs; what
// it does not say is written out with its default in the run's own spec.json. Its keys are the table of spec_fields.h.
// Whether the broker knows a property or a model's option, it is asked (spec_broker.h). Left out here: whether a model
// can run on this machine (plan.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/spec/json_document.h"
#include "experiments/spec/problems.h"

namespace iolab::lab {

using Properties = std::vector<std::pair<std::string, std::string>>;  // in the order of the file

struct Workload {
  std::string kind = "produce";  // produce | fetch
  int connections = 16;
  int idle_connections = 0;
  int stalled_connections = 0;
  int cold_readers = 0;  // beside the load, from a topic of their own that is not in memory
  int in_flight = 1;
  std::uint64_t record_bytes = 100;
  int records_per_batch = 1;
  int partitions = 1;
  std::uint64_t prefill_bytes = 0;     // fetch: what each partition holds before the load starts
  std::optional<double> rate_per_s;    // nothing: closed loop
  std::chrono::milliseconds stall{0};  // of the server, once, in the middle of the window
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
  Properties probe;  // settings of the probe
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
  std::string when;             // "workload.idle_connections > 1000", sums on the left allowed; empty: always
  std::string because;          // half a sentence
  std::string because_zh = {};  // the same in Chinese; may be empty
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
  int slices = 150;      // of each side of a duet
  int side_by_side = 1;  // models that run round robin against one process of the baseline
  std::string at = {};   // id of the level that is judged; empty: the last that can be
};

// Whether pairs of processes decide, and not the trials: of what they can measure.
bool judges_by_duets(const Judge& judge);

// A broker that runs already, and is not ours to start, to stop or to read from inside.
struct Target {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;
};
constexpr std::string_view kTargetModel = "target";  // in place of the name of a model

// A model once more, under a name of its own and with broker properties or threads of its own; or a broker that runs
// already.
struct Variant {
  std::string id;
  std::string model;             // kTargetModel of a broker that runs already
  Properties broker;             // on top of those of the level
  std::optional<int> threads{};  // nothing: those of the spec
  std::optional<Target> target{};
};

// One of the answers between which a reader picks before looking.
struct Prediction {
  std::string text;
  std::string text_zh;  // may be empty
};

// A figure, or its ratio to that of another cell, and the borders beyond which it counts against the expected story.
struct RefutingCheck {
  std::string cell;  // "select/idle_connections=900"
  std::string metric;
  std::string per = {};      // another metric of the same cell, by which it is divided; may be empty
  std::string against = {};  // another cell, to which the ratio is formed; may be empty
  std::optional<double> above = {};
  std::optional<double> below = {};
};

struct RefutedWhen {
  std::vector<RefutingCheck> checks;  // empty: nobody has said
  bool any = false;                   // one of them is enough; otherwise all must hold
};

enum class PathKind : std::uint8_t { loopback, veth };  // between load and server

// So that a borrowed laptop survives.
struct RunLimits {
  int connections = 12'000;                             // of a level, busy and idle together
  std::uint64_t memory_bytes = std::uint64_t{1} << 30;  // a server may grow to this
  int trials = 500;                                     // a longer plan needs --yes
};

// Texts for readers are in English and, where the spec has it, in Chinese (`_zh`, otherwise empty).
struct Spec {
  std::string name;
  std::string question;
  std::string question_zh;
  std::string background;
  std::string background_zh;
  std::string expected;  // what the author expects to see; may be empty
  std::string expected_zh;
  std::string refuted_by;  // what would show that it is wrong; may be empty
  std::string refuted_by_zh;
  std::vector<Prediction> predict;  // may be empty
  RefutedWhen refuted_when;         // `refuted_by` in figures
  std::optional<Target> target;     // then nothing below is about models
  std::string probe;                // a small program that each trial runs in place of broker and load; empty: none
  PathKind path = PathKind::loopback;
  std::vector<std::string> models;  // empty: all of them
  std::vector<Variant> variants;
  std::string baseline = "epoll";  // of every ratio; also the model that is entered twice
  int threads = 0;                 // serving threads; 0: each model's own default
  std::vector<std::string> watch;  // metrics, the most telling first
  std::vector<std::string> focus;  // the models that the question names: compared with the baseline level by level
  std::vector<Axis> axes;
  std::vector<Level> levels;
  std::vector<Exclusion> exclusions;
  Timing timing;
  std::chrono::seconds longest{1200};  // limits.total
  RunLimits limits;
  std::optional<Judge> judge;
  std::string profile;
  std::string text;               // the effective spec, every default written out: what spec.json holds
  std::string sha256;             // of `text`
  std::vector<Problem> warnings;  // what is allowed, and probably not meant
};

// What a command of this program says is wrong with flags of its own (models.h: complaint_of).
using AskBroker = std::function<std::string(const std::vector<std::string>& flags)>;

struct SpecOptions {
  std::string profile = "standard";                                             // quick | standard | careful
  std::vector<std::string> models = {};                                         // --models
  std::vector<std::pair<std::string, std::vector<std::string>>> settings = {};  // --set KEY=V1,V2
  std::vector<std::string> known_models = {};                                   // ids; empty: not checked
  AskBroker ask_broker = {};                                                    // nobody to ask: not checked
  AskBroker ask_probe = {};
};

// `file_name` is only for complaints. Of the problems at least one is an error; those that have no file are mistakes of
// `options`.
std::expected<Spec, std::vector<Problem>> parse_spec(std::string_view text, const std::string& file_name,
                                                     const SpecOptions& options);

// Whether an exclusion's condition holds for this work. The error is half a sentence.
std::expected<bool, std::string> condition_holds(std::string_view condition, const Workload& workload,
                                                 const Properties& probe = {});

// "epoll" of "epoll:option=value": models are compared by what is before the colon.
std::string_view model_id(std::string_view model);

}  // namespace iolab::lab
