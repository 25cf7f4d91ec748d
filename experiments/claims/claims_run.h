// `iolab claims`: makes the runs that the claims ask for, judges, and leaves a page that stands on its own.
#pragma once

#include <string>
#include <vector>

#include "experiments/words/language.h"

namespace iolab::lab {

struct ClaimsRequest {
  std::string out = {};                // directory; empty: results/claims-DATE-TIME
  std::string profile = "quick";       // of the runs that are made
  std::vector<std::string> from = {};  // directories below which runs are looked for before one is made
  bool make_runs = true;
  bool draw = true;
  Language language = Language::english;
};

// Prints the verdicts; returns the exit code, after its sentence was said.
int judge_claims(const ClaimsRequest& request);

}  // namespace iolab::lab
