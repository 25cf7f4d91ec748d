// What does a request cost, told from what was counted? Server CPU per request as a sum of causes that have prices: the
// request itself, each system call, each wake-up, each KiB that crosses the border of the kernel, each descriptor that
// select() or poll() looked at. The prices are fitted on one half of the cells and tried on the other half, which they
// have not seen. A cell has kin: the same model at the next level, another model at the same one. So fits are also
// tried on a model, a level and a run of which they have seen nothing. A model of the cost that is off by much is said
// to be.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

// In the order of the prices. A wake-up is a voluntary context switch, in every model: the kernel counts those of a
// thread that slept in recv() as it counts those of one that slept in epoll_wait(). A wait that found something at once
// was no sleep.
inline constexpr std::array<std::string_view, 5> kCauses{"request", "system_call", "wake_up", "kib", "descriptor"};

struct CostCell {
  std::string run;  // its experiment: two runs of one are kin, and are left out together
  std::string cell;
  std::string model;  // without options
  std::string level;
  double measured_us = 0;  // server CPU per request, median
  std::array<double, kCauses.size()> causes{};
};

struct CostCells {
  std::vector<CostCell> cells;
  // Models that cannot be predicted. What glibc's threads do behind aio_read() is not in the layer's count; one that
  // never sleeps uses up its CPU whether there is work or not.
  std::set<std::string> hidden;
  std::set<std::string> never_sleep;
};

// Of every model's cells that have figures.
void add_cost_cells(const Results& results, CostCells& to);

struct Price {
  double us = 0;
  bool asked = false;  // a fitted cell has this cause
  // 95 % of the prices that come out when models are drawn again; nothing with fewer than kFewestModels of them.
  std::optional<double> low;
  std::optional<double> high;
  std::vector<std::size_t> alike;  // causes that this one cannot be told apart from in these cells: see cost_model.cpp
  bool told_from_0() const { return alike.empty() && low && *low > 0; }
};
constexpr std::size_t kFewestModels = 5;

struct CostTry {
  const CostCell* cell = nullptr;
  double predicted_us = 0;
  double error() const { return predicted_us / cell->measured_us - 1; }
};

// Of some tries, without their signs.
struct CostError {
  double median = 0;
  double ninetieth = 0;  // nine in ten are off by at most this much
  double largest = 0;
};
CostError error_of(const std::vector<CostTry>& tries);  // not empty

// What a fit had not seen when it was tried.
enum class Unseen : std::uint8_t { half, model, level, run };
std::string_view name(Unseen unseen);

struct CostTest {
  Unseen unseen = Unseen::half;
  std::map<std::string, std::vector<CostTry>> tries;  // by what was left out; empty: there is only one of it
  std::vector<CostTry> all() const;
  bool is_bad() const;  // more than one in ten is off by more than kBadError
};
constexpr double kBadError = 0.25;

struct CostModel {
  std::vector<Price> prices;    // by kCauses
  std::size_t fitted = 0;       // cells that the prices come from
  std::vector<CostTest> tests;  // by Unseen
  std::vector<Unseen> bad() const;
};

// The halves follow from the names of the cells, never from their figures, and one name is in one half only. Nothing,
// with fewer than four times as many cells as there are prices. `cells` outlive the model.
std::optional<CostModel> fit_cost(const std::vector<CostCell>& cells);

}  // namespace iolab::lab
