// The lab under test, by noise that a machine showed of itself (data/noise.json). A failure here means that a verdict
// is worth less than docs/METHODOLOGY.md says.
#include "experiments/judging/simulation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

Noise recorded_noise() {
  std::ifstream file(IOLAB_SOURCE_DIR "/tests/experiments/data/noise.json");
  const auto json = nlohmann::json::parse(file);
  return {json.at("trials").get<std::vector<double>>(), json.at("duets").get<std::vector<double>>()};
}

struct Rates {
  int found = 0;
  int wrong = 0;
  int judged = 0;
};
Rates rates(const SimulatedExperiment& experiment, const Noise& noise, int experiments) {
  Rates rates;
  for (int i = 0; i < experiments; ++i) {
    const auto outcome = simulate(experiment, noise, static_cast<std::uint64_t>(i));
    rates.found += outcome.found;
    rates.wrong += outcome.wrong;
    rates.judged += outcome.judged;
  }
  return rates;
}

TEST(Simulation, ResamplingKeepsNeighboursTogether) {
  SCOPED_TRACE("a machine that changes its speed every few minutes becomes one that changes it with every trial");
  std::vector<double> recorded(100);
  for (std::size_t i = 0; i < recorded.size(); ++i) recorded[i] = static_cast<double>(i);
  Resampler draw(recorded, 10, 7);
  int jumps = 0;
  double before = draw.next();
  for (int i = 1; i < 1000; ++i) {
    const double value = draw.next();
    jumps += value != before + 1 && !(before == 99 && value == 0);
    before = value;
  }
  EXPECT_LE(jumps, 99);
  EXPECT_GE(jumps, 80);
}

TEST(Simulation, NothingIsSeldomCalledSomething) {
  SCOPED_TRACE("more than one experiment in twenty finds a difference where there is none");
  const Noise noise = recorded_noise();
  constexpr int kExperiments = 1000;
  for (const auto& experiment :
       {SimulatedExperiment{.way = Way::trials, .repeat = 10}, SimulatedExperiment{.way = Way::trials, .repeat = 20},
        SimulatedExperiment{.way = Way::duets, .repeat = 10}}) {
    EXPECT_LE(rates(experiment, noise, kExperiments).wrong, kExperiments / 20)
        << (experiment.way == Way::trials ? "trials " : "duets ") << experiment.repeat;
  }
}

// Recorded noise is so large that most experiments of trials give no verdict, and cannot give a wrong one.
TEST(Simulation, NothingIsSeldomCalledSomethingWhereVerdictsAreGiven) {
  SCOPED_TRACE("false alarms are few only because nothing is ever said");
  Noise noise = recorded_noise();
  std::mt19937_64 random(2);
  for (double& value : noise.trials) value = std::exp(std::normal_distribution<>(0, 0.03)(random));
  Noise two_speeds = noise;
  for (std::size_t i = noise.trials.size() / 2; i < noise.trials.size(); ++i) two_speeds.trials[i] *= 1.55;
  for (const int repeat : {10, 20}) {
    for (const auto* one : {&noise, &two_speeds}) {
      const auto seen = rates({.way = Way::trials, .repeat = repeat}, *one, 400);
      EXPECT_GE(seen.judged, 200) << repeat;
      EXPECT_LE(seen.wrong, seen.judged / 20) << repeat;
    }
  }
  EXPECT_GE(rates({.way = Way::duets, .repeat = 10}, noise, 200).judged, 190);
}

TEST(Simulation, AFifthMoreIsFoundAtThreePercentNoise) {
  SCOPED_TRACE("a fifth more, on a machine of 3 % noise, is not called clear");
  Noise noise = recorded_noise();
  std::mt19937_64 random(1);
  for (double& value : noise.trials) value = std::exp(std::normal_distribution<>(0, 0.03)(random));
  EXPECT_GE(rates({.way = Way::trials, .repeat = 10, .effect = 1.2}, noise, 200).found, 190);
}

TEST(Simulation, DuetsFindFivePercentInTheRecordedNoise) {
  SCOPED_TRACE("the fine way of measuring is no finer than the coarse one");
  EXPECT_GE(rates({.way = Way::duets, .repeat = 10, .effect = 1.05}, recorded_noise(), 200).found, 190);
}

TEST(Simulation, AChangeOfSpeedIsNoDifference) {
  SCOPED_TRACE("a machine that slows down by half in the middle of a run makes a model look slower");
  Noise noise = recorded_noise();
  for (std::size_t i = noise.trials.size() / 2; i < noise.trials.size(); ++i) noise.trials[i] *= 1.55;
  EXPECT_LE(rates({.way = Way::trials, .repeat = 10}, noise, 400).wrong, 20);
}

}  // namespace
}  // namespace iolab::lab
