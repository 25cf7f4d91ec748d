// Whether the expected story came out refuted: the figures that its author named before the run (`refuted_when`), each
// against its border. Only a whole interval beyond the border speaks against the story, and only a whole interval on
// the other side speaks for it; everything between, and a figure that is missing, is what this run cannot say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/judging/checked_figure.h"
#include "experiments/judging/results.h"
#include "experiments/judging/sentences.h"

namespace iolab::lab {

enum class Refuted : std::uint8_t { yes, no, cannot_say };

struct RefutingFigure {
  const RefutingCheck* check = nullptr;
  CheckedFigure found = {};
  std::string missing = {};  // why there is none; empty: there is one
  Refuted refuted = Refuted::cannot_say;
};

struct Refutation {
  Refuted verdict = Refuted::cannot_say;
  std::vector<RefutingFigure> figures;
};

// Nothing: the spec does not say when it is refuted.
std::optional<Refutation> refutation_of(const Results& results);

// One sentence, with the figures that decided.
void say_refutation(const Results& results, std::vector<Sentence>& found);

}  // namespace iolab::lab
