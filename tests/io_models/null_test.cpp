// The control keeps the contract without sockets: what a client would have received is what the answers file holds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "io_models/null_frontend.h"
#include "io_models/registry.h"
#include "tests/io_models/contract_host.h"

namespace iolab::io::contract {
namespace {

class Null : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& contents) {
    const std::string path = path_of(name);
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }
  std::string path_of(const std::string& name) const { return (directory_ / name).string(); }
  std::string contents(const std::string& name) const {
    std::ifstream in(path_of(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

 private:
  std::filesystem::path directory_ = [] {
    std::string name = (std::filesystem::temp_directory_path() / "iolab-null.XXXXXX").string();
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
};

TEST_F(Null, PlaysScriptsAndKeepsTheAnswers) {
  // Failure: what a session answers depends on whether a socket or the control feeds it, or on how the bytes are cut.
  const std::string first =
      file("first", request(kEcho, "one") + request(kLater, "two") + request(kEcho, "cut").substr(0, 6));
  const std::string second = file("second", request(kBig, "300000") + request(kClose) + request(kEcho, "never"));
  const std::string expected = framed("one") + framed("two") + framed(pattern(300'000));
  for (const std::uint64_t seed : {0, 1, 2, 3}) {
    ScriptedHost host;
    auto made = NullFrontend::make(
        {.scripts = {first, second}, .answers = path_of("answers"), .split_seed = seed, .split_bytes = 5}, {});
    ASSERT_TRUE(made.has_value()) << made.error();
    (*made)->serve({}, host, {});
    EXPECT_EQ(contents("answers"), expected);
    EXPECT_EQ((*made)->bytes_answered(), expected.size());
    EXPECT_EQ(host.sessions(), 0u);
  }
}

TEST_F(Null, RepeatsThroughTheRegistry) {
  // Failure: the broker's --script does not reach the control, or a benchmark's repetitions are not all played.
  const auto choice = choose_model("null:repeat=1000,split=7");
  ASSERT_TRUE(choice.has_value()) << choice.error();
  FrontendSettings settings;
  settings.options = choice->options;
  settings.options["script"] = file("script", request(kEcho, "again")) + "\n" + file("other", request(kEcho, "b"));
  settings.options["answers"] = path_of("answers");
  auto made = choice->entry->make(settings);
  ASSERT_TRUE(made.has_value()) << made.error();
  ScriptedHost host;
  (*made)->serve({}, host, {});
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += framed("again");
  for (int i = 0; i < 1000; ++i) expected += framed("b");
  EXPECT_EQ(contents("answers"), expected);
}

TEST_F(Null, StopsWhileParked) {
  // Failure: a request that nobody ever answers keeps the control from stopping.
  auto made = NullFrontend::make({.scripts = {file("script", request(kPark, "key"))}}, {});
  ASSERT_TRUE(made.has_value()) << made.error();
  ScriptedHost host;
  std::jthread serving([&](const std::stop_token& stop) { (*made)->serve({}, host, stop); });
  ASSERT_TRUE(host.wait_until_parked(1));
  serving.request_stop();
  serving.join();
  EXPECT_EQ(host.release("key"), 1u);  // too late, and harmless
}

TEST_F(Null, MissingScriptIsASentence) {
  // Failure: a mistyped file name plays an empty script, and the run looks infinitely fast.
  const auto made = NullFrontend::make({.scripts = {path_of("missing")}}, {});
  ASSERT_FALSE(made.has_value());
  EXPECT_NE(made.error().find("missing"), std::string::npos);
}

}  // namespace
}  // namespace iolab::io::contract
