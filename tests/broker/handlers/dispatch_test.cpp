// The table of APIs: a failure here means that a client is told of something that is not there, or is not told of
// something that is, or that a stranger's frame does more than close its own connection.
#include "broker/handlers/dispatch.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "broker/protocol/messages/18_api_versions.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::handlers {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;
using protocol::ErrorCode;
using test::Frame;
using test::TestBroker;

Outcome::Kind outcome_of(TestBroker& broker, const Frame& frame, base::GatherBuffer& out) {
  core::Wakeups wakeups;
  return dispatch(test::without_size(frame), *broker, broker.clock.now(), broker.sleeper, wakeups, out).kind;
}

Frame header_only(std::int16_t key, std::int16_t version, std::string_view rest = {}) {
  base::GatherBuffer out;
  out.append_big_endian(std::int32_t{0});
  out.append_big_endian(key);
  out.append_big_endian(version);
  out.append_big_endian(std::int32_t{7});
  out.append(base::as_bytes(rest));
  return out.flat();
}

TEST(Dispatch, ApiVersionsIsTheTable) {
  // Fails if the answer to ApiVersions and the table differ in any version.
  TestBroker broker;
  const ApiVersionsRequest request{.client_software_name = "test", .client_software_version = "1.0"};
  for (std::int16_t version = 0; version <= 4; ++version) {
    const auto answer = broker.ask<ApiVersionsResponse>(request, version);
    ASSERT_EQ(answer.api_keys.size(), apis().size());
    for (std::size_t i = 0; i < apis().size(); ++i) {
      EXPECT_EQ(answer.api_keys[i].api_key, static_cast<std::int16_t>(apis()[i].api->key));
      EXPECT_EQ(answer.api_keys[i].min_version, apis()[i].api->advertised_first);
      EXPECT_EQ(answer.api_keys[i].max_version, apis()[i].api->last);
    }
  }
}

TEST(Dispatch, AnUnknownVersionOfApiVersionsIsToldTheRange) {
  // Fails if a newer client cannot find out what we speak; its body is not looked at.
  TestBroker broker;
  for (std::int16_t version : {5, 99, -1}) {
    base::GatherBuffer out;
    const Frame frame = header_only(18, version, "\xff\xff\xff\xff garbage");
    ASSERT_EQ(outcome_of(broker, frame, out), Outcome::Kind::answered);
    const Frame answer = out.flat();
    const auto read = protocol::read_response<ApiVersionsResponse>(test::without_size(answer), 0);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->message.error_code, ErrorCode::unsupported_version);
    ASSERT_EQ(read->message.api_keys.size(), 1U);
    EXPECT_EQ(read->message.api_keys[0].max_version, 4);
  }
}

TEST(Dispatch, SoftwareNamesAreChecked) {
  // Fails if a name that Kafka refuses is accepted, or one that it accepts refused.
  TestBroker broker;
  const auto ask = [&](const std::string& name) {
    return broker.ask<ApiVersionsResponse>(ApiVersionsRequest{name, "1"}, 3).error_code;
  };
  EXPECT_EQ(ask("apache-kafka-java"), ErrorCode::none);
  EXPECT_EQ(ask("a"), ErrorCode::none);
  EXPECT_EQ(ask(""), ErrorCode::invalid_request);
  EXPECT_EQ(ask("-a"), ErrorCode::invalid_request);
  EXPECT_EQ(ask("a b"), ErrorCode::invalid_request);
}

TEST(Dispatch, WhatIsNotSpokenClosesTheConnection) {
  // Fails if an unknown API or version is answered with bytes that its client cannot read.
  TestBroker broker;
  for (const auto& [key, version] : std::vector<std::pair<std::int16_t, std::int16_t>>{
           {99, 0}, {-1, 0}, {0, 2}, {0, 12}, {1, 3}, {1, 13}, {3, 13}, {3, -1}, {11, 10}, {9, 0}}) {
    base::GatherBuffer out;
    EXPECT_EQ(outcome_of(broker, header_only(key, version), out), Outcome::Kind::close) << key << " v" << version;
    EXPECT_TRUE(out.empty());
  }
}

TEST(Dispatch, CutAndChangedRequestsNeverCrash) {
  // Fails if any prefix, or any single changed byte, of a valid request does anything but answer or close.
  TestBroker broker;
  broker.create("t");
  const Frame batch = test::make_batch();
  const std::vector<Frame> frames{test::request_frame(test::produce_request("t", 0, batch), 9),
                                  test::request_frame(test::fetch_request("t", 0, 0), 12),
                                  test::request_frame(ApiVersionsRequest{"a", "b"}, 3)};
  for (const Frame& whole : frames) {
    for (std::size_t at = protocol::kFrameSizeBytes; at < whole.size(); ++at) {
      base::GatherBuffer out;
      (void)outcome_of(broker, Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)), out);
      for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        Frame changed = whole;
        changed[at] = static_cast<std::byte>(value);
        (void)outcome_of(broker, changed, out);
      }
    }
  }
}

TEST(SupportDocument, IsMadeFromTheTable) {
  // Fails if docs/PROTOCOL_SUPPORT.md is not what the table says; write it anew with
  // `iolab broker --describe-protocol > docs/PROTOCOL_SUPPORT.md`.
  std::ifstream file(SUPPORT_DOCUMENT);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, describe_support());
}

}  // namespace
}  // namespace iolab::handlers
