// How close a figure is to what this machine can do at most. Two questions, each with an answer for every cell:
//
// What must one request cost the server's CPU? What was counted (system calls, bytes, sleeps, appends), each at the
// cheapest price at which this machine was seen to sell it: a lower bound of server CPU per request.
// What stops the rate? Every resource that has an end (the server's CPU, the client, loopback, the page cache, the
// disk, being woken), each with the share of it that was used: the largest binds.
//
// A bound must be a bound, so every price is the best of the repetitions of the ceilings nearest in time, and what
// cannot be priced from below is left out. Where a figure beats its bound all the same, the ceiling was underestimated,
// and the report says so with both numbers. docs/METHODOLOGY.md holds the formula.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

// Of one trial.
struct CostPart {
  std::string_view id;  // calls | copies | sleeps | appends
  double us = 0;        // per request
};
// In the order above; parts whose ceiling is not known are missing. Empty: no request, or no ceiling at all.
std::vector<CostPart> least_cost(const TrialRecord& trial, const Level& level, const std::vector<Ceiling>& ceilings);

struct RateLimit {
  std::string_view id;  // server-cpu | asked | client-cpu | client | loopback | append | fdatasync | wake-up
  double reached = 0;   // both in the unit that unit_of() names
  double most = 0;
  double share() const { return reached / most; }
};
// `client_ceiling_per_s`: of the same block; nothing: not measured.
std::vector<RateLimit> rate_limits(const TrialRecord& trial, const Level& level, const std::vector<Ceiling>& ceilings,
                                   std::optional<double> client_ceiling_per_s);

std::string_view unit_of(std::string_view limit);  // "MB/s"

// Of all lists of this trial's session the one that was measured nearest to this trial, which may be empty.
const std::vector<Ceiling>& nearest_ceilings(const RunData& data, const TrialRecord& trial);

// A median over the trials, with the interval of the median if there are enough of them.
struct Share {
  double value = 0;
  std::optional<double> low;
  std::optional<double> high;
};

struct Closeness {
  std::optional<Share> of_cost;  // least cost / measured CPU per request: 1 is the bound
  double least_us = 0;           // medians
  double measured_us = 0;
  std::string_view largest_part;

  std::string_view binding;  // the limit with the largest median share; empty: none is known
  Share of_limit;
  double reached = 0;  // medians
  double most = 0;
};
Closeness closeness_of(const Results& results, const Cell& cell);

}  // namespace iolab::lab
