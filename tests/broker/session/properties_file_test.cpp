// Properties files: a failure here means that a line is misread, or that an error does not lead to its line.
#include "broker/session/properties_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/core/properties.h"
#include "broker/session/listener.h"

namespace iolab::session {
namespace {

using ::testing::HasSubstr;

TEST(PropertiesFile, ReadsWhatKafkaWrites) {
  // Fails if comments, blanks, both separators or continued lines are misread.
  core::BrokerSettings settings = core::default_settings();
  const auto done = apply_properties(
      "# a comment\n! another = one\n\n  num.partitions = 7  \nlog.segment.bytes:2048\r\n"
      "listeners=PLAINTEXT://\\\n   127.0.0.1:1234\nlog.dirs=/a b/c=d\n",
      "server.properties", settings);
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(settings.num_partitions, 7);
  EXPECT_EQ(settings.topic_defaults.segment_bytes, 2048);
  EXPECT_EQ(settings.listeners, "PLAINTEXT://127.0.0.1:1234");
  EXPECT_EQ(settings.log_dirs, "/a b/c=d");
}

TEST(PropertiesFile, ErrorsNameFileAndLine) {
  // Fails if a user has to search for the wrong line.
  const auto error_of = [](std::string_view text) {
    core::BrokerSettings settings = core::default_settings();
    const auto done = apply_properties(text, "server.properties", settings);
    return done ? "" : done.error();
  };
  EXPECT_EQ(error_of("\n# x\nnum.partitons=3\n"),
            "server.properties:3: unknown property num.partitons; did you mean num.partitions?");
  EXPECT_EQ(
      error_of("log.retention.ms=7d"),
      "server.properties:1: log.retention.ms=7d: write a whole number of milliseconds without a unit (604800000)");
  EXPECT_EQ(error_of("num.partitions\n"), "server.properties:1: \"num.partitions\" is not key=value");
  EXPECT_EQ(error_of("listeners=a\\\nb\nnope=1"),
            "server.properties:3: unknown property nope; "
            "`iolab broker --describe-protocol` lists the known ones");
}

TEST(PropertiesFile, AMissingFileIsASentence) {
  // Fails if a wrong path is taken for an empty file.
  core::BrokerSettings settings = core::default_settings();
  const auto done = load_properties("/nonexistent/server.properties", settings);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error(), "cannot read the properties file /nonexistent/server.properties: No such file or directory");
}

TEST(Listener, KafkasNotation) {
  // Fails if the broker listens somewhere else than it was told to.
  const auto parse = [](std::string_view text, bool may_be_name = false) {
    const auto listener = parse_listener("listeners", text, may_be_name);
    return listener ? listener->text() : listener.error();
  };
  EXPECT_EQ(parse("PLAINTEXT://127.0.0.1:9092"), "PLAINTEXT://127.0.0.1:9092");
  EXPECT_EQ(parse("PLAINTEXT://localhost:0"), "PLAINTEXT://127.0.0.1:0");
  EXPECT_EQ(parse("PLAINTEXT://:9092"), "PLAINTEXT://0.0.0.0:9092");
  EXPECT_EQ(parse("PLAINTEXT://[::1]:9092"), "PLAINTEXT://[::1]:9092");
  EXPECT_EQ(parse("PLAINTEXT://host.example:9092", true), "PLAINTEXT://host.example:9092");
  EXPECT_THAT(parse("PLAINTEXT://host.example:9092"), HasSubstr("not a number"));
  EXPECT_THAT(parse("SSL://127.0.0.1:9092"), HasSubstr("only PLAINTEXT:// is spoken"));
  EXPECT_THAT(parse("PLAINTEXT://127.0.0.1"), HasSubstr("port"));
  EXPECT_THAT(parse("PLAINTEXT://127.0.0.1:99999"), HasSubstr("port"));
  EXPECT_THAT(parse("PLAINTEXT://127.0.0.1:1,PLAINTEXT://127.0.0.1:2"), HasSubstr("one listener"));
  EXPECT_TRUE(parse_listener("", "PLAINTEXT://127.0.3.1:1", false)->is_loopback());
  EXPECT_FALSE(parse_listener("", "PLAINTEXT://0.0.0.0:1", false)->is_loopback());
}

}  // namespace
}  // namespace iolab::session
