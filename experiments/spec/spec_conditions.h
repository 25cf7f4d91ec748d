// What the table of keys cannot see: conditions between keys, and what is allowed and probably not meant.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "experiments/spec/problems.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

// Takes a dotted path, or "matrix/" and the path of an axis, whose value is in question.
using Complain = std::function<void(Severity severity, const std::string& path, std::string what, std::string remedy)>;

// What is refused, and what is only said, depends on what a spec is read for.
struct Occasion {
  bool is_preview = false;       // the quick profile, of which nobody expects a verdict
  bool as_written = false;       // it is to be run or checked, and no flag and no profile changes what the file says
  std::size_t known_models = 0;  // how many this binary has; 0: of a run that was made, and cannot be refused any more
};

// `root` with profile and settings, without defaults. Values of a wrong kind are passed over: they have been complained
// of.
void check_conditions(const nlohmann::ordered_json& root, const Occasion& occasion, const Complain& complain);

// Of a file without errors, with profile and settings: either may begin a block that the file does not have.
void check_blocks(const nlohmann::ordered_json& root, const Complain& complain);

// What only the settled spec shows: of its judgement, and of work that every broker would refuse.
void check_settled(const Spec& spec, const Occasion& occasion, const Complain& complain);

}  // namespace iolab::lab
