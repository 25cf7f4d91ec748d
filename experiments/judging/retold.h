// A run read in a language: what its spec says in both, and what it recorded in English (words.h), such as reasons,
// facts and ceilings, said again. Numbers, ids and messages of the operating system stay as they are.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/run/run_data.h"
#include "experiments/words/words.h"

namespace iolab::lab {

RunData retold(RunData data, const Words& words);

// Charts as RESULTS.md describes them: every text in them that a reader sees. `spec`: of their run, whose exclusions
// have their reasons in both languages.
nlohmann::ordered_json retold(nlohmann::ordered_json charts, const Spec& spec, const Words& words);

}  // namespace iolab::lab
