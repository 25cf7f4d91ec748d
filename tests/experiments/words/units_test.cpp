#include "experiments/words/units.h"

#include <gtest/gtest.h>

#include <vector>

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsQuantities) {
  SCOPED_TRACE("a spec that says 500 ms runs for another time");
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("20us"), 20us);
  EXPECT_EQ(parse_duration("2 m"), 120s);
  EXPECT_EQ(parse_size("100B"), 100u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("1.5MiB"), 1572864u);
  EXPECT_EQ(parse_size("2MB"), 2'000'000u);
  EXPECT_DOUBLE_EQ(*parse_rate("20k/s"), 20'000);
  EXPECT_DOUBLE_EQ(*parse_percent("5%"), 0.05);
}

TEST(Units, RefusesWhatHasNoUnitOrAWrongOne) {
  SCOPED_TRACE("a bare number is taken for seconds by one reader and for milliseconds by another");
  for (const auto* text : {"", "3", "s", "3 parsecs", "-1s", "1e400s", "nan s", "0x10s", "3S"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const auto* text : {"", "64", "64k", "KiB", "1.5B", "-1KiB", "1e30GiB"}) EXPECT_FALSE(parse_size(text)) << text;
  for (const auto* text : {"", "100", "0/s", "-5/s", "100/h"}) EXPECT_FALSE(parse_rate(text)) << text;
  EXPECT_EQ(parse_duration("3").error(), "\"3\" has no unit: write for example \"3s\" (us, ms, s, m or h)");
}

TEST(Units, PrintsThreeDigitsAndThousands) {
  SCOPED_TRACE("a table shows more digits than were measured, or loses those that were");
  EXPECT_EQ(three_digits(0), "0.00");
  EXPECT_EQ(three_digits(0.1234), "0.123");
  EXPECT_EQ(three_digits(4.056), "4.06");
  EXPECT_EQ(three_digits(9.996), "10.0");
  EXPECT_EQ(three_digits(99.96), "100");
  EXPECT_EQ(three_digits(1234567.8), "1,234,568");
  EXPECT_EQ(with_thousands(-1234.5, 1), "-1,234.5");
  EXPECT_EQ(with_thousands(999), "999");
  EXPECT_EQ(percent_text(0.0312), "3.1 %");
  EXPECT_EQ(percent_text(0.42), "42 %");
}

TEST(Units, PrintsQuantitiesAsPeopleReadThem) {
  SCOPED_TRACE("a reader has to divide to understand a label");
  EXPECT_EQ(size_text(100), "100 B");
  EXPECT_EQ(size_text(65536), "64 KiB");
  EXPECT_EQ(size_text(1610612736), "1.50 GiB");
  EXPECT_EQ(duration_text(1500ms), "1.5 s");
  EXPECT_EQ(duration_text(250us), "250 us");
  EXPECT_EQ(duration_text(125s), "2:05 min");
  EXPECT_EQ(clock_text(65s), "1:05");
  EXPECT_EQ(clock_text(3725s), "1:02:05");
  EXPECT_EQ(listed(std::vector<std::string>{"a"}), "a");
  EXPECT_EQ(listed(std::vector<std::string>{"a", "b", "c"}), "a, b and c");
  EXPECT_EQ(counted(1, "trial"), "1 trial");
  EXPECT_EQ(counted(1200, "trial"), "1,200 trials");
}

}  // namespace
}  // namespace iolab::lab
