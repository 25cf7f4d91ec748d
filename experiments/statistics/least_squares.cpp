#include "experiments/statistics/least_squares.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace iolab::lab {

double predicted(const std::vector<double>& prices, const Observation& observation) {
  return std::inner_product(prices.begin(), prices.end(), observation.causes.begin(), 0.0);
}

std::vector<double> nonnegative_prices(const std::vector<Observation>& observations) {
  if (observations.empty()) return {};
  const std::size_t causes = observations.front().causes.size();
  std::vector<double> prices(causes, 0);
  // What is left unexplained of each observation, as a share of its cost.
  std::vector<double> left(observations.size(), 1);
  constexpr int kRounds = 5000;
  for (int round = 0; round < kRounds; ++round) {
    double moved = 0;
    for (std::size_t j = 0; j < causes; ++j) {
      double along = 0;
      double length = 0;
      for (std::size_t i = 0; i < observations.size(); ++i) {
        const double weight = observations[i].causes[j] / observations[i].cost;
        along += weight * left[i];
        length += weight * weight;
      }
      if (length <= 0) continue;
      const double price = std::max(0.0, prices[j] + along / length);
      const double step = price - prices[j];
      for (std::size_t i = 0; i < observations.size(); ++i) {
        left[i] -= step * observations[i].causes[j] / observations[i].cost;
      }
      prices[j] = price;
      moved = std::max(moved, std::abs(step) / std::max(price, 1e-12));
    }
    if (moved < 1e-9) break;
  }
  return prices;
}

}  // namespace iolab::lab
