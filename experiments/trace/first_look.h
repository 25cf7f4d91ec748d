// A look at single requests, traced, and then a short untraced measurement of what requests cost: `iolab first-look`,
// twenty seconds for a newcomer, and `iolab trace`, a few models looked at closely. Both leave a run directory, with
// the same files and the same report as any experiment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/trace/trace_pass.h"
#include "experiments/words/language.h"

namespace iolab::lab {

struct Look {
  std::string name;                 // "first-look": of the run, and of the command
  std::string command;              // that repeats it
  std::vector<std::string> models;  // empty: all
  std::string record_size;          // empty: as in the spec
  TraceSetup traced;
  bool closely = false;  // the slow request, and the steps of each model, besides
  std::string out;       // directory; empty: below results/
  bool draw = true;
  Language language = Language::english;
};

// The spec behind the measurement.
std::string_view first_look_spec();

// Prints what it saw; returns the exit code, after its sentence was said.
int look(const Look& look);

}  // namespace iolab::lab
