// Any bytes as any message of any version, requests and responses: what can be decoded must be sized, encoded and
// decoded again without a difference. Nothing outside of the input may be read, and nothing allocated on a count's
// word.
//
// Input: API key and version, two bytes each as on the wire; 0x4000 added to the key asks for the response. Then the
// body.
#include <vector>

#include "broker/protocol/frame.h"
#include "tests/broker/protocol/every_message.h"
#include "tests/fuzz/harness.h"

namespace {

using namespace iolab;
using base::Bytes;

constexpr std::int16_t kResponseFlag = 0x4000;

template <protocol::Struct M>
std::vector<std::byte> encode(const M& message, std::int16_t version) {
  // The planted bug: off by one in where the flexible encoding starts.
  const bool flexible = fuzz::kPlantedBug ? version > M::kApi.flexible : M::kApi.is_flexible(version);
  base::GatherBuffer out;
  protocol::Encoder encoder(out, version, flexible);
  encoder.message(message);
  fuzz::promise(encoder.ok(), "what was decoded can be encoded");
  fuzz::promise(protocol::Sizer(version, flexible).message(message) == out.size(), "the sizer knows the encoder");
  return out.flat();
}

template <protocol::Struct M>
void one_message(Bytes body, std::int16_t version) {
  const bool flexible = M::kApi.is_flexible(version);
  const auto message = protocol::decode<M>(body, version, flexible);
  if (!message) return;
  const auto written = encode(*message, version);
  // Tags that are unknown, or that hold a default, are not written again; nothing else may get lost.
  fuzz::promise(written.size() == body.size() || flexible, "an old version is written as long as it was read");
  const auto again = protocol::decode<M>(written, version, flexible);
  fuzz::promise(again.has_value(), "what was encoded can be decoded");
  fuzz::promise(*again == *message, "and is the same message");
  fuzz::promise(encode(*again, version) == written, "which is encoded to the same bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto key = base::load_big_endian<std::int16_t>(input.data());
  const auto version = base::load_big_endian<std::int16_t>(input.data() + 2);
  // In memory of its own, so that a read past its end is a read past an allocation.
  const std::vector<std::byte> body(input.begin() + 4, input.end());
  protocol::for_each_api([&]<class Request, class Response>() {
    if (!Request::kApi.speaks(version)) return;
    const auto own_key = static_cast<std::int16_t>(Request::kApi.key);
    if (key == own_key) one_message<Request>(body, version);
    if (key == (own_key | kResponseFlag)) one_message<Response>(body, version);
  });
  return 0;
}
