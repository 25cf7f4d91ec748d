// From a trace to the two phases: where the border lies, who slept and who asked, and who copied.
#include "experiments/trace/phases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;

Lane lane_of(const std::string& trace) {
  return make_lane("a model", parse_trace(trace), kTwo, 1);
}

const Piece& piece_of(const Lane& lane, Doing doing) {
  return *std::ranges::find(lane.pieces, doing, &Piece::doing);
}

TEST(Phases, ALoopSleepsIsToldAndThenCopies) {
  SCOPED_TRACE("the copy of a readiness model is drawn as waiting, or its sleep as work");
  const auto lane =
      lane_of(line({.call = "epoll_wait", .entered = 120, .returned = 1020, .result = 1, .cpu = 9}) +
              line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
              line({.call = "send", .entered = 1040, .returned = 1062, .result = 48}) +
              line({.call = "epoll_wait", .entered = 1063, .returned = 4000, .result = 1}) +
              line({.thread = 2, .call = "accept4", .entered = 50, .returned = 9000, .result = 7}));
  ASSERT_EQ(lane.missing, "");
  EXPECT_EQ(lane.border, Border::exact);
  ASSERT_EQ(lane.rows.size(), 1u);  // the sleeping acceptor has nothing to do with it
  EXPECT_THAT(doings(lane), ElementsAre(Doing::blocked, Doing::notice, Doing::copy, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[0].to_us, 0);
  EXPECT_DOUBLE_EQ(lane.pieces[1].to_us, 10);
  EXPECT_DOUBLE_EQ(piece_of(lane, Doing::copy).length_us(), 3);
  EXPECT_DOUBLE_EQ(piece_of(lane, Doing::work).length_us(), 16);
  EXPECT_DOUBLE_EQ(lane.sent_us, -10);
  EXPECT_DOUBLE_EQ(lane.answered_us, 50);
  EXPECT_DOUBLE_EQ(lane.blocked_us, 890);
  EXPECT_DOUBLE_EQ(lane.blocked_cpu_us, 9);
  EXPECT_EQ(lane.calls, 3);
  EXPECT_EQ(lane.asked_in_vain, 0);
}

TEST(Phases, WhatIsOneCallIsOnePiece) {
  SCOPED_TRACE("a border is drawn inside a blocking recv(), where none can be known");
  const auto lane =
      lane_of(line({.call = "recvmsg", .entered = 130, .returned = 1030, .result = 142, .arrived = 1010, .cpu = 12}) +
              line({.call = "send", .entered = 1045, .returned = 1058, .result = 48}));
  EXPECT_THAT(doings(lane), ElementsAre(Doing::blocked, Doing::wake_and_copy, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(piece_of(lane, Doing::wake_and_copy).length_us(), 20);
}

TEST(Phases, CallsInVainAreOnePieceAndCounted) {
  SCOPED_TRACE("a spinning model fills the picture with thousands of pieces, or seems to sleep");
  std::string text;
  for (int at = 102; at < 1012; at += 2) {
    text += line({.call = at % 4 == 0 ? "accept4" : "recvmsg", .entered = at, .returned = at + 1, .result = -11});
  }
  text += line({.call = "recvmsg", .entered = 1013, .returned = 1015, .result = 142, .arrived = 1010}) +
          line({.call = "send", .entered = 1020, .returned = 1040, .result = 48});
  const auto lane = lane_of(text);
  EXPECT_THAT(doings(lane), ElementsAre(Doing::spinning, Doing::notice, Doing::copy, Doing::work, Doing::reply));
  EXPECT_GT(lane.pieces[0].repeat, 400);
  EXPECT_DOUBLE_EQ(lane.pieces[0].to_us, 0);
  EXPECT_DOUBLE_EQ(lane.pieces[1].to_us, 3);
  EXPECT_GT(lane.asked_in_vain, 400);
  EXPECT_DOUBLE_EQ(lane.blocked_us, 0);
}

TEST(Phases, NoPieceEndsBeforeItBegins) {
  SCOPED_TRACE("asking again after the reply is painted backwards, over the copy, the work and the reply");
  std::string text;
  for (int at = 102; at < 1012; at += 2)
    text += line({.call = "recvmsg", .entered = at, .returned = at + 1, .result = -11});
  text += line({.call = "recvmsg", .entered = 1013, .returned = 1015, .result = 142, .arrived = 1010}) +
          line({.call = "send", .entered = 1020, .returned = 1040, .result = 48}) +
          line({.call = "accept4", .entered = 1041, .returned = 1042, .result = -11}) +
          line({.call = "recvmsg", .entered = 1043, .returned = 1044, .result = -11});
  const auto lane = lane_of(text);
  EXPECT_THAT(doings(lane),
              ElementsAre(Doing::spinning, Doing::notice, Doing::copy, Doing::work, Doing::reply, Doing::spinning));
  for (const auto& piece : lane.pieces) EXPECT_GE(piece.to_us, piece.from_us);
  EXPECT_DOUBLE_EQ(lane.pieces.back().from_us, 31);
  EXPECT_DOUBLE_EQ(lane.pieces.back().to_us, 34);
  EXPECT_TRUE(lane.asks());
}

TEST(Phases, ARingCopiesBeforeItTells) {
  SCOPED_TRACE("io_uring is shown to copy in a call of its own, or its order is not in the picture");
  const auto lane = lane_of(
      line({.call = "io_uring_enter", .entered = 125, .returned = 1031, .result = 0, .cpu = 8}) +
      line({.call = "recvmsg", .entered = 122, .returned = 1032, .result = 142, .arrived = 1010, .order = true}) +
      line({.call = "send", .entered = 1043, .returned = 1058, .result = 48, .order = true}) +
      line({.call = "io_uring_enter", .entered = 1044, .returned = 4000, .result = 1}));
  ASSERT_THAT(lane.rows, ElementsAre(Row::thread, Row::order));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::copied_inside, Doing::work, Doing::reply));
  EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::handed_over, Doing::carried_out));
  EXPECT_DOUBLE_EQ(piece_of(lane, Doing::reply).to_us, 50);  // not until it returns: it sleeps in that call
  EXPECT_FALSE(lane.only_waits);                             // the CPU of that call is not what sleeping cost
}

TEST(Phases, OnlyACallThatPassesTheAnswerOnIsAReply) {
  SCOPED_TRACE("a ring that goes to sleep is said to send an answer that the trace does not hold");
  const auto lane = lane_of(
      line({.call = "io_uring_enter", .entered = 125, .returned = 1031, .result = 0}) +
      line({.call = "recvmsg", .entered = 122, .returned = 1032, .result = 142, .arrived = 1010, .order = true}) +
      line({.call = "io_uring_enter", .entered = 1044, .returned = 4000, .result = 1}));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::copied_inside, Doing::blocked));
}

TEST(Phases, WithoutAStampNothingIsExact) {
  SCOPED_TRACE("the arrival of a model that cannot know it is drawn as if it were known");
  const auto lane = lane_of(line({.call = "aio_read", .entered = 118, .returned = 120, .result = 0}) +
                            line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                            line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142}) +
                            line({.call = "aio_write", .entered = 1050, .returned = 1054, .result = 0}));
  EXPECT_EQ(lane.border, Border::at_most);
  EXPECT_DOUBLE_EQ(lane.sent_us, 0);
  EXPECT_DOUBLE_EQ(lane.answered_us, 60);
  EXPECT_THAT(doings(lane, 0),
              ElementsAre(Doing::other, Doing::blocked, Doing::unknown, Doing::other, Doing::work, Doing::reply));
  EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::handed_over, Doing::unknown));
}

TEST(Phases, WhatTheKernelSawTakesThePlaceOfAStamp) {
  SCOPED_TRACE("the arrival was seen, and the lane begins where the client sent");
  const auto calls = parse_trace(line({.call = "aio_read", .entered = 118, .returned = 120, .result = 0}) +
                                 line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                                 line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142}));
  const auto lane = make_lane("posix-aio", calls, kTwo, 1, 1'008'000);
  EXPECT_EQ(lane.border, Border::seen);
  EXPECT_DOUBLE_EQ(lane.sent_us, -8);
  EXPECT_DOUBLE_EQ(lane.answered_us, 52);
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::other, Doing::blocked, Doing::copied_for_us, Doing::other));
  EXPECT_TRUE(lane.only_waits);
}

TEST(Phases, CutLinesAndForeignTextAreSurvived) {
  SCOPED_TRACE("a server that was killed in the middle of a line takes the whole picture with it");
  const auto whole = line({.call = "recvmsg", .entered = 10, .returned = 20, .result = 5});
  EXPECT_EQ(parse_trace(whole + "nonsense\n{\"lost_calls\":3}\n" + whole.substr(0, 30)).size(), 1u);
  EXPECT_EQ(make_lane("epoll", {}, kTwo, 1).missing, "the trace holds no call of this request");
  EXPECT_FALSE(make_lane("epoll", {}, {}, 0).missing.empty());
}

TEST(Phases, ExemplarsAreNotPickedByHand) {
  SCOPED_TRACE("the picture shows an extreme and calls it the median");
  std::vector<TimedRequest> requests;
  for (const int took : {900, 10, 20, 30, 40, 50, 60, 5000}) requests.push_back({0, took});
  EXPECT_EQ(requests[exemplar(requests, 0.5)].answered_ns, 50);  // of the last six
  EXPECT_EQ(requests[exemplar(requests, 0.99)].answered_ns, 5000);
  EXPECT_EQ(requests[exemplar(requests, 1)].answered_ns, 5000);
  EXPECT_EQ(how_many_count(requests), 6u);
}

TEST(Phases, WhatATraceHasLostIsNotShown) {
  SCOPED_TRACE("a request whose calls had no room in the trace is shown as if it had made none");
  const auto calls = parse_trace(line({.call = "send", .entered = 900, .returned = 990, .result = 48}));
  EXPECT_EQ(within_trace(kTwo, calls).size(), 1u);
  const auto whole = line({.call = "poll", .entered = 20, .returned = 2000});
  EXPECT_EQ(within_trace(kTwo, parse_trace(whole)).size(), 2u);
  // One thread had room left, another had none any more.
  const auto lost = lost_calls(whole + "{\"lost_calls\":7,\"first_lost_ns\":1050000}\n");
  EXPECT_EQ(lost.calls, 7);
  EXPECT_EQ(within_trace(kTwo, parse_trace(whole), lost).size(), 1u);
  EXPECT_EQ(lost_calls(whole).calls, 0);
  EXPECT_EQ(lost_calls("").calls, 0);
  EXPECT_EQ(lost_calls(whole + whole.substr(0, 30)).calls, 0);
}

}  // namespace
}  // namespace iolab::lab
