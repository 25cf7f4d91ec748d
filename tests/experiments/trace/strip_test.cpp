// The two views of a traced request: what is drawn of it, and what is printed.
#include "experiments/trace/strip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/trace/ladder.h"
#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

const StripSubject kSubject{.id = "one_request", .work = "one produced record", .exemplar = "median"};

Lane a_loop() {
  return make_lane(
      "epoll",
      parse_trace(line({.call = "epoll_wait", .entered = 120, .returned = 1020, .result = 1, .cpu = 9}) +
                  line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
                  line({.call = "send", .entered = 1040, .returned = 1062, .result = 48})),
      {{0, 100'000}, {1'000'000, 1'060'000}}, 1);
}

Lane a_missing_model() {
  Lane missing;
  missing.series = "sigio";
  missing.missing = "no queued signals";
  return missing;
}

TEST(Strip, EveryModelIsALaneAndNothingLeavesTheAxis) {
  SCOPED_TRACE("a model that could not run is missing from the picture, or a piece is drawn outside of it");
  const auto chart = strip_chart({a_loop(), a_missing_model()}, kSubject);
  const auto& lanes = chart["panels"][0]["lanes"];
  ASSERT_EQ(lanes.size(), 2u);
  EXPECT_EQ(lanes[1]["missing"], "no queued signals");
  for (const auto& event : lanes[0]["events"]) {
    EXPECT_LE(chart["x"]["min"], event["draw_from_us"]);
    EXPECT_LE(event["draw_from_us"], event["draw_to_us"]);
    EXPECT_LE(event["draw_to_us"], chart["x"]["max"]);
  }
  EXPECT_THAT(lanes[0]["text"].get<std::string>(), HasSubstr("slept 890 us on 9.00 us of CPU"));
}

TEST(Strip, TheTerminalShowsTheSamePieces) {
  SCOPED_TRACE("what is printed of a request is not what is drawn");
  const auto text = strip_text(Words::in(Language::english), {a_loop(), a_missing_model()}, {.width = 100});
  EXPECT_THAT(text, HasSubstr("noticed after 10.0"));
  EXPECT_THAT(text, HasSubstr("copied in 3.00"));
  EXPECT_THAT(text, HasSubstr("answered after 50.0 us"));
  EXPECT_THAT(text, HasSubstr("not here: no queued signals"));
  EXPECT_THAT(text, HasSubstr("░ asleep"));
}

TEST(Ladder, EachCrossingIsAStepInTheOrderOfTime) {
  SCOPED_TRACE("a step is missing, comes twice, or stands before its cause");
  const auto chart = ladder_chart(a_loop(), kSubject);
  std::vector<std::string> kinds;
  double last = -1e9;
  for (const auto& step : chart["steps"]) {
    kinds.push_back(step["kind"]);
    EXPECT_LE(last, step["at_us"].get<double>());
    last = step["at_us"];
  }
  EXPECT_THAT(kinds,
              testing::ElementsAre("call", "arrives", "returns", "call", "returns", "within", "call", "arrives"));
  for (const auto& phase : chart["phases"]) {
    EXPECT_LE(phase["first"], phase["last"]);
    EXPECT_LT(phase["last"], chart["steps"].size());
  }
  EXPECT_EQ(chart["phases"][0]["text"], "wait for data: 890.0 us asleep");
}

TEST(Ladder, TheTerminalShowsItInBothLanguages) {
  SCOPED_TRACE("a Chinese reader gets English steps");
  EXPECT_THAT(ladder_text(Words::in(Language::english), a_loop(), {.width = 100}), HasSubstr("epoll_wait()"));
  EXPECT_THAT(ladder_text(Words::in(Language::chinese), a_loop(), {.width = 100}), HasSubstr("数据到达内核"));
}

}  // namespace
}  // namespace iolab::lab
