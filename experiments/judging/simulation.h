// The lab under test: experiments that never ran, made of noise that was recorded, judged by the rules that judge real
// ones. How often does a run call a difference clear where there is none, and how large must one be to be found?
//
// Noise is resampled in pieces of neighbours in time, not value by value: so a machine that changes its speed every few
// minutes does so in the simulation too.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <random>
#include <string>
#include <vector>

#include "experiments/judging/results.h"

namespace iolab::lab {

// What one machine showed of one model against itself, in the order in which it was measured.
struct Noise {
  std::vector<double> trials;  // the judged metric of each trial
  std::vector<double> duets;   // the ratio of each pair of processes
};
// From a run of one model with variants that differ in nothing (experiment `nothing`): trials at the judged level, all
// its duets. The error is a sentence.
std::expected<Noise, std::string> noise_of(const Results& results);

enum class Way : std::uint8_t { trials, duets };

struct SimulatedExperiment {
  Way way = Way::duets;
  int repeat = 10;    // blocks, or pairs of processes
  int models = 10;    // compared with the baseline, all equal to it but the first
  double effect = 1;  // what the first takes, in times of the baseline
  double ignore_below = 0.01;
};

struct SimulatedOutcome {
  bool judged = false;  // a verdict was given: a run of grade D gives none, and so no false one
  bool found = false;   // the first is called clearly more
  bool wrong = false;   // any of the others is called clearly more or less, or the first clearly less
};

SimulatedOutcome simulate(const SimulatedExperiment& experiment, const Noise& noise, std::uint64_t seed);

// Draws values in pieces of `piece` neighbours, beginning anywhere; the record is a ring.
class Resampler {
 public:
  Resampler(const std::vector<double>& recorded, std::size_t piece, std::uint64_t seed)
      : recorded_(recorded), piece_(piece), random_(seed) {}
  double next();

 private:
  const std::vector<double>& recorded_;
  std::size_t piece_;
  std::size_t at_ = 0;
  std::size_t left_ = 0;
  std::mt19937_64 random_;
};

}  // namespace iolab::lab
