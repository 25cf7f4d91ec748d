// The table of properties: a failure here means that a user's setting is misread, or refused without saying why.
#include "broker/core/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace iolab::core {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view name, std::string_view value) {
  BrokerSettings settings = default_settings();
  const auto done = set_property(settings, name, value);
  return done ? "" : done.error();
}

TEST(Properties, EveryDefaultIsAcceptedAsIfItHadBeenGiven) {
  // Fails if a default does not keep its own property's range.
  for (const Property& property : properties()) {
    const bool unset =
        property.default_value.empty() && property.type != PropertyType::string && property.type != PropertyType::list;
    if (unset) continue;
    EXPECT_EQ(error_of(property.name, property.default_value), "") << property.name;
  }
}

TEST(Properties, NamesAreUniqueAndSayTheirDefault) {
  // Fails if two rows have one name, or if text and typed value of a setting differ.
  const BrokerSettings settings = default_settings();
  for (const Property& property : properties()) {
    EXPECT_EQ(find_property(property.name), &property) << property.name;
    EXPECT_EQ(property_text(settings, property), property.default_value) << property.name;
    EXPECT_FALSE(property.summary.empty()) << property.name;
  }
}

TEST(Properties, AnUnknownNameIsAnsweredWithTheNearest) {
  // Fails if a typing error is swallowed, or if the hint is of no use.
  EXPECT_EQ(error_of("log.retention.m", "5"), "unknown property log.retention.m; did you mean log.retention.ms?");
  EXPECT_EQ(error_of("num.partition", "5"), "unknown property num.partition; did you mean num.partitions?");
  EXPECT_THAT(error_of("retention.ms", "5"), HasSubstr("log.retention.ms"));
}

TEST(Properties, AUnitIsAnsweredWithThePlainNumber) {
  // Fails if "7d" is taken for 7, or if the sentence does not tell what to write.
  EXPECT_EQ(error_of("log.retention.ms", "7d"),
            "log.retention.ms=7d: write a whole number of milliseconds without a unit (604800000)");
  EXPECT_EQ(error_of("log.segment.bytes", "64MiB"),
            "log.segment.bytes=64MiB: write a whole number of bytes without a unit (67108864)");
  EXPECT_EQ(error_of("num.partitions", "many"), "num.partitions=many: write a whole number without a unit");
  EXPECT_EQ(error_of("num.partitions", ""), "num.partitions=: write a whole number without a unit");
  EXPECT_EQ(error_of("num.partitions", "99999999999999999999"),
            "num.partitions=99999999999999999999: write a whole number without a unit");
}

TEST(Properties, AValueOutOfRangeIsAnsweredWithTheRange) {
  // Fails if a value that cannot work is accepted.
  EXPECT_EQ(error_of("num.partitions", "0"), "num.partitions=0: write a number from 1 to 10000");
  EXPECT_EQ(error_of("log.retention.ms", "-2"), "log.retention.ms=-2: write -1 or more of milliseconds");
  EXPECT_EQ(error_of("default.replication.factor", "3"), "default.replication.factor=3: only 1 is possible here");
  EXPECT_EQ(error_of("iolab.flush", "always"), "iolab.flush=always: write os or interval or commit");
  EXPECT_EQ(error_of("auto.create.topics.enable", "yes"), "auto.create.topics.enable=yes: write true or false");
}

TEST(Properties, TheFinerUnitWins) {
  // Fails if hours, minutes and milliseconds are not weighed as Kafka does.
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(settle(settings));
  EXPECT_EQ(settings.topic_defaults.retention_ms, 168LL * 3'600'000);
  EXPECT_EQ(settings.topic_defaults.segment_ms, 168LL * 3'600'000);

  settings = default_settings();
  ASSERT_TRUE(set_property(settings, "log.retention.hours", "1"));
  ASSERT_TRUE(set_property(settings, "log.retention.minutes", "2"));
  ASSERT_TRUE(settle(settings));
  EXPECT_EQ(settings.topic_defaults.retention_ms, 120'000);

  settings = default_settings();
  ASSERT_TRUE(set_property(settings, "log.retention.minutes", "2"));
  ASSERT_TRUE(set_property(settings, "log.retention.ms", "3"));
  ASSERT_TRUE(settle(settings));
  EXPECT_EQ(settings.topic_defaults.retention_ms, 3);
}

TEST(Properties, BrokerIdIsTheOldNameOfNodeId) {
  // Fails if the two names can disagree.
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(set_property(settings, "broker.id", "4"));
  ASSERT_TRUE(settle(settings));
  EXPECT_EQ(settings.node_id, 4);
  ASSERT_TRUE(set_property(settings, "node.id", "5"));
  const auto done = settle(settings);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("node.id=5"));
}

TEST(Properties, ATopicsOwnSettingsBeatTheBrokers) {
  // Fails if a topic loses its settings, or takes one that is the broker's.
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(settle(settings));
  const auto topic = topic_settings(settings, {{"retention.ms", "1000"}, {"max.message.bytes", "99"}});
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->retention_ms, 1000);
  EXPECT_EQ(topic->max_message_bytes, 99);
  EXPECT_EQ(topic->segment_bytes, settings.topic_defaults.segment_bytes);
  const auto unknown = topic_settings(settings, {{"retention.msec", "1"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error(), "unknown topic setting retention.msec; did you mean retention.ms?");
  EXPECT_FALSE(topic_settings(settings, {{"cleanup.policy", "shrink"}})) << "there is no such policy";
}

TEST(Properties, ListsAreCheckedElementByElement) {
  SCOPED_TRACE("a list with two policies is refused, or one with a wrong policy accepted");
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(settle(settings));
  const auto both = topic_settings(settings, {{"cleanup.policy", "compact, delete"}});
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->compacts() && both->deletes());
  EXPECT_FALSE(topic_settings(settings, {{"cleanup.policy", "compact,shrink"}}));
  EXPECT_FALSE(topic_settings(settings, {{"cleanup.policy", ""}}));
  EXPECT_EQ(list_elements(" a ,b,, c"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Properties, FractionsAndContradictionsAreChecked) {
  SCOPED_TRACE("a share above all of it, or a lag that ends before it begins, is accepted");
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(settle(settings));
  EXPECT_EQ(topic_settings(settings, {{"min.cleanable.dirty.ratio", "0.25"}})->min_cleanable_ratio, 0.25);
  EXPECT_EQ(topic_settings(settings, {{"min.cleanable.dirty.ratio", "1.5"}}).error(),
            "min.cleanable.dirty.ratio=1.5: write a number from 0 to 1");
  EXPECT_FALSE(topic_settings(settings, {{"min.cleanable.dirty.ratio", "half"}}));
  EXPECT_FALSE(topic_settings(settings, {{"min.compaction.lag.ms", "5"}, {"max.compaction.lag.ms", "4"}}));
}

TEST(Properties, WhatHasNoEffectIsCheckedAndKept) {
  SCOPED_TRACE("a setting of Kafka's that means nothing here is lost, or nonsense is kept");
  BrokerSettings settings = default_settings();
  ASSERT_TRUE(set_property(settings, "log.preallocate", "true"));
  ASSERT_TRUE(settle(settings));
  const Property& property = *find_topic_property("preallocate");
  EXPECT_EQ(property_text(settings, property), "true");
  const auto topic = topic_settings(settings, {{"preallocate", "false"}});
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic_property_text(settings, *topic, property), "false");
  EXPECT_FALSE(topic_settings(settings, {{"file.delete.delay.ms", "soon"}}));
}

}  // namespace
}  // namespace iolab::core
