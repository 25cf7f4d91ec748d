// Every probe, in every one of its ways, as a process: short, and what it does rather than what it measures.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ProbeTest : public ProgramTest {
 protected:
  // What it says where this machine can do it; a figure that it does not have is -1.
  struct Told {
    nlohmann::json figures;
    double operator[](const char* id) const { return figures.is_object() ? figures.value(id, -1.0) : -1.0; }
  };
  Told told_by(const std::vector<std::string>& which, int milliseconds = 60) {
    std::vector<std::string> arguments{"probe"};
    arguments.insert(arguments.end(), which.begin(), which.end());
    arguments.insert(arguments.end(), {"--for", std::to_string(milliseconds)});
    const auto ended = run(arguments);
    EXPECT_EQ(ended.code, 0) << fmt::format("iolab {}\n{}", fmt::join(arguments, " "), ended.err);
    return {nlohmann::json::parse(ended.out, nullptr, false)};
  }
  // Whether `iolab models` says that this one cannot run here.
  bool is_refused(const std::string& model) {
    if (models_.is_null()) models_ = nlohmann::json::parse(run({"models", "--json"}).out, nullptr, false);
    const auto id = model.substr(0, model.find(':'));
    for (const auto& one : models_.value("models", nlohmann::json::array())) {
      if (one.value("id", "") == id) return !one.value("available", true);
    }
    ADD_FAILURE() << "iolab models has no " << id;
    return false;
  }
  // What the probe says of a model; nothing if that cannot run here, and then it must say why.
  std::optional<Told> told_of(const std::string& model, std::vector<std::string> which) {
    which.insert(which.begin() + 1, {"--model", model});
    if (!is_refused(model)) return told_by(which);
    which.insert(which.begin(), "probe");
    const auto ended = run(which);
    EXPECT_EQ(ended.code, 4) << model;
    EXPECT_THAT(ended.err, Not(IsEmpty())) << model;
    return std::nullopt;
  }

 private:
  nlohmann::json models_;
};

TEST_F(ProbeTest, Phases) {
  SCOPED_TRACE("a model cannot receive one message after a pause");
  for (const char* model : {"blocking", "nonblocking", "select", "poll", "epoll", "sigio", "io_uring"}) {
    SCOPED_TRACE(model);
    const auto told = told_of(model, {"phases", "--set", "pause.ms=2", "--set", "bytes=1000"});
    if (!told) continue;
    EXPECT_GT((*told)["phase1_us"], 1000) << "most of the pause of 2 ms";
    EXPECT_GT((*told)["after_arrival_us"], 0);
  }
}

TEST_F(ProbeTest, OnlyANonBlockingCallReturnsBeforeTheData) {
  SCOPED_TRACE("the returns in vain are not seen, or a blocking call is said to have some");
  EXPECT_LT(told_by({"phases", "--model", "blocking", "--set", "pause.ms=2"})["returned_before_data_share"], 0.5);
  EXPECT_GT(told_by({"phases", "--model", "nonblocking", "--set", "pause.ms=2"})["returned_before_data_share"], 0.5);
}

TEST_F(ProbeTest, ShortReads) {
  SCOPED_TRACE("one of the ways to want ten bytes waits for ever");
  for (const char* way : {"recv", "MSG_WAITALL", "loop", "SO_RCVLOWAT", "SO_RCVLOWAT-while-sleeping", "MSG_DONTWAIT",
                          "O_NONBLOCK", "epoll+SO_RCVLOWAT"}) {
    const auto told = told_by({"short-reads", "--set", fmt::format("way={}", way), "--set", "pause.ms=2"});
    EXPECT_GE(told["first_bytes"], 8) << way;
    EXPECT_EQ(told["first_bytes"] + told["second_bytes"], 10) << way;
  }
}

TEST_F(ProbeTest, EightThenTwo) {
  SCOPED_TRACE("a non-blocking read takes something else than what is there, or one that sleeps is woken by the eight");
  const auto nonblocking = told_by({"short-reads", "--set", "way=O_NONBLOCK", "--set", "pause.ms=200"});
  EXPECT_EQ(nonblocking["first_bytes"], 8);
  EXPECT_EQ(nonblocking["second_bytes"], 2);
  const auto asleep = told_by({"short-reads", "--set", "way=SO_RCVLOWAT-while-sleeping", "--set", "pause.ms=200"});
  EXPECT_EQ(asleep["first_bytes"], 10);
  EXPECT_EQ(asleep["second_bytes"], 0);
}

TEST_F(ProbeTest, Meanwhile) {
  SCOPED_TRACE("a model gets its message, and none of its other work done, or never ends");
  const std::vector<std::string> kOnlyWait{"blocking", "select", "poll", "epoll", "sigio"};
  for (const char* model : {"blocking", "blocking:work=second-thread", "nonblocking", "select", "poll", "epoll",
                            "sigio", "sigio:delivery=handler", "posix-aio", "io_uring"}) {
    SCOPED_TRACE(model);
    const auto told = told_of(model, {"meanwhile", "--set", "pause.ms=5"});
    if (!told) continue;
    EXPECT_GT((*told)["messages"], 0);
    const bool only_waits = std::ranges::find(kOnlyWait, model) != kOnlyWait.end();
    if (only_waits) {
      EXPECT_EQ((*told)["work_done_share"], 0);
    } else {
      EXPECT_GT((*told)["work_done_share"], 0.1);
    }
  }
}

TEST_F(ProbeTest, AioHonesty) {
  SCOPED_TRACE("orders on one descriptor wait for ever");
  const auto told = told_by({"aio-honesty", "--set", "descriptors=2", "--set", "orders=2"});
  EXPECT_EQ(told["orders_served_share"], 1);
  EXPECT_EQ(told["in_order_share"], 1);
  EXPECT_EQ(told["threads_waiting"], 2) << "one for each descriptor";
}

TEST_F(ProbeTest, OneSignalSaysBeginTheOtherSaysDone) {
  SCOPED_TRACE("the buffer is looked at too late, or too early, or it is another one");
  const auto told = told_by({"aio-honesty", "--set", "descriptors=1", "--set", "orders=1"});
  EXPECT_EQ(told["bytes_when_sigio_signalled"], 0);
  EXPECT_EQ(told["bytes_when_signalled"], 16);
}

TEST_F(ProbeTest, LostSignal) {
  SCOPED_TRACE("an overflown queue of signals leaves the probe waiting");
  for (const char* overflow : {"heeded", "ignored"}) {
    const auto told = told_by({"lost-signal", "--set", "signal=queued", "--set", "sockets=20", "--set", "queue=5",
                               "--set", fmt::format("overflow={}", overflow)});
    EXPECT_GE(told["sockets_never_heard_of"], 0) << overflow;
  }
  EXPECT_EQ(told_by({"lost-signal", "--set", "signal=plain", "--set", "sockets=20"})["sockets_never_heard_of"], 0);
}

TEST_F(ProbeTest, LostSignalsAreCountedAndNotTimed) {
  SCOPED_TRACE("a socket that nobody hears of counts as heard, or gets a delay");
  const std::vector<std::string> full{"lost-signal", "--set", "sockets=20", "--set", "queue=5", "--set"};
  const auto with = [&](const char* overflow) {
    auto which = full;
    which.emplace_back(overflow);
    return told_by(which);
  };
  const auto ignored = with("overflow=ignored");
  EXPECT_GE(ignored["sockets_never_heard_of"], 15);
  EXPECT_EQ(ignored["asking_everybody_us"], -1);
  const auto heeded = with("overflow=heeded");
  EXPECT_EQ(heeded["sockets_never_heard_of"], 0);
  EXPECT_GT(heeded["asking_everybody_us"], 0);
  EXPECT_GE(heeded["heard_after_longest_us"], heeded["heard_after_us"]);
  const auto plain =
      told_by({"lost-signal", "--set", "sockets=20", "--set", "signal=plain", "--set", "overflow=ignored"});
  EXPECT_EQ(plain["sockets_never_heard_of"], 20);
  EXPECT_EQ(plain["heard_after_us"], -1);
}

TEST_F(ProbeTest, SignalsPerMessage) {
  SCOPED_TRACE("signals of parts merge although there is room, or an overflow leaves a socket forgotten");
  for (const char* protocol : {"protocol=tcp", "protocol=udp"}) {
    SCOPED_TRACE(protocol);
    const auto roomy = told_by({"signals-per-message", "--set", protocol, "--set", "parts=4"});
    EXPECT_EQ(roomy["signals_per_message"], 4);
    EXPECT_EQ(roomy["overflow_signals"], 0);
    EXPECT_EQ(roomy["sockets_never_heard_of"], 0);
    const auto full = told_by({"signals-per-message", "--set", protocol, "--set", "parts=4", "--set", "queue=10"});
    EXPECT_LT(full["signals_per_message"], 1);
    EXPECT_GT(full["overflow_signals"], 0);
    EXPECT_EQ(full["sockets_never_heard_of"], 0);
    EXPECT_GE(full["messages"], 16);
  }
}

TEST_F(ProbeTest, EdgeTrap) {
  SCOPED_TRACE("what is left in the socket is waited for without end");
  for (const char* way : {"level", "edge"}) {
    const auto told = told_by({"edge-trap", "--set", fmt::format("way={}", way), "--set", "messages=5"});
    EXPECT_EQ(told["bytes_left_share"], 0) << way;
    EXPECT_EQ(told["whole_messages_share"], 1) << way;
  }
  const auto once = told_by({"edge-trap", "--set", "way=edge-read-once", "--set", "messages=5"});
  EXPECT_GT(once["bytes_left_share"], 0);
  EXPECT_LT(once["whole_messages_share"], 1);
  EXPECT_GT(once["stuck_ms"], 0);
}

TEST_F(ProbeTest, EventPerArrival) {
  SCOPED_TRACE("a state is told like an arrival, or an arrival that nobody looked at is lost");
  const auto told = [&](const char* model, const char* look) {
    return told_by({"event-per-arrival", "--model", model, "--set", look, "--set", "arrivals=4"});
  };
  for (const char* model : {"select", "poll", "epoll"}) {
    SCOPED_TRACE(model);
    const auto level = told(model, "look=after-all");
    EXPECT_EQ(level["events_per_arrival"], 0.25);
    EXPECT_EQ(level["events_without_arrival"], 1);
  }
  EXPECT_EQ(told("epoll-et", "look=after-all")["events_per_arrival"], 0.25);
  const auto edge = told("epoll-et", "look=after-each");
  EXPECT_EQ(edge["events_per_arrival"], 1);
  EXPECT_EQ(edge["events_without_arrival"], 0);
  const auto signals = told("sigio", "look=after-all");
  EXPECT_EQ(signals["events_per_arrival"], 1);
  EXPECT_EQ(signals["events_without_arrival"], 0);
}

TEST_F(ProbeTest, HighFd) {
  SCOPED_TRACE("a descriptor above 1,023 is written beyond the set of select()");
  for (const char* model : {"select", "poll", "epoll"}) {
    const auto told = told_by({"high-fd", "--model", model, "--set", "sockets=2", "--set", "first=900"});
    EXPECT_GE(told["highest_descriptor"], 901) << model;
    EXPECT_GT(told["wait_us"], 0) << model;
  }
  const auto beyond = run({"probe", "high-fd", "--model", "select", "--set", "first=2000", "--for", "60"});
  EXPECT_EQ(beyond.code, 4) << beyond.out;
  EXPECT_THAT(beyond.err, HasSubstr("FD_SETSIZE"));
}

TEST_F(ProbeTest, CopyCount) {
  SCOPED_TRACE("a way to send a file sends less of it, or does not end");
  for (const char* way : {"pread+send", "mmap+send", "sendfile", "splice"}) {  // the probe compares what came
    const auto told = told_by({"copy-count", "--set", fmt::format("way={}", way), "--set", "bytes=4096"});
    EXPECT_GT(told["sent_gib_per_s"], 0) << way;
  }
  const std::vector<std::string> ring{"copy-count", "--set", "way=io_uring-send_zc", "--set", "bytes=4096"};
  if (run({"probe", ring[0], ring[1], ring[2], "--for", "60"}).code == 4) GTEST_SKIP() << "no send_zc (Linux 6.0)";
  EXPECT_GT(told_by(ring)["sent_gib_per_s"], 0);
}

TEST_F(ProbeTest, FrozenLoop) {
  SCOPED_TRACE("a customer who reads nothing stops a loop that does not block, or lets one run that does");
  const auto free = told_by({"frozen-loop", "--set", "sockets=non-blocking"}, 200);
  EXPECT_GT(free["answered_share"], 0.5);
  const auto frozen = told_by({"frozen-loop", "--set", "sockets=blocking"}, 200);
  EXPECT_EQ(frozen["answered_share"], 0);
  EXPECT_GE(frozen["longest_silence_ms"], 50);
  EXPECT_EQ(frozen["answered_after_us"], -1);
}

// By the share of all questions, not by kinds_served: one answer that is late on a busy machine is no news.
TEST_F(ProbeTest, SeveralServices) {
  SCOPED_TRACE("a loop leaves out one of the four kinds of questions, or a blocking thread answers a second one");
  for (const char* model : {"select", "poll", "epoll"}) {
    const auto told = told_by({"several-services", "--model", model}, 200);
    EXPECT_GT(told["answered_share"], 0.75) << model;
  }
  const auto blocking = told_by({"several-services", "--model", "blocking"}, 200);
  EXPECT_LE(blocking["kinds_served"], 1);
  EXPECT_LE(blocking["answered_share"], 0.25);
}

TEST_F(ProbeTest, JavaSockets) {
  SCOPED_TRACE("the call in which the Java program sleeps is not found, or another one is");
  const auto way = [&](const char* name) {
    return told_by({"java-sockets", "--set", fmt::format("way={}", name)}, 200);
  };
  const auto without = run({"probe", "java-sockets", "--for", "60"}, {"env", "PATH=/nonexistent"});
  EXPECT_EQ(without.code, 4) << without.out;
  EXPECT_THAT(without.err, HasSubstr("there is no java here"));
  if (run({"probe", "java-sockets", "--for", "60"}).code == 4) GTEST_SKIP() << "no Java on this machine";
  EXPECT_GT(way("socket")["asleep_in_receive_share"], 0.5);
  EXPECT_GT(way("socket-with-timeout")["asleep_in_poll_share"], 0.5);
  EXPECT_GT(way("selector")["asleep_in_epoll_share"], 0.5);
  const auto asks = way("channel-non-blocking");
  EXPECT_EQ(asks["asleep_in_receive_share"], 0);
  EXPECT_EQ(asks["nonblocking_sockets"], 1);
}

TEST_F(ProbeTest, AcceptStorm) {
  SCOPED_TRACE("a way to accept waits for a connection that does not come, or leaves one in the queue");
  for (const char* model :
       {"blocking", "nonblocking", "epoll", "io_uring", "io_uring:accept=several", "io_uring:accept=multishot"}) {
    for (const char* thread : {"thread=busy", "thread=waits"}) {
      const std::vector<std::string> which{"accept-storm", "--model", model, "--set", "burst=3", "--set", thread};
      // An io_uring that defers its work is Linux 6.1: less may do for `iolab models`.
      const bool may_lack = std::string(model).starts_with("io_uring");
      if (may_lack && run({"probe", "accept-storm", "--model", model, "--for", "60"}).code == 4) continue;
      EXPECT_EQ(told_by(which)["accepted_share"], 1) << model << " " << thread;
    }
  }
}

TEST_F(ProbeTest, OneConnectionIsAcceptedOnce) {
  SCOPED_TRACE("a connection is counted twice or not at all, or a call is");
  for (const char* thread : {"thread=busy", "thread=waits"}) {
    const auto told = [&](const char* model) {
      return told_by({"accept-storm", "--model", model, "--set", "burst=1", "--set", thread});
    };
    const auto blocking = told("blocking");
    EXPECT_EQ(blocking["accepted_share"], 1) << thread;
    EXPECT_EQ(blocking["calls_per_connection"], 1) << thread;
    const auto epoll = told("epoll");
    EXPECT_EQ(epoll["accepted_share"], 1) << thread;
    EXPECT_EQ(epoll["calls_per_connection"], 3) << thread << ": to wait, to accept, and to be told EAGAIN";
  }
}

TEST_F(ProbeTest, AStandingAcceptTakesFewerCalls) {
  SCOPED_TRACE("a standing order is given again for each connection, or one order at a time counts for several");
  if (run({"probe", "accept-storm", "--model", "io_uring", "--for", "60"}).code == 4) {
    GTEST_SKIP() << "no io_uring that defers its work on this machine";
  }
  const auto one = told_by({"accept-storm", "--model", "io_uring", "--set", "burst=64"});
  const auto standing = told_by({"accept-storm", "--model", "io_uring:accept=multishot", "--set", "burst=64"});
  EXPECT_EQ(one["calls_per_connection"], 1);
  EXPECT_LT(standing["calls_per_connection"], 0.5);
  EXPECT_EQ(one["accepted_share"], 1);
  EXPECT_EQ(standing["accepted_share"], 1);
}

TEST_F(ProbeTest, WhatTheKernelRefusesIsNoFigure) {
  SCOPED_TRACE("a system call fails, and its figure is printed as if it had not");
  const auto nowhere = run({"probe", "high-fd", "--model", "poll", "--peer-cpu", "9999", "--for", "60"});
  EXPECT_EQ(nowhere.code, 4) << nowhere.out;
  EXPECT_THAT(nowhere.err, HasSubstr("cannot run on CPU 9999"));
  const auto few = [&](const char* limit, std::vector<std::string> which) {
    which.insert(which.begin(), "probe");
    return run(which, {"bash", "-c", fmt::format("{}; exec \"$@\"", limit), "bash"});
  };
  const auto low = few("ulimit -n 500", {"high-fd", "--model", "poll", "--set", "first=900"});
  EXPECT_EQ(low.code, 4) << low.out;
  EXPECT_THAT(low.err, HasSubstr("may have 500 descriptors"));
  const auto queue = few("ulimit -i 100", {"signals-per-message", "--set", "queue=1000", "--for", "60"});
  if (queue.code == 0) GTEST_SKIP() << "this user may raise a limit again";
  EXPECT_EQ(queue.code, 4) << queue.out;
  EXPECT_THAT(queue.err, HasSubstr("no queue of 1000 signals"));
}

TEST_F(ProbeTest, WrongWordsNameTheNearest) {
  SCOPED_TRACE("a mistyped probe, model or setting runs something else");
  EXPECT_THAT(run({"probe", "meanwihle"}).err, HasSubstr("meanwhile"));
  EXPECT_EQ(run({"probe", "meanwihle"}).code, 2);
  EXPECT_EQ(run({"probe", "phases", "--model", "epol"}).code, 2);
  EXPECT_EQ(run({"probe", "edge-trap", "--set", "way=egde"}).code, 2);
  EXPECT_EQ(run({"probe", "edge-trap", "--set", "messages=many"}).code, 2);
}

}  // namespace
}  // namespace iolab::lab
