// What a check comes to: its figure with an interval, where the border lies, and what follows for the claim.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/claims/claims.h"
#include "experiments/judging/checked_figure.h"
#include "experiments/judging/results.h"

namespace iolab::lab {

enum class Standing : std::uint8_t {
  holds,    // the whole interval is beyond the border, a ratio by more than chance reached
  fails,    // the whole interval is on the other side, likewise
  open,     // neither
  missing,  // there is no figure
};
std::string_view name(Standing standing);

struct Figure {
  const Check* check = nullptr;
  CheckedFigure found;
  double reach = 0;          // of a ratio: how far the same model was from itself, 0.1: 10 %
  std::string missing = {};  // why there is none
  Standing standing = Standing::missing;
};

struct Judged {
  const Claim* claim = nullptr;
  Ruling ruling = Ruling::cannot_say;
  std::vector<Figure> checks;
  std::vector<Figure> limits;
  std::string why;  // of cannot_say; recorded in English, but for what the claim itself says
};

// The results of a run by the name of its experiment; null: it was not made.
using FindRun = std::function<const Results*(const std::string& experiment)>;
Judged judge(const Claim& claim, const FindRun& find);

// "server CPU per request, select/idle_connections=900 over epoll/idle_connections=900: 1.43 times (1.19 to 1.67, 10
// blocks). No telling, the border lies inside (above 1.20 times was asked)."
std::string figure_text(const Words& words, const Figure& figure);

}  // namespace iolab::lab
