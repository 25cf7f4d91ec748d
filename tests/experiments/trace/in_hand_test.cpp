// A request that waits for the broker, as with a sync before each answer: what each model does meanwhile is neither
// work nor an answer.
#include "experiments/trace/in_hand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;

constexpr int kBell = 9;  // descriptor
// Sent at 1,000 us and answered at 1,700; the data arrives at 1,010, and the log is synced until about 1,600.
const std::vector<TimedRequest> kSynced{{0, 100'000}, {1'000'000, 1'700'000}};

Lane lane_of_synced(const std::string& trace) {
  return make_lane("a model", parse_trace(trace), kSynced, 1);
}

double longest_of(const Lane& lane, Doing doing) {
  double longest = 0;
  for (const auto& piece : lane.pieces) {
    if (piece.doing == doing) longest = std::max(longest, piece.length_us());
  }
  return longest;
}

TEST(InHand, ALoopSleepsUntilItsBellIsRung) {
  SCOPED_TRACE("the sleep of a loop is drawn as other calls, its bell as a copy, or the bell's ringer as replying");
  for (const char* const waits : {"select", "poll", "epoll_wait"}) {
    const auto lane = lane_of_synced(
        line({.call = waits, .entered = 120, .returned = 1020, .result = 1}) +
        line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
        line({.call = waits, .entered = 1050, .returned = 1600, .result = 1}) +
        line({.thread = 2, .call = "write", .entered = 1590, .returned = 1593, .result = 8, .descriptor = kBell}) +
        line({.call = "read", .entered = 1601, .returned = 1603, .result = 8, .descriptor = kBell}) +
        line({.call = "send", .entered = 1620, .returned = 1640, .result = 48}) +
        line({.call = waits, .entered = 1641, .returned = 4000, .result = 1}));
    EXPECT_THAT(doings(lane, 0),
                ElementsAre(Doing::blocked, Doing::notice, Doing::copy, Doing::work, Doing::broker_waits, Doing::other,
                            Doing::work, Doing::reply, Doing::blocked))
        << waits;
    EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::other)) << waits;
    EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 550);
    EXPECT_DOUBLE_EQ(lane.total_us(Doing::copy), 3);
    EXPECT_DOUBLE_EQ(lane.total_us(Doing::reply), 20);
    EXPECT_DOUBLE_EQ(lane.total_us(Doing::work), 26 + 17);  // before it sleeps, and after
  }
}

TEST(InHand, ASignalLoopSleepsForTheSignalOfItsBell) {
  SCOPED_TRACE("the sleep of the signal-driven model is drawn as other calls");
  const auto lane =
      lane_of_synced(line({.call = "rt_sigtimedwait", .entered = 120, .returned = 1020, .result = 36}) +
                     line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
                     line({.call = "rt_sigtimedwait", .entered = 1050, .returned = 1600, .result = 37}) +
                     line({.thread = 2, .call = "tgkill", .entered = 1590, .returned = 1593, .descriptor = -1}) +
                     line({.call = "send", .entered = 1620, .returned = 1640, .result = 48}));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::notice, Doing::copy, Doing::work, Doing::broker_waits,
                                           Doing::work, Doing::reply));
  EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::other));
}

TEST(InHand, ABlockedThreadSleepsOnItsDoorbell) {
  SCOPED_TRACE("the sleep of the blocking model is drawn as other calls, and the work before it is missing");
  const auto lane =
      lane_of_synced(line({.call = "recvmsg", .entered = 130, .returned = 1030, .result = 142, .arrived = 1010}) +
                     line({.call = "futex_wait", .entered = 1050, .returned = 1400, .descriptor = -1}) +
                     line({.thread = 2, .call = "futex_wake", .entered = 1395, .returned = 1397, .descriptor = -1}) +
                     line({.call = "send", .entered = 1410, .returned = 1440, .result = 48}) +
                     line({.call = "recvmsg", .entered = 1441, .returned = 4000, .result = 142, .arrived = 3990}));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::wake_and_copy, Doing::work, Doing::broker_waits,
                                           Doing::work, Doing::reply, Doing::blocked));
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 350);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::work), 20 + 10);
}

TEST(InHand, WhoNeverSleepsAsksMeanwhile) {
  SCOPED_TRACE("asking in vain while the log is synced is drawn as work, or as waiting for data");
  for (const char* const pause : {"accept4", "sched_yield", "nanosleep"}) {
    std::string text;
    for (int at = 102; at < 1012; at += 2) {
      text += line({.call = "recvmsg", .entered = at, .returned = at + 1, .result = -11});
    }
    text += line({.call = "recvmsg", .entered = 1013, .returned = 1015, .result = 142, .arrived = 1010});
    for (int at = 1030; at < 1600; at += 10) {
      text += line({.call = "accept4", .entered = at, .returned = at + 2, .result = -11, .descriptor = 4});
      const bool asks = std::string(pause) == "accept4";
      text += line({.call = pause, .entered = at + 3, .returned = at + 9, .result = asks ? -11 : 0, .descriptor = 4});
    }
    text += line({.call = "send", .entered = 1620, .returned = 1640, .result = 48}) +
            line({.call = "accept4", .entered = 1642, .returned = 1643, .result = -11, .descriptor = 4});
    const auto lane = lane_of_synced(text);
    EXPECT_THAT(doings(lane), ElementsAre(Doing::spinning, Doing::notice, Doing::copy, Doing::work, Doing::broker_waits,
                                          Doing::work, Doing::reply, Doing::spinning))
        << pause;
    EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 569) << pause;
    EXPECT_TRUE(lane.asks());
  }
}

TEST(InHand, ARingSleepsInTheCallAfterTheOneThatReceived) {
  SCOPED_TRACE("io_uring_enter is said to send the answer while it sleeps for the flusher");
  const auto lane = lane_of_synced(
      line({.call = "recvmsg", .entered = 122, .returned = 1032, .result = 142, .arrived = 1010, .order = true}) +
      line({.call = "io_uring_enter", .entered = 125, .returned = 1031, .result = 1, .descriptor = 7}) +
      line({.call = "io_uring_enter", .entered = 1044, .returned = 1400, .result = 0, .descriptor = 7}) +
      line({.thread = 2, .call = "write", .entered = 1390, .returned = 1394, .result = 8, .descriptor = kBell}) +
      line({.call = "send", .entered = 1412, .returned = 1480, .result = 48, .order = true}) +
      line({.call = "io_uring_enter", .entered = 1413, .returned = 1475, .result = 2, .descriptor = 7}) +
      line({.call = "io_uring_enter", .entered = 1481, .returned = 4000, .result = 1, .descriptor = 7}));
  ASSERT_THAT(lane.rows, ElementsAre(Row::thread, Row::thread, Row::order));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::copied_inside, Doing::work, Doing::broker_waits,
                                           Doing::work, Doing::reply, Doing::blocked));
  EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::other));
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 356);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::reply), 62);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::work), 12 + 13);
}

TEST(InHand, AnAsynchronousProgramSleepsForTheSignalOfItsBell) {
  SCOPED_TRACE("the wait of posix-aio for the flusher is drawn as a wait for data, or what is said of its answer is");
  const auto lane = lane_of_synced(line({.call = "aio_read", .entered = 118, .returned = 120}) +
                                   line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                                   line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142}) +
                                   line({.call = "rt_sigtimedwait", .entered = 1045, .returned = 1500, .result = 37}) +
                                   line({.call = "aio_write", .entered = 1510, .returned = 1514}) +
                                   line({.call = "rt_sigtimedwait", .entered = 1515, .returned = 1600, .result = 36}) +
                                   line({.call = "aio_return", .entered = 1601, .returned = 1602, .result = 48}));
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::other, Doing::blocked, Doing::unknown, Doing::other, Doing::work,
                                           Doing::broker_waits, Doing::work, Doing::reply, Doing::other, Doing::other));
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 455);
}

TEST(InHand, ARequestThatIsNotWholeYetWaitsForData) {
  SCOPED_TRACE("the wait for the second half of a request is put down to the broker");
  const auto lane =
      lane_of_synced(line({.call = "epoll_wait", .entered = 120, .returned = 1020, .result = 1}) +
                     line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 100, .arrived = 1010}) +
                     line({.call = "epoll_wait", .entered = 1025, .returned = 1060, .result = 1}) +
                     line({.call = "recvmsg", .entered = 1061, .returned = 1064, .result = 42, .arrived = 1050}) +
                     line({.call = "send", .entered = 1080, .returned = 1090, .result = 48}));
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 0);
  EXPECT_DOUBLE_EQ(longest_of(lane, Doing::notice), 10);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::work), 16);
}

TEST(InHand, WithoutAnAnswerInTheTraceNothingIsSaid) {
  SCOPED_TRACE("the trace was cut off, and the broker is said to have been waited for");
  const auto calls =
      parse_trace(line({.call = "epoll_wait", .entered = 120, .returned = 1020, .result = 1}) +
                  line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
                  line({.call = "epoll_wait", .entered = 1050, .returned = 1600, .result = 1}));
  EXPECT_FALSE(in_hand(calls, kSynced[1]));
  const auto lane = make_lane("a model", calls, kSynced, 1);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::broker_waits), 0);
  EXPECT_DOUBLE_EQ(lane.total_us(Doing::work), 0);
  EXPECT_FALSE(in_hand({}, kSynced[1]));
}

}  // namespace
}  // namespace iolab::lab
