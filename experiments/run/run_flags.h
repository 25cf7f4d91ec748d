// What can be said after `iolab run`, and what it stands for: settings of the spec, or how it is run.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/machine/ceilings.h"
#include "experiments/machine/models.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

struct RunFlags {
  std::string name;
  std::string profile = "standard";
  std::string models;
  std::vector<std::string> settings;  // KEY=V1,V2
  std::string filter;
  std::string cpus;
  std::uint64_t seed = 1;
  std::string out;
  std::string max_time;
  bool require_all = false;
  bool strict = false;
  bool dry_run = false;
  bool yes = false;
  bool no_report = false;
  bool no_trace = false;
  bool plain = false;
  bool quiet = false;
};

// Flags that are short for --set: the word after the dashes, and the key.
struct ShortSetting {
  std::string_view flag;
  std::string_view key;
  std::string_view summary;
};
inline constexpr std::array kShortSettings{
    ShortSetting{"--warmup", "timing.warmup", "before each window, for example 500ms"},
    ShortSetting{"--measure", "timing.measure", "the window of a trial, for example 3s"},
    ShortSetting{"--repeat", "timing.repeat", "trials of each cell"},
    ShortSetting{"--baseline", "baseline", "the model of every ratio"},
    ShortSetting{"--max-connections", "limits.connections", "cells with more connections are not run"},
    ShortSetting{"--max-memory", "limits.memory", "a trial whose server takes more is stopped and fails"},
};

// The error is a sentence.
std::expected<SpecOptions, std::string> spec_options(const RunFlags& flags, const std::vector<ModelInfo>& models);

// "server=0,load=1", both among `allowed`. The error is half a sentence.
std::expected<CpuPair, std::string> parse_cpus(const std::string& text, const std::vector<int>& allowed);

// The command that runs the same plan again.
std::string repeat_command(const RunFlags& flags);

}  // namespace iolab::lab
