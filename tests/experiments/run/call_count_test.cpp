#include "experiments/run/call_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "experiments/report/tables.h"
#include "tests/experiments/made_up_run.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

CallCount some_count(int index, const std::string& series, std::uint64_t kernel_recv) {
  CallCount count{.index = index,
                  .series = series,
                  .level = "idle_connections=1000",
                  .reason = {},
                  .requests = 10'000,
                  .calls = {}};
  count.calls.compared = {{"recvfrom", 10'000, kernel_recv}};
  count.calls.others = {{recorded("kernel.library"), "pread64", 5'000}};
  return count;
}

RunData run_with(std::vector<CallCount> counts) {
  auto data = make_up_run(1, [](const Series&, const Level&, int) { return MadeUpTrial{}; });
  data.counts = std::move(counts);
  return data;
}

TEST(CallCountTest, ComesBackAsItWasWritten) {
  SCOPED_TRACE("a report that is made again shows other calls");
  const auto count = some_count(2, "epoll", 10'000);
  const auto text = to_json(count).dump();
  const auto back = call_count_from_json(text);
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(to_json(*back).dump(), text);
  EXPECT_FALSE(call_count_from_json(R"({"index": 1})"));
}

TEST(CallCountTest, EveryModelIsCountedOnceWhereModelsAreCompared) {
  SCOPED_TRACE("a model is left out, or its second entry is counted too");
  const auto data = run_with({});
  const auto trials = trials_to_count(data.plan, data.spec);
  ASSERT_EQ(trials.size(), 3u);
  for (const auto& trial : trials) {
    EXPECT_EQ(data.plan.series[trial.series].role, Role::model);
    EXPECT_EQ(trial.level, *judged_level(data.plan, data.spec));
  }
}

TEST(CallCountTest, WithoutTheModelsOfTheQuestionTheLastLevelIsCounted) {
  SCOPED_TRACE("a run of some other models has no counts of the kernel, and no word of why");
  auto data = run_with({});
  data.spec.focus = {"sigio"};
  ASSERT_FALSE(judged_level(data.plan, data.spec));
  const auto trials = trials_to_count(data.plan, data.spec);
  ASSERT_EQ(trials.size(), 2u) << "select is excluded there";
  for (const auto& trial : trials) EXPECT_EQ(data.spec.levels[trial.level].id, "idle_connections=5000");
}

TEST(KernelTable, ShowsWhatTheLayerDidNotIssueAndWhereTheCountsDiffer) {
  SCOPED_TRACE("an inexact count, or a call past the layer, is passed over");
  const auto data = run_with({some_count(0, "blocking", 10'000), some_count(2, "epoll", 10'500)});
  const auto table = kernel_table(Results(data));
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 4u);
  EXPECT_EQ(table->rows[1].cells[1].text, "pread64");
  EXPECT_EQ(table->rows[1].cells[2].text, "threads of a library");
  EXPECT_EQ(table->rows[1].cells[4].text, "-") << "the layer did not issue it";
  EXPECT_EQ(table->rows[1].cells[5].text, "0.500");
  ASSERT_EQ(table->notes.size(), 2u);
  EXPECT_THAT(table->notes[0], HasSubstr("blocking:"));
  EXPECT_THAT(table->notes[1], HasSubstr("epoll: of recvfrom the layer counted 10,000, the kernel 10,500"));
}

TEST(KernelTable, OneReasonForAllIsOneRow) {
  SCOPED_TRACE("without root the table is eleven times the same sentence, or missing without a word");
  CallCount refused{.index = 0, .series = "blocking", .level = "", .reason = "it needs root", .calls = {}};
  std::vector<CallCount> all(3, refused);
  const auto run = run_with(all);
  const auto table = kernel_table(Results(run));
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), 1u);
  EXPECT_EQ(table->rows[0].cells[0].text, "every model");
  EXPECT_THAT(table->rows[0].note, HasSubstr("it needs root"));
  all[1] = some_count(1, "select", 10'000);
  const auto mixed = run_with(all);
  EXPECT_EQ(kernel_table(Results(mixed))->rows.size(), 4u);
  const auto older = run_with({});
  EXPECT_FALSE(kernel_table(Results(older))) << "a run without such trials has no such table";
}

}  // namespace
}  // namespace iolab::lab
