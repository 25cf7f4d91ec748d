#include "experiments/run/load_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace iolab::lab {
namespace {

TEST(LoadJson, ASpecTravelsWithoutLosingAField) {
  SCOPED_TRACE("the lab asks for one load and the load process runs another");
  clients::LoadSpec spec;
  spec.target = {"127.0.0.5", 1234};
  spec.kind = clients::LoadKind::fetch;
  spec.arrivals = clients::Arrivals::open;
  spec.rate_per_s = 1234.5;
  spec.warmup = std::chrono::milliseconds(7);
  spec.codec = "lz4";
  spec.acks = -1;
  spec.verify = false;
  const auto text = to_json(spec).dump();
  const auto read = load_spec_from_json(text);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(to_json(*read).dump(), text);
  EXPECT_EQ(read->target.port, 1234);
  EXPECT_EQ(read->arrivals, clients::Arrivals::open);
  EXPECT_NE(text, to_json(clients::LoadSpec{}).dump());
}

TEST(LoadJson, AResultTravelsWithItsHistogramsAndErrors) {
  SCOPED_TRACE("latencies or errors get lost between the load process and the run directory");
  clients::LoadResult result;
  result.requests = 5;
  result.latency_ns.record(1500, 4);
  result.latency_ns.record(99'000);
  result.errors[static_cast<std::size_t>(clients::LoadError::wrong_bytes)] = 3;
  result.note = "an \"echo\"\n differs";
  const auto json = to_json(result);
  EXPECT_EQ(json.dump().find('\n'), std::string::npos);  // one line on stdout
  const auto read = load_result_from_json(json.dump());
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->latency_ns, result.latency_ns);
  EXPECT_EQ(read->errors, result.errors);
  EXPECT_EQ(read->note, result.note);
  EXPECT_EQ(to_json(*read).dump(), json.dump());
  EXPECT_DOUBLE_EQ(json["latency_us"]["p50"], 1.5);
}

TEST(LoadJson, WhatIsWrongIsNamed) {
  SCOPED_TRACE("a misspelt key is ignored and the default measured instead");
  const auto error = [](const char* text) {
    const auto spec = load_spec_from_json(text);
    return spec ? std::string() : spec.error();
  };
  EXPECT_EQ(error("{}"), "");
  EXPECT_NE(error("[]"), "");
  EXPECT_NE(error("{"), "");
  EXPECT_NE(error(R"({"conections": 3})").find("conections"), std::string::npos);
  EXPECT_NE(error(R"({"kind": "ecko"})").find("kind"), std::string::npos);
  EXPECT_NE(error(R"({"connections": "3"})").find("connections"), std::string::npos);
  EXPECT_NE(error(R"({"connections": 99999999999})").find("out of range"), std::string::npos);
  EXPECT_NE(error(R"({"port": -1})").find("out of range"), std::string::npos);
  EXPECT_NE(error(R"({"message_bytes": -5})").find("out of range"), std::string::npos);
}

}  // namespace
}  // namespace iolab::lab
