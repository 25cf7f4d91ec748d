// The yardsticks: that each is measured or says why not, and that files from before they had a spread are still read.
#include "experiments/machine/ceilings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "experiments/machine/ceilings_json.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

TEST(Ceilings, EachIsMeasuredOrSaysWhyNot) {
  SCOPED_TRACE("a yardstick is missing without a reason, or lies outside its own spread");
  const auto directory = std::filesystem::temp_directory_path().string();
  const auto ceilings = measure_ceilings(choose_cpus({0, 1}), directory, 2ms, 2);
  for (const auto* id : {"null_syscall", "wake_up_same", "wake_up", "switch", "loopback", "ping_pong", "memcpy_cached",
                         "memcpy", "append", "fdatasync"}) {
    EXPECT_TRUE(std::ranges::any_of(ceilings, [&](const Ceiling& one) { return one.id == id; })) << id;
  }
  for (const auto& ceiling : ceilings) {
    EXPECT_EQ(std::isfinite(ceiling.value), ceiling.reason.empty()) << ceiling.id << ": " << ceiling.reason;
    if (!ceiling.reason.empty()) continue;
    EXPECT_GT(ceiling.value, 0) << ceiling.id;
    EXPECT_LE(ceiling.low, ceiling.value) << ceiling.id;
    EXPECT_GE(ceiling.high, ceiling.value) << ceiling.id;
    EXPECT_EQ(ceiling.best(), ceiling.unit == "MB/s" ? ceiling.high : ceiling.low) << ceiling.id;
  }
}

TEST(Ceilings, WhatCannotBeMeasuredIsARowWithItsReason) {
  SCOPED_TRACE("a directory that cannot be written to, or a single CPU, leaves a gap or a crash");
  const auto ceilings = measure_ceilings({0, 0}, "/no/such/directory", 1ms);
  for (const auto* id : {"append", "fdatasync", "wake_up"}) {
    const auto row = std::ranges::find(ceilings, id, &Ceiling::id);
    ASSERT_NE(row, ceilings.end());
    EXPECT_TRUE(std::isnan(row->value)) << id;
    EXPECT_FALSE(row->reason.empty()) << id;
    EXPECT_EQ(find_ceiling(ceilings, id), nullptr);
  }
  EXPECT_THAT(std::ranges::find(ceilings, "append", &Ceiling::id)->reason, testing::HasSubstr("/no/such/directory"));
}

TEST(Ceilings, ComeBackAsTheyWereAndFromFilesOfBefore) {
  SCOPED_TRACE("a report that is made again rests on other yardsticks, or refuses an older run");
  const std::vector<CeilingsBetween> between{
      {7, 2, {{.id = "switch", .label = "l", .unit = "us", .value = 0.5, .low = 0.4, .high = 0.6, .repetitions = 3}}}};
  const auto json = ceilings_json(between);
  EXPECT_EQ(ceilings_json(ceilings_between_from(json)), json);
  const auto old = nlohmann::ordered_json::parse(R"({"null_syscall": {"label": "null system call", "unit": "ns",
    "meaning": "m", "value": 101.5}, "fdatasync": {"label": "f", "unit": "us", "meaning": "m", "value": null}})");
  const auto read = ceilings_from(old);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].best(), 101.5);
  EXPECT_TRUE(std::isnan(read[1].value));
}

}  // namespace
}  // namespace iolab::lab
