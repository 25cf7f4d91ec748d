// A sum of causes, each with a price that is not negative: the prices that fit best.
#pragma once

#include <vector>

namespace iolab::lab {

// One observation: how much of each cause, and what all of them cost together (above 0).
struct Observation {
  std::vector<double> causes;
  double cost = 0;
};

// Prices that make the sum of squared relative errors smallest, none below 0 (coordinate descent, Franc and others
// 2005). Relative, because an error of 1 us matters at 2 us and not at 200. Empty, if there are no observations.
std::vector<double> nonnegative_prices(const std::vector<Observation>& observations);

double predicted(const std::vector<double>& prices, const Observation& observation);

}  // namespace iolab::lab
