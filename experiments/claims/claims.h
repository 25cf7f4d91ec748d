// The textbook on trial: each claim of the classical notes with what would show it, and the verdict that recorded runs
// allow. A claim's checks are figures of cells, or ratios of two, each with a border; its limits are figures that show
// where it ends. The verdict follows from which of them hold, and from nothing else:
//
//   all checks hold, no limit does        supported
//   all checks hold, and a limit does     true only if ... (the claim's own words say what)
//   a check does not hold                 contradicted
//   a figure is missing                   cannot say here, with the reason
//
// What is a definition or history has no verdict; it is explained or cited. docs/METHODOLOGY.md.
#pragma once

#include <expected>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

// The same in both languages.
struct Told {
  std::string en;
  std::string zh;
  const std::string& in(Language language) const { return language == Language::chinese && !zh.empty() ? zh : en; }
};

struct Check {
  std::string run;   // an experiment
  std::string cell;  // "select/idle_connections=900"
  std::string metric;
  std::string per;      // another metric of the same cell, by which it is divided; may be empty
  std::string against;  // another cell of the run, to which the ratio is formed; may be empty
  std::optional<double> above;
  std::optional<double> below;
};

struct Claim {
  std::string id;                  // "M4"
  std::string group;               // "multiplexing"
  std::vector<std::string> kinds;  // measured, definitional, historical
  Told claim;
  Told test;
  Told only_if;            // may be empty
  std::string experiment;  // that shows it; may be empty
  std::vector<Check> checks;
  std::vector<Check> limits;

  bool is_measured() const;
};

// claims.json. The error is a sentence with the id of the claim.
std::expected<std::vector<Claim>, std::string> parse_claims(std::string_view text);

// Every experiment that a check asks for, in the order of the claims, each once.
std::vector<std::string> runs_needed(const std::vector<Claim>& claims);

enum class Ruling : std::uint8_t { supported, only_if, contradicted, cannot_say, definitional, historical };
std::string_view name(Ruling ruling);

struct Figure {
  const Check* check = nullptr;
  std::optional<double> value;
  std::string missing;  // why there is no value
  bool holds = false;
};

struct Judged {
  const Claim* claim = nullptr;
  Ruling ruling = Ruling::cannot_say;
  std::vector<Figure> checks;
  std::vector<Figure> limits;
  std::string why;  // of cannot_say
};

// The results of a run by the name of its experiment; null: it was not made.
using FindRun = std::function<const Results*(const std::string& experiment)>;
Judged judge(const Claim& claim, const FindRun& find);

// "server CPU per request of select/idle_connections=900 against epoll/idle_connections=900: 1.9 (above 1.5)"
std::string figure_text(const Words& words, const Figure& figure);

}  // namespace iolab::lab
