// What is read of the machine beside a measurement, and what of it becomes a flag.
#include "experiments/machine/machine_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

using testing::ElementsAre;

std::vector<std::string> words_of(const MachineReading& reading) {
  std::vector<std::string> words;
  for (const auto& flag : flags_of(reading)) words.push_back(flag.word);
  return words;
}

TEST(MachineWatch, AQuietMachineHasNoFlag) {
  SCOPED_TRACE("trials of a quiet machine are called disturbed, or what is not told is taken for trouble");
  EXPECT_THAT(words_of({.steal_share = 0.005, .others_share = 0.05}), testing::IsEmpty());
}

TEST(MachineWatch, EachDisturbanceHasItsWordAndItsFigure) {
  SCOPED_TRACE("a disturbed trial looks like any other");
  const MachineReading reading{.steal_share = 0.027,
                               .others_share = 0.4,
                               .waited_share = 0.2,
                               .mhz_before = 3000,
                               .mhz_after = 2000,
                               .throttles = 3,
                               .major_faults = 1};
  EXPECT_THAT(words_of(reading),
              ElementsAre("steal", "other-processes", "waited-for-cpu", "throttled", "frequency", "major-faults"));
  EXPECT_EQ(flags_of(reading).front().text, "the host took 2.7 % of the time");
}

TEST(MachineWatch, WhatOthersUsedIsAllButOurs) {
  SCOPED_TRACE("the load of other programs goes unseen, or our own is taken for theirs");
  const double tick_s = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  MachineLook before;
  MachineLook after;
  after.at = before.at + std::chrono::seconds{2};
  after.ticks.total = 400;
  after.ticks.processes = 300;
  after.ticks.steal = 8;
  const auto reading = reading_between(before, after, 250 * tick_s);
  EXPECT_NEAR(reading.others_share, 50 * tick_s / 2, 1e-9);
  EXPECT_NEAR(reading.steal_share, 0.02, 1e-9);
  EXPECT_EQ(reading_between(before, after, 1000 * tick_s).others_share, 0);
  EXPECT_FALSE(reading.waited_share);
}

TEST(MachineWatch, LooksAtThisMachineAndComesBackFromItsFile) {
  SCOPED_TRACE("a reading of a real machine is nonsense, or is another one when its file is read");
  const auto before = look_at_machine(0, getpid());
  auto reading = reading_between(before, look_at_machine(0, getpid()), 0);
  reading.flags = {{"steal", "the host took 2.7 % of the time"}};
  EXPECT_GE(reading.running, 1);
  const auto json = to_json(reading);
  EXPECT_EQ(to_json(machine_reading_from_json(json)), json);
  const auto old = machine_reading_from_json({{"steal_share", 0.5}, {"softirq_s", 0.1}, {"load_average", 2.0}});
  EXPECT_EQ(old.steal_share, 0.5);
  EXPECT_TRUE(old.flags.empty());
}

}  // namespace
}  // namespace iolab::lab
