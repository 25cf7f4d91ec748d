#include "experiments/run/both_counts.h"

#include <gtest/gtest.h>

namespace iolab::lab {
namespace {

clients::LoadSpec load_of(int connections, int in_flight) {
  clients::LoadSpec spec;
  spec.connections = connections;
  spec.in_flight = in_flight;
  return spec;
}

TEST(BothCounts, WorkThatNoClientSawIsSaid) {
  SCOPED_TRACE("a stalled client's backlog is worked off inside the window and divides what a request costs");
  const auto said = unlike_counts(load_of(63, 1), 74'591, 97'782);
  EXPECT_NE(said.find("97,782"), std::string::npos) << said;
  EXPECT_NE(said.find("74,591"), std::string::npos) << said;
  EXPECT_FALSE(unlike_counts(load_of(63, 1), 345'500, 360'919).empty());
}

TEST(BothCounts, WhatIsUnderWayAtABorderIsNoDifference) {
  SCOPED_TRACE("trials of many connections, or of large requests, are blamed for what both sides count a moment later");
  EXPECT_EQ(unlike_counts(load_of(63, 1), 447'644, 447'581), "");
  EXPECT_EQ(unlike_counts(load_of(256, 16), 13'776, 11'565), "");
  EXPECT_EQ(unlike_counts(load_of(4000, 1), 170'000, 173'331), "");
  EXPECT_EQ(unlike_counts(load_of(1, 1), 100, 104), "");
}

}  // namespace
}  // namespace iolab::lab
