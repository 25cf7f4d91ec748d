#include "clients/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace iolab::clients {
namespace {

// Walks through `requests` of the timetable and returns when each fell due.
std::vector<Nanoseconds> walk(Schedule schedule, int requests) {
  std::vector<Nanoseconds> due;
  for (int i = 0; i < requests; ++i, schedule.release()) due.push_back(schedule.next_due());
  return due;
}

TEST(Schedule, RequestsFallDueAtAnEvenRate) {
  SCOPED_TRACE("an open loop asks at another rate than the report says");
  const auto due = walk(Schedule(500, 1e6, 3), 5);
  EXPECT_EQ(due, (std::vector<Nanoseconds>{500, 1500, 2500, 3500, 4500}));
}

TEST(Schedule, ARateThatIsNoWholeNumberOfNanosecondsDoesNotDrift) {
  SCOPED_TRACE("rounding adds up: after a day the load runs minutes early or late");
  constexpr double kRate = 300'007;
  constexpr std::uint64_t kADay = 86'400ULL * 300'007;
  const Schedule schedule(0, kRate, 1);
  EXPECT_NEAR(static_cast<double>(schedule.due(0, kADay)), 86'400e9, 1000);
}

TEST(Schedule, EachConnectionKnowsWhenItsOwnRequestsFallDue) {
  SCOPED_TRACE("a request that waited is given the due time of another one, and a stall looks shorter than it was");
  Schedule schedule(1000, 12'345, 7);
  std::vector<std::uint64_t> released(7);
  for (int i = 0; i < 1000; ++i, schedule.release()) {
    const auto connection = schedule.next_connection();
    EXPECT_EQ(connection, static_cast<std::uint64_t>(i % 7));
    EXPECT_EQ(schedule.due(connection, released[connection]++), schedule.next_due());
  }
}

}  // namespace
}  // namespace iolab::clients
