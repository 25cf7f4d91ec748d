// What the kernel saw, drawn into a lane: a wake-up apart from the copy, and threads that make calls of their own.
#include "experiments/trace/kernel_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "experiments/trace/trace_pass.h"
#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;
using Kind = KernelEvent::Kind;

constexpr pid_t kServing = 1;
constexpr pid_t kHelper = 77;
constexpr pid_t kClient = 500;
const std::vector<ServerThread> kOneThread{{kServing, "serve 0"}};

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
                    {event(Kind::data_ready, 1010, kClient), event(Kind::runs, 1022, 0, kServing),
                     event(Kind::copies, 1025, kServing)},
                    kOneThread);
  ASSERT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::notice, Doing::copy, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[1].to_us, 15);
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 15);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 20);
}

TEST(KernelEvents, PartWakingUpFromACopyThatIsNotSeen) {
  SCOPED_TRACE("a short datagram is copied where no tracepoint is, and the wake-up is drawn as a part of the copy");
  const auto trace = line({.call = "recvmsg", .entered = 130, .returned = 1030, .result = 64, .arrived = 1010}) +
                     line({.call = "send", .entered = 1045, .returned = 1058, .result = 64});
  auto lane = make_lane("blocking", parse_trace(trace), kTwo, 1);
  add_kernel_events(lane, {event(Kind::data_ready, 1010, kClient), event(Kind::runs, 1022, 0, kServing)}, kOneThread);
  ASSERT_THAT(doings(lane, 0),
              ElementsAre(Doing::blocked, Doing::notice, Doing::awake_and_copy, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[1].to_us, 12);
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 12);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 20);
}

// What glibc's helper does for one request, and the program beside it.
Lane an_asynchronous_read(std::optional<std::int64_t> seen_ns = {}) {
  return make_lane("posix-aio",
                   parse_trace(line({.call = "aio_read", .entered = 118, .returned = 120}) +
                               line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                               line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142})),
                   kTwo, 1, seen_ns);
}

KernelEvent call(Kind kind, const char* name, int at_us, std::int64_t value = 0) {
  return {.kind = kind, .at_ns = at_us * std::int64_t{1000}, .thread = kHelper, .value = value, .call = name};
}

TEST(KernelEvents, ShowTheThreadThatNobodyStarted) {
  SCOPED_TRACE("glibc's helper does the copy, and the picture does not know of it, or invents its call and its end");
  const std::vector<KernelEvent> events{
      call(Kind::enters, "pread64", 130),    call(Kind::leaves, "pread64", 131, -29),
      call(Kind::enters, "read", 132),       event(Kind::data_ready, 1008, kClient),
      event(Kind::runs, 1018, 0, kHelper),   event(Kind::copies, 1020, kHelper),
      call(Kind::leaves, "read", 1023, 142), event(Kind::signals, 1026, kHelper, kServing)};
  const auto seen = arrival_seen(events, kClient, kTwo[1]);
  ASSERT_EQ(seen, 1'008'000);  // the sender's clock says only that it was after 1,000
  auto lane = an_asynchronous_read(seen);
  const auto rows = lane.rows.size();
  add_kernel_events(lane, events, {{kServing, "serve 0"}, {kHelper, "serve 0"}});
  ASSERT_EQ(lane.rows.size(), rows + 1);
  EXPECT_EQ(lane.rows.back(), Row::helper);
  ASSERT_THAT(doings(lane, rows), ElementsAre(Doing::blocked, Doing::notice, Doing::copy));
  const auto& copy = lane.pieces.back();
  EXPECT_EQ(copy.call, "read");
  EXPECT_EQ(copy.result, 142);
  EXPECT_DOUBLE_EQ(copy.from_us, 12);
  EXPECT_DOUBLE_EQ(copy.to_us, 15);  // not until the signal
  EXPECT_DOUBLE_EQ(lane.pieces[lane.pieces.size() - 3].from_us, -876);
}

TEST(KernelEvents, ShowAHelperWhoseCopyIsNotSeen) {
  SCOPED_TRACE("of a datagram's helper nothing is drawn, because its copy has no tracepoint");
  auto lane = an_asynchronous_read(1'008'000);
  const auto rows = lane.rows.size();
  add_kernel_events(
      lane,
      {call(Kind::enters, "pread64", 130), call(Kind::leaves, "pread64", 131, -29), call(Kind::enters, "read", 132),
       event(Kind::runs, 1018, 0, kHelper), call(Kind::leaves, "read", 1023, 142)},
      {{kServing, "serve 0"}, {kHelper, "serve 0"}});
  ASSERT_EQ(lane.rows.size(), rows + 1);
  EXPECT_EQ(lane.rows.back(), Row::helper);
  ASSERT_THAT(doings(lane, rows), ElementsAre(Doing::blocked, Doing::notice, Doing::awake_and_copy));
  EXPECT_DOUBLE_EQ(lane.pieces.back().from_us, 10);
  EXPECT_DOUBLE_EQ(lane.pieces.back().to_us, 15);
  EXPECT_EQ(lane.pieces.back().result, 142);
}

TEST(KernelEvents, OfAThreadThatReadAFileDrawNoRow) {
  SCOPED_TRACE("a thread that read a file meanwhile is drawn as one that copied the request");
  auto lane = an_asynchronous_read(1'008'000);
  const auto rows = lane.rows.size();
  add_kernel_events(lane, {call(Kind::enters, "read", 1012), call(Kind::leaves, "read", 1023, 4096)},
                    {{kServing, "serve 0"}, {kHelper, "flusher"}});
  EXPECT_EQ(lane.rows.size(), rows);
}

TEST(KernelEvents, DrawOnlyWhatIsKnownOfAHelper) {
  SCOPED_TRACE("where the kernel does not tell its calls, a helper is given one, with a result of 0");
  auto lane = an_asynchronous_read(1'008'000);
  const auto rows = lane.rows.size();
  add_kernel_events(lane, {event(Kind::copies, 1020, kHelper), event(Kind::signals, 1026, kHelper, kServing)},
                    {{kServing, "serve 0"}, {kHelper, "serve 0"}});
  ASSERT_THAT(doings(lane, rows), ElementsAre(Doing::notice, Doing::unknown));
  EXPECT_DOUBLE_EQ(lane.pieces.back().to_us, 18);
  for (const auto& piece : lane.pieces) {
    if (piece.row != rows) continue;
    EXPECT_EQ(piece.call, "");
    EXPECT_FALSE(piece.result);
  }
}

const std::string kRing =
    line({.call = "io_uring_enter", .entered = 125, .returned = 1031, .result = 0, .cpu = 8}) +
    line({.call = "recvmsg", .entered = 122, .returned = 1032, .result = 142, .arrived = 1010, .order = true}) +
    line({.call = "send", .entered = 1043, .returned = 1058, .result = 48, .order = true}) +
    line({.call = "io_uring_enter", .entered = 1044, .returned = 4000, .result = 1});

TEST(KernelEvents, ShowTaskWorkInTheThreadThatItRanIn) {
  SCOPED_TRACE("io_uring's task work is not shown, or a lane says that its thread copied and that somebody else did");
  auto lane = make_lane("io_uring", parse_trace(kRing), kTwo, 1);
  add_kernel_events(lane, {event(Kind::copies, 1020, kServing), event(Kind::task_work, 1024, kServing)}, kOneThread);
  EXPECT_THAT(doings(lane, 0),
              ElementsAre(Doing::blocked, Doing::notice, Doing::task_work, Doing::notice, Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 10);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 14);
  EXPECT_THAT(doings(lane, 1), ElementsAre(Doing::handed_over, Doing::carried_out));
}

TEST(KernelEvents, BoundTaskWorkWhoseCopyIsNotSeen) {
  SCOPED_TRACE("of a datagram in a ring it is not said that its own thread copied, though task work ran in it");
  auto lane = make_lane("io_uring", parse_trace(kRing), kTwo, 1);
  add_kernel_events(lane, {event(Kind::runs, 1018, 0, kServing), event(Kind::task_work, 1024, kServing)}, kOneThread);
  ASSERT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::notice, Doing::awake_and_copy, Doing::notice,
                                           Doing::work, Doing::reply));
  EXPECT_DOUBLE_EQ(lane.pieces[2].from_us, 8);
  EXPECT_DOUBLE_EQ(lane.pieces[2].to_us, 14);
  lane = make_lane("io_uring", parse_trace(kRing), kTwo, 1);
  add_kernel_events(lane, {event(Kind::runs, 1018, 0, kServing)}, kOneThread);  // who copied was not seen
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::copied_inside, Doing::work, Doing::reply));
}

TEST(KernelEvents, NameTheKernelsOwnThread) {
  SCOPED_TRACE("the thread that looks for orders is drawn as one that makes calls");
  constexpr pid_t kPoller = 78;
  auto lane = make_lane("io_uring", parse_trace(kRing), kTwo, 1);
  add_kernel_events(lane, {event(Kind::copies, 1020, kPoller), event(Kind::completes, 1025, kPoller)},
                    {{kServing, "serve 0"}, {kPoller, "iou-sqp-1"}});
  ASSERT_EQ(lane.rows.size(), 3u);
  EXPECT_EQ(lane.rows.back(), Row::kernel_thread);
  EXPECT_THAT(doings(lane, 2), ElementsAre(Doing::notice, Doing::copy));
  EXPECT_EQ(lane.pieces.back().call, "");
  EXPECT_DOUBLE_EQ(lane.pieces.back().to_us, 15);
  EXPECT_THAT(doings(lane, 0), ElementsAre(Doing::blocked, Doing::copied_for_us, Doing::work, Doing::reply));
}

TEST(KernelEvents, ThatHaveGapsAreNotDrawn) {
  SCOPED_TRACE("a ring was full, and a border or a helper is drawn from what is left, as if that were all");
  TracedModel traced;
  traced.series = "posix-aio";
  traced.calls = parse_trace(line({.call = "aio_read", .entered = 118, .returned = 120}) +
                             line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                             line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142}));
  traced.requests = kTwo;
  traced.client = kClient;
  traced.threads = {{kServing, "serve 0"}, {kHelper, "serve 0"}};
  traced.kernel.events = {event(Kind::data_ready, 1008, kClient), event(Kind::copies, 1020, kHelper)};
  constexpr double kShortest = 0;
  const auto whole = lanes_of({traced}, kShortest).front();
  EXPECT_EQ(whole.border, Border::seen);
  EXPECT_EQ(whole.rows.back(), Row::helper);
  EXPECT_EQ(whole.lost_records, 0u);
  traced.kernel.lost = 3;
  const auto with_gaps = lanes_of({traced}, kShortest).front();
  EXPECT_EQ(with_gaps.border, Border::at_most);
  EXPECT_EQ(std::ranges::count(with_gaps.rows, Row::helper), 0);
  EXPECT_EQ(with_gaps.lost_records, 3u);
}

TEST(KernelEvents, OfOtherProcessesChangeNothing) {
  SCOPED_TRACE("another program's wake-up is drawn into a lane");
  const auto trace = line({.call = "recvmsg", .entered = 130, .returned = 1030, .arrived = 1010}) +
                     line({.call = "send", .entered = 1045, .returned = 1058, .result = 48});
  const auto plain = make_lane("blocking", parse_trace(trace), kTwo, 1);
  auto lane = plain;
  add_kernel_events(lane, {event(Kind::copies, 1020, kClient), event(Kind::copies, 900, kServing)}, kOneThread);
  EXPECT_EQ(doings(lane, 0), doings(plain, 0));
  EXPECT_EQ(lane.rows.size(), plain.rows.size());
}

}  // namespace
}  // namespace iolab::lab
