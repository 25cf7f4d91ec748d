#include "experiments/trace.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

std::string line(int thread, const char* call, int entered, int returned, int result) {
  return fmt::format(
      R"({{"thread":{},"call":"{}","descriptor":5,"entered_ns":{},"returned_ns":{},"result":{},"where":"a.cpp:1"}})"
      "\n",
      thread, call, entered * 1000, returned * 1000, result);
}

const std::vector<TimedRequest> kOne{{1'000'000, 1'060'000}};

TEST(Trace, ALoopAsksThenReadsThenSends) {
  SCOPED_TRACE("the picture of a request shows calls in the wrong places");
  const auto calls = parse_trace(line(1, "epoll_wait", 100, 1020, 1) + line(1, "recv", 1021, 1023, 142) +
                                 line(1, "send", 1040, 1062, 48) + line(1, "epoll_wait", 1063, 4000, 1) +
                                 line(2, "accept4", 50, 9000, 7));
  const auto lane = make_lane("epoll", calls, kOne);
  ASSERT_EQ(lane.missing, "");
  ASSERT_EQ(lane.threads.size(), 1u);  // the sleeping acceptor has nothing to do with it
  std::vector<Doing> doing;
  for (const auto& piece : lane.pieces) doing.push_back(piece.doing);
  EXPECT_THAT(doing, testing::ElementsAre(Doing::wait, Doing::receive, Doing::work, Doing::send));
  EXPECT_DOUBLE_EQ(lane.pieces[0].to_us, 20);
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 23);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 40);
  EXPECT_EQ(lane.calls, 3);
}

TEST(Trace, CallsInVainBecomeOnePiece) {
  SCOPED_TRACE("a spinning model fills the picture with thousands of pieces");
  std::string text;
  for (int at = 0; at < 1010; at += 2) text += line(1, at % 4 == 0 ? "accept4" : "recv", at, at + 1, -11);
  text += line(1, "recv", 1010, 1012, 142) + line(1, "send", 1020, 1040, 48);
  const auto lane = make_lane("nonblocking", parse_trace(text), {{0, 30'000}, {1'000'000, 1'060'000}});
  ASSERT_GE(lane.pieces.size(), 2u);
  EXPECT_EQ(lane.pieces[0].doing, Doing::ask);
  EXPECT_GT(lane.pieces[0].repeat, 100);
  EXPECT_EQ(lane.pieces[1].doing, Doing::receive);
  EXPECT_GT(lane.in_vain_before, 100);
}

TEST(Trace, CutLinesAndForeignTextAreSurvived) {
  SCOPED_TRACE("a server that was killed in the middle of a line takes the whole picture with it");
  const auto whole = line(1, "recv", 10, 20, 5);
  EXPECT_EQ(parse_trace(whole + "nonsense\n" + whole.substr(0, 30)).size(), 1u);
  EXPECT_EQ(make_lane("epoll", {}, kOne).missing, "the trace holds no call of this request");
  EXPECT_FALSE(make_lane("epoll", {}, {}).missing.empty());
}

TEST(Trace, TheMiddleRequestIsNotPickedByHand) {
  SCOPED_TRACE("the picture shows an extreme");
  std::vector<TimedRequest> requests;
  for (const int took : {900, 10, 20, 30, 40, 50, 60, 5000}) requests.push_back({0, took});
  EXPECT_EQ(requests[middle_request(requests)].answered_ns, 50);  // of the last six
}

TEST(Trace, TheChartKeepsEveryModel) {
  SCOPED_TRACE("a model that could not run is missing from the picture");
  Lane missing;
  missing.series = "sigio";
  missing.missing = "no queued signals";
  const auto lane =
      make_lane("epoll", parse_trace(line(1, "epoll_wait", 100, 1020, 1) + line(1, "recv", 1021, 1023, 142)), kOne);
  const auto chart = timeline_chart({lane, missing});
  ASSERT_EQ(chart["panels"][0]["lanes"].size(), 2u);
  EXPECT_EQ(chart["panels"][0]["lanes"][1]["missing"], "no queued signals");
  for (const auto& event : chart["panels"][0]["lanes"][0]["events"]) {
    EXPECT_LE(chart["x"]["min"], event["draw_from_us"]);
    EXPECT_LE(event["draw_to_us"], chart["x"]["max"]);
  }
}

}  // namespace
}  // namespace iolab::lab
