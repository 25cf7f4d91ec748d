// What the kernel saw, drawn into a lane: a wake-up apart from the copy, and threads that make calls of their own.
#include "experiments/trace/kernel_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using Kind = KernelEvent::Kind;

constexpr pid_t kServing = 1;
constexpr pid_t kHelper = 77;
constexpr pid_t kClient = 500;

KernelEvent event(Kind kind, int at_us, pid_t thread, pid_t subject = 0) {
  return {.kind = kind, .at_ns = at_us * std::int64_t{1000}, .thread = thread, .subject = subject};
}

TEST(KernelEvents, PartWakingUpFromTheCopy) {
  SCOPED_TRACE("with tracepoints permitted a blocking recv() is still one piece");
  auto lane = make_lane("blocking",
                        parse_trace(line({.call = "recvmsg", .entered = 130, .returned = 1030, .arrived = 1010}) +
                                    line({.call = "send", .entered = 1045, .returned = 1058, .result = 48})),
                        kTwo, 1);
  ASSERT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::wake_and_copy, Doing::work, Doing::reply));
  add_kernel_events(lane,
                    {event(Kind::data_ready, 1010, kClient), event(Kind::waking, 1011, kClient, kServing),
                     event(Kind::runs, 1022, 0, kServing), event(Kind::copies, 1025, kServing)},
                    {kServing}, lane.zero_ns);
  ASSERT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::notice, Doing::copy, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[1].to_us, 15);
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 15);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 20);
}

TEST(KernelEvents, ShowTheThreadThatNobodyStarted) {
  SCOPED_TRACE("glibc's helper does the copy, and the picture does not know of it");
  auto lane = make_lane("posix-aio",
                        parse_trace(line({.call = "aio_read", .entered = 118, .returned = 120}) +
                                    line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                                    line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142})),
                        kTwo, 1);
  const auto rows = lane.rows.size();
  add_kernel_events(lane,
                    {event(Kind::data_ready, 1008, kClient), event(Kind::runs, 1018, 0, kHelper),
                     event(Kind::copies, 1020, kHelper), event(Kind::signals, 1026, kHelper, kServing)},
                    {kServing, kHelper}, lane.zero_ns);
  ASSERT_EQ(lane.rows.size(), rows + 1);
  EXPECT_EQ(lane.rows.back(), Row::helper);
  EXPECT_THAT(doings(lane, rows), ElementsAre(Doing::blocked, Doing::notice, Doing::copy));
  EXPECT_DOUBLE_EQ(lane.arrived_seen_us, 8);  // the sender's clock says only that it was after 1,000
}

TEST(KernelEvents, OfOtherProcessesChangeNothing) {
  SCOPED_TRACE("another program's wake-up is drawn into a lane");
  const auto trace = line({.call = "recvmsg", .entered = 130, .returned = 1030, .arrived = 1010}) +
                     line({.call = "send", .entered = 1045, .returned = 1058, .result = 48});
  const auto plain = make_lane("blocking", parse_trace(trace), kTwo, 1);
  auto lane = plain;
  add_kernel_events(lane, {event(Kind::copies, 1020, kClient), event(Kind::copies, 900, kServing)}, {kServing},
                    lane.zero_ns);
  EXPECT_EQ(doings(lane, 0), doings(plain, 0));
  EXPECT_EQ(lane.rows.size(), plain.rows.size());
}

}  // namespace
}  // namespace iolab::lab
