// From what a topic has set to what it will have set: a failure here means that a change is lost, made only in part, or
// made although it cannot work.
#include "broker/core/config_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using Op = ConfigOperation;

BrokerSettings broker_settings() {
  BrokerSettings settings = default_settings();
  EXPECT_TRUE(settle(settings));
  return settings;
}

std::expected<Overrides, ConfigFault> change(const Overrides& before, const std::vector<ConfigChange>& changes) {
  const BrokerSettings broker = broker_settings();
  return change_overrides(broker, *topic_settings(broker, before), before, changes);
}

TEST(ConfigChanges, SetAndTakeBack) {
  SCOPED_TRACE("a setting keeps its value, or others lose theirs");
  const Overrides before{{"retention.ms", "1"}, {"segment.bytes", "2000"}};
  EXPECT_EQ(change(before, {{"retention.ms", Op::set, "5"}}).value(),
            (Overrides{{"retention.ms", "5"}, {"segment.bytes", "2000"}}));
  EXPECT_EQ(change(before, {{"retention.ms", Op::remove, std::nullopt}, {"retention.bytes", Op::set, "7"}}).value(),
            (Overrides{{"retention.bytes", "7"}, {"segment.bytes", "2000"}}));
  EXPECT_EQ(change(before, {{"cleanup.policy", Op::remove, std::nullopt}}).value(), before);
}

TEST(ConfigChanges, ListsGrowAndShrinkFromWhatIsInForce) {
  SCOPED_TRACE("adding to a list forgets the default, doubles an element, or taking away takes another one");
  EXPECT_EQ(change({}, {{"cleanup.policy", Op::append, "compact"}}).value(),
            (Overrides{{"cleanup.policy", "delete,compact"}}));
  EXPECT_EQ(change({{"cleanup.policy", "compact"}}, {{"cleanup.policy", Op::append, "compact"}}).value(),
            (Overrides{{"cleanup.policy", "compact"}}));
  EXPECT_EQ(change({{"cleanup.policy", "compact, delete"}}, {{"cleanup.policy", Op::subtract, "delete"}}).value(),
            (Overrides{{"cleanup.policy", "compact"}}));
}

TEST(ConfigChanges, WhatCannotBeIsRefused) {
  SCOPED_TRACE("a request that makes no sense changes something");
  EXPECT_EQ(change({}, {{"retention.ms", Op::append, "1"}}).error().code, ErrorCode::invalid_config);
  EXPECT_EQ(change({}, {{"retention.msec", Op::set, "1"}}).error().code, ErrorCode::invalid_config);
  EXPECT_THAT(change({}, {{"retention.msec", Op::set, "1"}}).error().message, ::testing::HasSubstr("retention.ms?"));
  EXPECT_EQ(change({}, {{"retention.ms", Op::set, std::nullopt}}).error().code, ErrorCode::invalid_request);
  EXPECT_EQ(change({}, {{"retention.ms", Op::set, "1"}, {"retention.ms", Op::remove, "1"}}).error().code,
            ErrorCode::invalid_request);
  EXPECT_EQ(change({}, {{"retention.ms", static_cast<Op>(7), "1"}}).error().code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace iolab::core
