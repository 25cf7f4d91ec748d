// `iolab cost` as a person uses it: what it refuses before it fits anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

class CommandCostTest : public ProgramTest {};

TEST_F(CommandCostTest, ARunIsNotNamedTwice) {
  SCOPED_TRACE("a run is fitted, tried on itself under another name, and praised");
  std::filesystem::create_directories("results/once");
  std::ofstream("results/once/plan.json") << "{}";  // which makes it a run
  for (const auto* same : {"once", "results/once", "./results/../results/once/"}) {
    const auto ended = run({"cost", "once", same});
    EXPECT_EQ(ended.code, 2) << same;
    EXPECT_THAT(ended.err, HasSubstr("is named twice")) << same;
  }
}

}  // namespace
}  // namespace iolab::lab
