// A load with a script of the caller's: how the ceiling is measured with answers that no broker gave.
#pragma once

#include "clients/dialogue.h"
#include "clients/load.h"

namespace iolab::clients {

// Why such a load cannot be run; empty if it can. Raises the soft limit of open files if it has to.
std::string problem_of(const LoadSpec& spec);

// The second half of run_load(): for a spec without a problem.
std::expected<LoadResult, std::string> run_script(const LoadSpec& spec, const Script& script, const LoadEvents& events);

}  // namespace iolab::clients
