// Frames of real clients, and of another library's encoder, decoded and encoded again byte for byte. What a round trip
// of our own cannot show: that somebody else means the same by these bytes. golden/capture.py wrote the files.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "broker/protocol/frame.h"
#include "broker/protocol/printer.h"
#include "broker/protocol/record_reader.h"
#include "tests/broker/protocol/every_message.h"

namespace iolab::protocol {
namespace {

struct Golden {
  std::string origin;            // the file's first line
  std::vector<std::byte> frame;  // with its size
  ApiKey key{};
  std::int16_t version = 0;
  bool is_request = false;
};

// Files are named client_NN_Api_vN[_what]_request|response.hex.
Golden read_golden(const std::filesystem::path& path) {
  Golden golden;
  std::ifstream file(path);
  std::string digits;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) {
      golden.origin += line;
    } else {
      digits += line;
    }
  }
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    golden.frame.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  const std::string name = path.stem();
  golden.is_request = name.ends_with("_request");
  std::set<std::string> apis;
  for_each_api([&]<class Request, class Response>() {
    const std::string api = "_" + std::string(Request::kApi.name) + "_v";
    if (const auto at = name.find(api); at != std::string::npos) {
      golden.key = Request::kApi.key;
      golden.version = static_cast<std::int16_t>(std::stoi(name.substr(at + api.size())));
      apis.insert(api);
    }
  });
  EXPECT_EQ(apis.size(), 1u) << path;
  return golden;
}

std::map<std::string, Golden> read_all_golden() {
  std::map<std::string, Golden> all;
  for (const auto& entry : std::filesystem::directory_iterator(IOLAB_GOLDEN_FRAMES)) {
    if (entry.path().extension() == ".hex") all[entry.path().stem()] = read_golden(entry.path());
  }
  return all;
}

template <Struct M>
void expect_same_request(const Golden& golden) {
  const auto frame = base::Bytes(golden.frame).subspan(kFrameSizeBytes);
  const auto peeked = peek_request_header(frame);
  ASSERT_TRUE(peeked.has_value());
  ASSERT_EQ(peeked->api_key, static_cast<std::int16_t>(golden.key));
  ASSERT_EQ(peeked->api_version, golden.version);
  const auto request = read_request_header(frame, M::kApi.is_flexible(golden.version));
  ASSERT_TRUE(request.has_value()) << request.error().sentence();
  const auto body = read_request_body<M>(request->body, golden.version);
  ASSERT_TRUE(body.has_value()) << body.error().sentence();
  base::GatherBuffer out;
  ASSERT_TRUE(write_request(out, request->header.correlation_id, golden.version, request->header.client_id, *body));
  EXPECT_EQ(out.flat(), golden.frame) << print(*body, golden.version);
}

template <Struct M>
void expect_same_response(const Golden& golden) {
  const auto frame = base::Bytes(golden.frame).subspan(kFrameSizeBytes);
  const auto response = read_response<M>(frame, golden.version);
  ASSERT_TRUE(response.has_value()) << response.error().sentence();
  base::GatherBuffer out;
  ASSERT_TRUE(write_response(out, response->correlation_id, golden.version, response->message));
  EXPECT_EQ(out.flat(), golden.frame) << print(response->message, golden.version);
}

TEST(GoldenFrames, AreReadAndWrittenAgainByteForByte) {
  // A failure here names a client, an API and a version in which we and that client do not speak the same protocol.
  std::size_t compared = 0;
  for (const auto& [name, golden] : read_all_golden()) {
    SCOPED_TRACE(name + "\n" + golden.origin);
    ASSERT_GT(golden.frame.size(), kFrameSizeBytes);
    ASSERT_EQ(base::load_big_endian<std::int32_t>(golden.frame.data()),
              static_cast<std::int32_t>(golden.frame.size() - kFrameSizeBytes));
    for_each_api([&, &seen = golden]<class Request, class Response>() {
      if (Request::kApi.key != seen.key) return;
      ++compared;
      if (seen.is_request) expect_same_request<Request>(seen);
      if (!seen.is_request) expect_same_response<Response>(seen);
    });
  }
  EXPECT_GE(compared, 60u);  // or the files were not found
}

TEST(GoldenFrames, ProducedBatchesPassEveryCheck) {
  // A failure here refuses what a real client produces, or reads something else out of it than was put in.
  std::set<Compression> codecs;
  for (const auto& [name, golden] : read_all_golden()) {
    if (golden.key != ApiKey::produce || !golden.is_request) continue;
    SCOPED_TRACE(name + "\n" + golden.origin);
    const auto frame = base::Bytes(golden.frame).subspan(kFrameSizeBytes);
    const auto header = read_request_header(frame, golden.version >= kProduce.flexible);
    const auto request = read_request_body<ProduceRequest>(header->body, golden.version);
    ASSERT_TRUE(request.has_value());
    for (const auto& partition : request->topic_data.at(0).partition_data) {
      const auto batch = check_produced(partition.records->bytes);
      ASSERT_TRUE(batch.has_value()) << batch.error().reason;
      const auto records = check_records(*batch);
      EXPECT_TRUE(records.has_value()) << records.error().reason;
      codecs.insert(batch->compression());
      RecordReader reader(*batch);
      const Record* first = reader.next();
      ASSERT_NE(first, nullptr);
      const std::string_view value = base::as_text(first->value.value());
      EXPECT_TRUE(value.starts_with("a line that is worth") || value.starts_with("a value from Python") ||
                  value == "once")
          << value;
      EXPECT_EQ(batch->has_producer(), name.find("idempotent") != std::string::npos);
    }
  }
  EXPECT_EQ(codecs.size(), 5u);  // every codec of kcat's
}

}  // namespace
}  // namespace iolab::protocol
