// The textbook on trial: each claim of the classical notes with what would show it, and the verdict that recorded runs
// allow. A claim's checks are figures of cells, or ratios of two, each with a border; its limits are figures that show
// where it ends. A figure is beyond its border only with the whole of its interval (figures.h). The verdict follows
// from that, and from nothing else:
//
//   a check does not hold                 contradicted
//   a figure is missing                   cannot say here, with the reason
//   a border lies inside an interval      cannot say here: the trials do not agree
//   all checks hold, and a limit does     true only if ... (the claim's own words say what)
//   all checks hold, no limit does        supported
//
// What is a definition or history has no verdict; it is explained or cited, and its figures are shown beside it.
// docs/METHODOLOGY.md.
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

enum class Ruling : std::uint8_t { supported, only_if, contradicted, cannot_say, definitional, historical };
std::string_view name(Ruling ruling);

struct Claim {
  std::string id;                  // "M4"
  std::string group;               // "multiplexing"
  std::vector<std::string> kinds;  // measured, definitional, historical
  Told claim;
  std::string source;  // where it stands: "UNP 1, 6.2, figure 6.1"
  Told test;
  Told only_if;                    // may be empty
  Told why;                        // of a claim without checks: what it waits for
  std::string experiment;          // that shows it; may be empty
  std::optional<Ruling> expected;  // before the runs; nothing: it was left open
  std::vector<Check> checks;
  std::vector<Check> limits;

  bool is(std::string_view kind) const;
};

// claims.json. The error is a sentence with the id of the claim.
std::expected<std::vector<Claim>, std::string> parse_claims(std::string_view text);

// Every experiment that a check asks for, in the order of the claims, each once.
std::vector<std::string> runs_needed(const std::vector<Claim>& claims);

}  // namespace iolab::lab
