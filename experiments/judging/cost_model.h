// What does a request cost, told from what was counted? Server CPU per request as a sum of causes that have prices: the
// request itself, each system call, each wake-up, each KiB that crosses the border of the kernel, each descriptor that
// select() or poll() looked at. The prices are fitted on one half of the cells and tried on the other half, which they
// have not seen; how far they are off there is printed beside them. A model that is off by much is said to be.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

// In the order of the prices.
inline constexpr std::array<std::string_view, 5> kCauses{"request", "system_call", "wake_up", "kib", "descriptor"};

struct CostCell {
  std::string run;
  std::string cell;
  double measured_us = 0;  // server CPU per request, median
  std::array<double, kCauses.size()> causes{};
};

// Of every model's cells that have figures. A model that never sleeps is left out: its CPU says nothing of its work.
std::vector<CostCell> cost_cells(const Results& results);

struct CostModel {
  std::vector<double> prices_us;  // by kCauses
  struct Try {
    const CostCell* cell = nullptr;
    double predicted_us = 0;
    double error() const { return predicted_us / cell->measured_us - 1; }
  };
  std::vector<Try> fitted;  // the half that the prices come from
  std::vector<Try> tried;   // the other half
  double median_error = 0;  // of `tried`, absolute
  double largest_error = 0;
};

// The halves follow from the ids of the cells, never from their figures. Nothing, with fewer than four times as many
// cells as there are prices.
std::optional<CostModel> fit_cost(const std::vector<CostCell>& cells);

}  // namespace iolab::lab
