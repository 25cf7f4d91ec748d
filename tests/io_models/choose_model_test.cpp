// From what a user types to a model, or to a sentence that helps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io_models/registry.h"

namespace iolab::io {
namespace {

using testing::HasSubstr;

std::string error_for(std::string_view text) {
  const auto choice = choose_model(text);
  return choice ? "accepted" : choice.error();
}

TEST(ChooseModel, EveryIdOfTheTableIsFound) {
  // Failure: a model is listed but cannot be chosen, or two rows share an id.
  for (const ModelEntry& model : models()) {
    const auto choice = choose_model(model.id);
    ASSERT_TRUE(choice.has_value()) << choice.error();
    EXPECT_EQ(choice->entry, &model);
    EXPECT_TRUE(choice->options.empty());
  }
}

TEST(ChooseModel, TheTableIsInTeachingOrderAndWhole) {
  // Failure: a model is missing from every comparison, or its row says nothing.
  std::vector<std::string_view> ids;
  for (const ModelEntry& model : models()) {
    ids.push_back(model.id);
    EXPECT_FALSE(model.family.empty() || model.summary.empty()) << model.id;
    EXPECT_TRUE(model.summary.ends_with('.')) << model.id;
    EXPECT_NE(model.unavailable, nullptr);
    EXPECT_NE(model.make, nullptr);
    EXPECT_GE(model.default_threads, 1);
  }
  const std::vector<std::string_view> first = {"blocking", "blocking-pool", "nonblocking", "select",
                                               "poll",     "epoll",         "epoll-et",    "sigio"};
  ASSERT_GE(ids.size(), first.size());
  EXPECT_TRUE(std::equal(first.begin(), first.end(), ids.begin()));
  EXPECT_EQ(ids.back(), "null");
}

TEST(ChooseModel, OptionsAreReadAndChecked) {
  // Failure: a typing error silently measures the default.
  const auto choice = choose_model("nonblocking:idle=backoff");
  ASSERT_TRUE(choice.has_value()) << choice.error();
  EXPECT_EQ(choice->entry->id, "nonblocking");
  EXPECT_EQ(choice->options.at("idle"), "backoff");
  EXPECT_TRUE(choose_model("null:split=7,repeat=3").has_value());
  EXPECT_THAT(error_for("nonblocking:idle=yeld"), HasSubstr("did you mean 'yield'"));
  EXPECT_THAT(error_for("nonblocking:idel=spin"), HasSubstr("did you mean 'idle'"));
  EXPECT_THAT(error_for("nonblocking:idle"), HasSubstr("idle=spin|yield|backoff"));
  EXPECT_THAT(error_for("nonblocking:idle=spin,idle=yield"), HasSubstr("twice"));
  EXPECT_THAT(error_for("nonblocking:"), HasSubstr("has no option ''"));
  EXPECT_THAT(error_for("epoll:idle=spin"), HasSubstr("'epoll' has no options"));
  EXPECT_THAT(error_for("null:repeat=0"), HasSubstr("1..1000000000"));
  EXPECT_THAT(error_for("null:repeat=many"), HasSubstr("whole number"));
  EXPECT_THAT(error_for("null:repeat=9999999999999999999999"), HasSubstr("whole number"));
}

TEST(ChooseModel, WhatAnOptionAddsIsAddedByOneOfItsValues) {
  // Failure: nobody learns that a kernel thread spins, because no value that can be chosen says so.
  std::vector<std::string> adding;
  for (const ModelEntry& model : models()) {
    for (const ModelOption& option : model.options) {
      for (const auto& [value, feature] : option.features) {
        std::string text(model.id);
        text.append(":").append(option.key).append("=").append(value);
        EXPECT_TRUE(choose_model(text).has_value()) << text;
        EXPECT_NE(value, option.default_value) << text << ": then the model itself has the feature";
        EXPECT_FALSE(feature.empty()) << text;
        adding.push_back(text);
      }
    }
  }
  EXPECT_THAT(adding, testing::Contains("io_uring:sqpoll=on"));
}

TEST(ChooseModel, AWrongIdNamesTheNearestAndAll) {
  // Failure: whoever types 'epol' has to look for the list himself.
  EXPECT_THAT(error_for("epol"), HasSubstr("did you mean 'epoll'?"));
  EXPECT_THAT(error_for("epoll_et"), HasSubstr("did you mean 'epoll-et'?"));
  EXPECT_THAT(error_for("blockingpool"), HasSubstr("did you mean 'blocking-pool'?"));
  EXPECT_THAT(error_for("kqueue-of-the-sea"), testing::Not(HasSubstr("did you mean")));
  EXPECT_THAT(error_for(""), HasSubstr("there are: blocking, blocking-pool"));
}

}  // namespace
}  // namespace iolab::io
