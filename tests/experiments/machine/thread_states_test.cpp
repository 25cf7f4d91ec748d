// What threads sleep in, from /proc. A failure here means that `iolab doctor --model` shows a class something that the
// model does not do.
#include "experiments/machine/thread_states.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <map>

#include "experiments/machine/process.h"
#include "io_models/registry.h"
#include "tests/io_models/required_models.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(ThreadStates, TheFileOfTheKernelIsRead) {
  SCOPED_TRACE("a thread is said to sleep in a call that it does not make");
  EXPECT_EQ(sleeping_call("232 0x4 0x7f 0x40 0xffffffff 0x0 0x0 0x7ffc 0x7f0a\n"), "epoll_wait");
  EXPECT_EQ(sleeping_call("running\n"), "");
  EXPECT_EQ(sleeping_call("-1 0x7ffc 0x7f0a\n"), "");
  EXPECT_EQ(sleeping_call(""), "");
}

TEST(ThreadStates, ThisProcessIsThere) {
  SCOPED_TRACE("an existing process is not found, or a missing one is");
  const auto threads = thread_states(getpid());
  ASSERT_TRUE(threads) << threads.error();
  EXPECT_EQ(threads->front().id, getpid());
  EXPECT_FALSE(threads->front().name.empty());
  EXPECT_FALSE(thread_states(-1));
}

// The call that gives a model its name.
const std::map<std::string, std::string, std::less<>> kSleepsIn{
    {"blocking", "recvfrom"},
    {"blocking-pool", "recvfrom"},
    {"nonblocking", ""},
    {"select", "pselect6"},
    {"poll", "ppoll"},
    {"epoll", "epoll_wait"},
    {"epoll-et", "epoll_wait"},
    {"sigio", "rt_sigtimedwait"},
    {"posix-aio", "read"},
    {"io_uring", "io_uring_enter"},
    {"io_uring-multishot", "io_uring_enter"},
};

std::vector<std::string> socket_models() {
  std::vector<std::string> ids;
  for (const auto& model : io::models()) {
    if (model.listeners != io::Listeners::none) ids.emplace_back(model.id);
  }
  return ids;
}

class ThreadStatesOfModel : public testing::TestWithParam<std::string> {};

TEST_P(ThreadStatesOfModel, SleepsInTheCallThatNamesIt) {
  SCOPED_TRACE("the picture of a model contradicts the textbook, or the textbook the model");
  const auto& model = *std::ranges::find(io::models(), GetParam(), &io::ModelEntry::id);
  if (const auto why = model.unavailable(); !why.empty()) {
    if (io::must_run_here(model.id)) FAIL() << why;
    GTEST_SKIP() << why;
  }
  const auto text =
      run_and_read({.arguments = {IOLAB_BINARY, "doctor", "--model", GetParam()}}, std::chrono::seconds(30));
  ASSERT_TRUE(text) << text.error();
  const auto& call = kSleepsIn.at(GetParam());
  if (call.empty()) {
    EXPECT_THAT(*text, HasSubstr("running"));
  } else {
    EXPECT_THAT(*text, HasSubstr("asleep in " + call)) << *text;
  }
  EXPECT_THAT(*text, HasSubstr("timer"));
  EXPECT_THAT(*text, HasSubstr("flusher"));
}

std::string test_name(const testing::TestParamInfo<std::string>& model) {
  std::string name = model.param;
  std::ranges::replace_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, ThreadStatesOfModel, testing::ValuesIn(socket_models()), test_name);

}  // namespace
}  // namespace iolab::lab
