// Every probe, in every one of its ways, as a process: short, and what it does rather than what it measures.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ProbeTest : public ProgramTest {
 protected:
  // Figures, each a number; or exit code 4 and a reason, where this machine cannot do it.
  void try_probe(const std::vector<std::string>& which) {
    std::vector<std::string> arguments{"probe"};
    arguments.insert(arguments.end(), which.begin(), which.end());
    arguments.insert(arguments.end(), {"--for", "60"});
    SCOPED_TRACE(fmt::format("iolab {}", fmt::join(arguments, " ")));
    const auto ended = run(arguments);
    if (ended.code == 4) {
      EXPECT_THAT(ended.err, Not(IsEmpty()));
      return;
    }
    ASSERT_EQ(ended.code, 0) << ended.err;
    const auto figures = nlohmann::json::parse(ended.out, nullptr, false);
    ASSERT_TRUE(figures.is_object()) << ended.out;
    EXPECT_GT(figures.size(), 1u);
  }
};

TEST_F(ProbeTest, Phases) {
  SCOPED_TRACE("a model cannot receive one message after a pause");
  for (const char* model : {"blocking", "nonblocking", "select", "poll", "epoll", "sigio", "io_uring"}) {
    try_probe({"phases", "--model", model, "--set", "pause.ms=2", "--set", "bytes=1000"});
  }
}

TEST_F(ProbeTest, ShortReads) {
  SCOPED_TRACE("one of the ways to want ten bytes waits for ever");
  for (const char* way :
       {"recv", "MSG_WAITALL", "loop", "SO_RCVLOWAT", "MSG_DONTWAIT", "O_NONBLOCK", "epoll+SO_RCVLOWAT"}) {
    try_probe({"short-reads", "--set", fmt::format("way={}", way), "--set", "pause.ms=2"});
  }
}

TEST_F(ProbeTest, Meanwhile) {
  SCOPED_TRACE("a model gets its message, and none of its other work done, or never ends");
  for (const char* model : {"blocking", "blocking:work=second-thread", "nonblocking", "select", "poll", "epoll",
                            "sigio", "sigio:delivery=handler", "posix-aio", "io_uring"}) {
    try_probe({"meanwhile", "--model", model, "--set", "pause.ms=5"});
  }
}

TEST_F(ProbeTest, AioHonesty) {
  SCOPED_TRACE("orders on one descriptor wait for ever");
  try_probe({"aio-honesty", "--set", "descriptors=2", "--set", "orders=2"});
}

TEST_F(ProbeTest, LostSignal) {
  SCOPED_TRACE("an overflown queue of signals leaves the probe waiting");
  for (const char* overflow : {"heeded", "ignored"}) {
    try_probe({"lost-signal", "--set", "signal=queued", "--set", "sockets=20", "--set", "queue=5", "--set",
               fmt::format("overflow={}", overflow)});
  }
  try_probe({"lost-signal", "--set", "signal=plain", "--set", "sockets=20"});
}

TEST_F(ProbeTest, EdgeTrap) {
  SCOPED_TRACE("what is left in the socket is waited for without end");
  for (const char* way : {"level", "edge", "edge-read-once"}) {
    try_probe({"edge-trap", "--set", fmt::format("way={}", way), "--set", "messages=5"});
  }
}

TEST_F(ProbeTest, HighFd) {
  SCOPED_TRACE("a descriptor above 1,023 is written beyond the set of select()");
  for (const char* model : {"select", "poll", "epoll"}) {
    try_probe({"high-fd", "--model", model, "--set", "sockets=2", "--set", "first=900"});
  }
  const auto beyond = run({"probe", "high-fd", "--model", "select", "--set", "first=2000", "--for", "60"});
  EXPECT_EQ(beyond.code, 4) << beyond.out;
  EXPECT_THAT(beyond.err, HasSubstr("FD_SETSIZE"));
}

TEST_F(ProbeTest, CopyCount) {
  SCOPED_TRACE("a way to send a file sends less of it, or does not end");
  for (const char* way : {"pread+send", "mmap+send", "sendfile", "splice", "io_uring-send_zc"}) {
    try_probe({"copy-count", "--set", fmt::format("way={}", way), "--set", "bytes=4096"});
  }
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
