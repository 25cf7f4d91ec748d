// Every message in every version: what is written is read back equal, is as long as the sizer said, and every cut or
// longer form of it is refused.
#include <gtest/gtest.h>

#include "broker/protocol/frame.h"
#include "broker/protocol/printer.h"
#include "tests/broker/protocol/every_message.h"
#include "tests/broker/protocol/sampler.h"

namespace iolab::protocol {
namespace {

constexpr std::uint64_t kSeeds = 60;

template <Struct M>
std::vector<std::byte> encoded(const M& message, std::int16_t version) {
  base::GatherBuffer out;
  Encoder encoder(out, version, M::kApi.is_flexible(version));
  encoder.message(message);
  EXPECT_TRUE(encoder.ok());
  return out.flat();
}

template <class Check>
void for_each_sample(std::uint64_t seeds, Check&& check) {
  for_each_message([&]<class M>(const M&) {
    for (std::int16_t version = M::kApi.first; version <= M::kApi.last; ++version) {
      for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const M message = Sampler(seed, version).template message<M>();
        SCOPED_TRACE(std::string(M::kApi.name) + " v" + std::to_string(version) + " seed " + std::to_string(seed));
        check(message, version);
        if (testing::Test::HasFailure()) return;
      }
    }
  });
}

TEST(RoundTrip, ReadsBackWhatItWrites) {
  // A failure here shows the first message that comes back different, as text.
  for_each_sample(kSeeds, []<class M>(const M& message, std::int16_t version) {
    const auto bytes = encoded(message, version);
    const auto decoded = decode<M>(bytes, version, M::kApi.is_flexible(version));
    ASSERT_TRUE(decoded.has_value()) << decoded.error().sentence() << '\n' << print(message, version);
    EXPECT_EQ(*decoded, message) << print(*decoded, version) << '\n' << print(message, version);
    EXPECT_EQ(encoded(*decoded, version), bytes);
  });
}

TEST(RoundTrip, SizerAgreesWithEncoder) {
  // A failure here means that a tagged field's size would be wrong on the wire.
  for_each_sample(kSeeds, []<class M>(const M& message, std::int16_t version) {
    const bool flexible = M::kApi.is_flexible(version);
    const auto bytes = encoded(message, version);
    EXPECT_EQ(Sizer(version, flexible).message(message), bytes.size());
    EXPECT_LE(least_size<M>(version, flexible), bytes.size());
    EXPECT_EQ(least_size<M>(version, flexible), encoded(M{}, version).size());
  });
}

TEST(RoundTrip, RefusesEveryPrefixAndAnyByteMore) {
  // A failure here means that a message cut short, or one with bytes left over, is taken for a whole one.
  for_each_sample(6, []<class M>(const M& message, std::int16_t version) {
    auto bytes = encoded(message, version);
    const bool flexible = M::kApi.is_flexible(version);
    const std::size_t step = bytes.size() / 300 + 1;
    for (std::size_t cut = 0; cut < bytes.size(); cut += step) {
      const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(cut));
      ASSERT_FALSE(decode<M>(part, version, flexible).has_value()) << "cut at " << cut << " of " << bytes.size();
    }
    bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode<M>(bytes, version, flexible).has_value());
  });
}

TEST(RoundTrip, SurvivesDamage) {
  // A failure here is a crash or a sanitizer's report: whatever a flipped byte turns a message into must be safe to
  // read.
  for_each_sample(3, []<class M>(const M& message, std::int16_t version) {
    auto bytes = encoded(message, version);
    const bool flexible = M::kApi.is_flexible(version);
    const std::size_t step = bytes.size() / 300 + 1;
    for (std::size_t i = 0; i < bytes.size(); i += step) {
      for (const auto value : {std::byte{0}, std::byte{0x7f}, std::byte{0x80}, std::byte{0xff}}) {
        const std::byte kept = std::exchange(bytes[i], value);
        const auto decoded = decode<M>(bytes, version, flexible);
        if (decoded) {
          EXPECT_EQ(encoded(*decoded, version).empty(), bytes.empty());
        }
        bytes[i] = kept;
      }
    }
  });
}

TEST(RoundTrip, WholeFramesInBothDirections) {
  // A failure here means that header and body disagree about the version's form.
  for_each_api([]<class Request, class Response>() {
    const Api& api = Request::kApi;
    for (std::int16_t version = api.first; version <= api.last; ++version) {
      SCOPED_TRACE(std::string(api.name) + " v" + std::to_string(version));
      base::GatherBuffer out;
      const auto request = Sampler(7, version).template message<Request>();
      ASSERT_TRUE(write_request(out, 42, version, "tester", request));
      const auto frame = out.flat();
      ASSERT_EQ(base::load_big_endian<std::int32_t>(frame.data()), static_cast<std::int32_t>(frame.size() - 4));
      const auto read = read_request_header(base::Bytes(frame).subspan(4), api.is_flexible(version));
      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(read->header, (RequestHeader{static_cast<std::int16_t>(api.key), version, 42, "tester"}));
      EXPECT_EQ(read_request_body<Request>(read->body, version).value(), request);

      out.clear();
      const auto response = Sampler(8, version).template message<Response>();
      ASSERT_TRUE(write_response(out, 43, version, response));
      const auto answer = out.flat();
      const auto back = read_response<Response>(base::Bytes(answer).subspan(4), version);
      ASSERT_TRUE(back.has_value()) << back.error().sentence();
      EXPECT_EQ(back->correlation_id, 43);
      EXPECT_EQ(back->message, response);
    }
  });
}

}  // namespace
}  // namespace iolab::protocol
