// Every experiment that is shipped, asked for its plan: real processes, since models and probes are asked what they
// take.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> shipped_experiments() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(IOLAB_SOURCE_DIR "/experiments")) {
    const auto name = entry.path().stem().string();
    if (entry.path().extension() == ".json" && name != "claims") names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

class ShippedExperimentTest : public ProgramTest, public testing::WithParamInterface<std::string> {};

TEST_P(ShippedExperimentTest, KeepsItsOwnLimits) {
  SCOPED_TRACE("`iolab run NAME` of an experiment that is shipped refuses its own plan, or stops in its middle");
  for (const std::string profile : {"quick", "standard"}) {
    const auto ended = run({"run", GetParam(), "--profile", profile, "--dry-run"});
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(ended.err.find("limits."), std::string::npos) << profile << ": " << ended.err;
  }
}

TEST_P(ShippedExperimentTest, AStoryCanBeRefuted) {
  SCOPED_TRACE("an experiment tells what it expects, and no figure could speak against it");
  std::ifstream file(std::string(IOLAB_SOURCE_DIR "/experiments/") + GetParam() + ".json");
  const auto spec = nlohmann::json::parse(file, nullptr, false, true);
  ASSERT_TRUE(spec.is_object());
  if (!spec.contains("expected")) return;
  EXPECT_TRUE(spec.contains("refuted_by"));
  EXPECT_TRUE(spec.contains("refuted_when"));
  EXPECT_TRUE(spec.contains("predict"));
}

INSTANTIATE_TEST_SUITE_P(Shipped, ShippedExperimentTest, testing::ValuesIn(shipped_experiments()),
                         [](const auto& experiment) {
                           auto name = experiment.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace iolab::lab
