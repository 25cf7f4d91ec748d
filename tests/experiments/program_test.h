// The program as a person uses it: a directory of its own to work in, real processes, what they print and their exit
// codes.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/machine/process.h"
#include "experiments/spec/json_document.h"

namespace iolab::lab {

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    auto name = (std::filesystem::temp_directory_path() / "iolab-program-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
    std::filesystem::current_path(root_);
  }
  void TearDown() override {
    std::filesystem::current_path("/");
    std::filesystem::remove_all(root_);
  }

  struct Ended {
    int code = -1;  // also if a signal ended it
    std::string out;
    std::string err;
  };

  // `before`: a command that takes something away and then runs the rest of its arguments.
  ChildProcess start(std::vector<std::string> arguments, const std::vector<std::string>& before = {}) const {
    arguments.insert(arguments.begin(), IOLAB_BINARY);
    arguments.insert(arguments.begin(), before.begin(), before.end());
    auto child = ChildProcess::start({.arguments = std::move(arguments), .stderr_file = root_ + "/stderr"});
    EXPECT_TRUE(child) << child.error();
    child->close_input();
    return std::move(*child);
  }

  Ended end(ChildProcess& child) const {
    const auto deadline = ChildProcess::Clock::now() + std::chrono::seconds(200);
    Ended ended;
    ended.out = child.read_all(deadline).value_or("");
    const auto state = child.wait(deadline);
    if (state && state->signal == 0) ended.code = state->code;
    ended.err = read_text_file(root_ + "/stderr").value_or("");
    return ended;
  }

  Ended run(std::vector<std::string> arguments, const std::vector<std::string>& before = {}) const {
    auto child = start(std::move(arguments), before);
    return end(child);
  }

  // A file below the working directory, as JSON; discarded if it is none.
  nlohmann::json json_file(const std::string& name) const {
    return nlohmann::json::parse(read_text_file(root_ + "/" + name).value_or(""), nullptr, false);
  }

  std::string root_;
};

}  // namespace iolab::lab
