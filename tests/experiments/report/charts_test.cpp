// The charts that say where models can be told apart, and where their tail ends: held against made-up runs.
#include "experiments/report/charts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::ElementsAre;

// One column of the map, in the order of the models: blocking, select, epoll.
std::vector<std::string> column(const nlohmann::ordered_json& map, std::size_t level) {
  std::vector<std::string> texts;
  for (const auto& row : map["panels"][0]["rows"]) texts.push_back(row["cells"][level]["text"].get<std::string>());
  return texts;
}

TEST(Map, GivesALetterOnlyToWhoIsAlone) {
  SCOPED_TRACE("a lead is drawn as a tie, or a model that cannot run as one that can");
  const auto data = make_up_run(4, [](const Series& series, const Level& level, int) {
    MadeUpTrial trial;
    if (series.id == "select") trial.cpu_us_per_request = 2;
    if (series.id == "blocking" && level.workload.idle_connections > 0) trial.cpu_us_per_request = 9;
    return trial;
  });
  const auto map = map_chart(Results(data));
  ASSERT_EQ(map["columns"].size(), 3u);
  EXPECT_THAT(column(map, 0), ElementsAre("2.50-2.50 x", "B", "2.50-2.50 x"));
  EXPECT_THAT(column(map, 2), ElementsAre("1.80-1.80 x", "-", "C"));  // select ends at 1,023 descriptors
}

TEST(Map, WhoCannotBeToldApartShares) {
  SCOPED_TRACE("one of several alike models is drawn as the one that needs least");
  const auto data = make_up_run(4, [](const Series& series, const Level&, int block) {
    MadeUpTrial trial;
    if (series.id == "blocking") trial.cpu_us_per_request = block % 2 == 0 ? 4.9 : 5.2;
    return trial;
  });
  EXPECT_THAT(column(map_chart(Results(data)), 0), ElementsAre("=", "=", "="));
}

TEST(Tail, LeavesOutWhatTooFewRequestsSupport) {
  SCOPED_TRACE("a p99.9 of 500 requests is drawn as if it were one");
  const auto data = make_up_run(3, [](const Series&, const Level&, int) {
    MadeUpTrial trial;
    trial.requests_per_s = 500;
    return trial;
  });
  const auto tail = tail_chart(Results(data));
  const auto& points = tail["panels"][0]["series"][0]["points"];
  ASSERT_EQ(points.size(), 5u);
  ASSERT_EQ(tail["x"]["ticks"].size(), 5u);
  EXPECT_TRUE(points[0]["value"].is_number());
  EXPECT_TRUE(points[3]["value"].is_null());
  EXPECT_EQ(points[3]["quality"], "too few");
  EXPECT_TRUE(points[4]["value"].is_number());
}

}  // namespace
}  // namespace iolab::lab
