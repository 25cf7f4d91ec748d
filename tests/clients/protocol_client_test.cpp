// The blocking client against brokers that speak too little, too much, or nonsense.
#include "clients/protocol_client.h"

#include <gtest/gtest.h>

#include "broker/protocol/batch_builder.h"
#include "broker/protocol/messages/01_fetch.h"
#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/18_api_versions.h"
#include "clients/topic_calls.h"
#include "clients/topic_reader.h"
#include "tests/clients/tiny_server.h"

namespace iolab::clients {
namespace {

using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

template <protocol::Struct M>
std::vector<std::byte> answer(std::int32_t correlation_id, std::int16_t version, const M& message) {
  base::GatherBuffer out;
  EXPECT_TRUE(protocol::write_response(out, correlation_id, version, message));
  return out.flat();
}

protocol::RequestHeader header_of(std::span<const std::byte> request) {
  return protocol::peek_request_header(request.subspan(protocol::kFrameSizeBytes)).value();
}

ApiVersionsResponse speaks(std::vector<ApiVersionsResponse::ApiVersion> ranges) {
  ApiVersionsResponse response;
  response.api_keys = std::move(ranges);
  return response;
}

// A broker that answers ApiVersions, and leaves everything else to the test.
TinyServer::Behaviour broker(ApiVersionsResponse versions, TinyServer::Behaviour others) {
  return
      [versions = std::move(versions), others = std::move(others)](int connection, std::span<const std::byte> bytes) {
        const auto header = header_of(bytes);
        if (header.api_key != static_cast<std::int16_t>(protocol::ApiKey::api_versions))
          return others(connection, bytes);
        return Reaction{.answer = answer(header.correlation_id, header.api_version, versions)};
      };
}

TEST(ProtocolClient, TheNewestVersionThatBothSpeakIsUsed) {
  SCOPED_TRACE("a request goes out in a version that the broker does not know");
  TinyServer server(broker(speaks({{3, 1, 5}, {0, 100, 200}}), TinyServer::echo));
  const auto client = ProtocolClient::connect(server.address());
  ASSERT_TRUE(client) << client.error();
  EXPECT_EQ(client->version_for(protocol::kMetadata), 5);
  const auto produce =
      client->version_for({.key = protocol::ApiKey::produce, .name = "Produce", .first = 3, .last = 11});
  ASSERT_FALSE(produce);
  EXPECT_NE(produce.error().find("none in common"), std::string::npos) << produce.error();
  const auto fetch = client->version_for({.key = protocol::ApiKey::fetch, .name = "Fetch", .first = 4, .last = 12});
  ASSERT_FALSE(fetch);
  EXPECT_NE(fetch.error().find("does not offer Fetch"), std::string::npos) << fetch.error();
}

TEST(ProtocolClient, ABrokerThatDoesNotKnowOurApiVersionsIsAskedInVersionZero) {
  SCOPED_TRACE("an older broker cannot be talked to at all");
  TinyServer server([](int, std::span<const std::byte> bytes) {
    const auto header = header_of(bytes);
    auto versions = speaks({{18, 0, 2}, {3, 0, 4}});
    if (header.api_version > 2) versions.error_code = ErrorCode::unsupported_version;
    return Reaction{.answer = answer(header.correlation_id, 0, versions)};
  });
  const auto client = ProtocolClient::connect(server.address());
  ASSERT_TRUE(client) << client.error();
  EXPECT_EQ(client->version_for(protocol::kMetadata), 4);
}

TEST(ProtocolClient, WhatIsNoBrokerIsNamed) {
  SCOPED_TRACE("pointing at a web server hangs or allocates gigabytes");
  const auto text = [](std::string_view answer) {
    return [answer](int, std::span<const std::byte>) {
      return Reaction{.answer = {std::as_bytes(std::span(answer)).begin(), std::as_bytes(std::span(answer)).end()}};
    };
  };
  TinyServer http(text("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const auto client = ProtocolClient::connect(http.address());
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().find("no Kafka broker"), std::string::npos) << client.error();

  TinyServer closing([](int, std::span<const std::byte>) { return Reaction{.close = true}; });
  const auto closed = ProtocolClient::connect(closing.address());
  ASSERT_FALSE(closed);
  EXPECT_NE(closed.error().find("closed the connection"), std::string::npos) << closed.error();

  TinyServer silent([](int, std::span<const std::byte>) { return Reaction{}; });
  const auto none = ProtocolClient::connect(silent.address(), {.timeout = std::chrono::milliseconds(50)});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().find("no answer within 50 ms"), std::string::npos) << none.error();
}

TEST(ProtocolClient, ADamagedOrMisplacedAnswerIsAnError) {
  SCOPED_TRACE("an answer to another request, or half of one, is taken for the truth");
  for (const bool damaged : {true, false}) {
    TinyServer server(broker(speaks({{3, 0, 8}}), [&](int, std::span<const std::byte> bytes) {
      const auto header = header_of(bytes);
      protocol::MetadataResponse metadata;
      metadata.topics.emplace_back().name = "t";
      auto reply = answer(header.correlation_id + (damaged ? 0 : 1), header.api_version, metadata);
      if (damaged) {
        reply.pop_back();
        base::store_big_endian(reply.data(), static_cast<std::int32_t>(reply.size() - 4));
      }
      return Reaction{.answer = reply};
    }));
    auto client = ProtocolClient::connect(server.address());
    ASSERT_TRUE(client) << client.error();
    const auto topics = describe_topics(*client, {});
    ASSERT_FALSE(topics);
    EXPECT_NE(topics.error().find(damaged ? "damaged Metadata" : "when 1 was due"), std::string::npos)
        << topics.error();
  }
}

TEST(ProtocolClient, ErrorsOfTheBrokerCarryKafkasNameAndARemedy) {
  SCOPED_TRACE("a user reads a number and has to look it up");
  TinyServer server(broker(speaks({{3, 0, 8}}), [](int, std::span<const std::byte> bytes) {
    const auto header = header_of(bytes);
    protocol::MetadataResponse metadata;
    metadata.topics.emplace_back().error_code = ErrorCode::unknown_topic_or_partition;
    return Reaction{.answer = answer(header.correlation_id, header.api_version, metadata)};
  }));
  auto client = ProtocolClient::connect(server.address());
  ASSERT_TRUE(client) << client.error();
  const auto partitions = count_partitions(*client, "t");
  ASSERT_FALSE(partitions);
  EXPECT_NE(partitions.error().find("UNKNOWN_TOPIC_OR_PARTITION"), std::string::npos) << partitions.error();
  EXPECT_NE(partitions.error().find("--create"), std::string::npos) << partitions.error();
}

TEST(TopicReader, DamagedRecordsAreNotHandedOut) {
  SCOPED_TRACE("a consumer prints what a broken disk made of a record");
  protocol::BatchBuilder builder;
  for (const char* value : {"one", "two", "three"}) builder.add({.value = base::as_bytes(value)});
  const auto good = builder.finish();
  for (const bool damaged : {false, true}) {
    auto batch = good;
    if (damaged) batch.back() ^= std::byte{1};
    batch.insert(batch.end(), good.begin(), good.end() - 5);  // the answer's last batch is cut, which is no damage
    TinyServer server(broker(speaks({{1, 4, 11}}), [&](int, std::span<const std::byte> bytes) {
      const auto header = header_of(bytes);
      protocol::FetchResponse response;
      auto& topic = response.responses.emplace_back();
      topic.topic = "t";
      topic.partitions.emplace_back().records = protocol::Records(base::Bytes(batch));
      return Reaction{.answer = answer(header.correlation_id, header.api_version, response)};
    }));
    auto client = ProtocolClient::connect(server.address());
    ASSERT_TRUE(client) << client.error();
    TopicReader reader(*client, "t", {{0, 1}}, {});  // from inside the batch: its first record is passed over
    std::vector<std::string> values;
    const auto count = reader.read([&](int, const protocol::Record& record) {
      values.emplace_back(base::as_text(*record.value));
      return true;
    });
    if (damaged) {
      ASSERT_FALSE(count);
      EXPECT_NE(count.error().find("t-0 is damaged"), std::string::npos) << count.error();
      EXPECT_TRUE(values.empty());
    } else {
      ASSERT_TRUE(count) << count.error();
      EXPECT_EQ(values, (std::vector<std::string>{"two", "three"}));
      EXPECT_EQ(reader.positions().front().offset, 3);
    }
  }
}

TEST(ProtocolClient, AddressesAreReadAsPeopleWriteThem) {
  SCOPED_TRACE("localhost:9092 is refused, or a port of 99999 wraps around");
  const auto localhost = bootstrap_address("localhost:9092");
  ASSERT_TRUE(localhost) << localhost.error();
  EXPECT_EQ(localhost->port, 9092);
  EXPECT_EQ(bootstrap_address("127.0.0.1:1,127.0.0.2:2")->host, "127.0.0.1");
  EXPECT_EQ(bootstrap_address("[::1]:9092")->host, "::1");
  for (const char* wrong : {"", "localhost", ":9092", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:9x", "127.0.0.1:0"}) {
    EXPECT_FALSE(bootstrap_address(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace iolab::clients
