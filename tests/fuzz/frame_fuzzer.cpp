// A byte stream of frames, as a stranger may send it: sizes, then headers of requests. What is read must be written
// again byte for byte (tagged fields, which are skipped, aside), and nothing outside of the frame may be touched.
#include <algorithm>
#include <vector>

#include "broker/protocol/frame.h"
#include "tests/fuzz/harness.h"

namespace {

using namespace iolab;
using base::Bytes;

// A frame in memory of its own, so that a read past its end is a read past an allocation.
void one_frame(Bytes stream_part) {
  const std::vector<std::byte> frame(stream_part.begin(), stream_part.end());
  const auto peeked = protocol::peek_request_header(frame);
  for (const bool flexible : {false, true}) {
    const auto request = protocol::read_request_header(frame, flexible);
    if (!request) continue;
    fuzz::promise(peeked.has_value(), "a header that can be read can be peeked at");
    fuzz::promise(request->header.api_key == peeked->api_key && request->header.api_version == peeked->api_version &&
                      request->header.correlation_id == peeked->correlation_id,
                  "peeking and reading see the same header");
    base::GatherBuffer out;
    protocol::Encoder encoder(out, 0, flexible);
    auto header = request->header;
    if (fuzz::kPlantedBug && !header.client_id) header.client_id = "";  // null is not the same as empty
    protocol::write_request_header(encoder, header, flexible);
    const auto written = out.flat();
    const std::size_t header_bytes = frame.size() - request->body.size();
    const bool has_tags = flexible && header_bytes != written.size();
    fuzz::promise(!has_tags || header_bytes > written.size(), "tags make a header longer");
    const std::size_t fixed_bytes = written.size() - (flexible ? 1 : 0);
    fuzz::promise(
        std::equal(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(fixed_bytes), frame.begin()),
        "a header is written as it was read");
    if (!has_tags) {
      fuzz::promise(std::equal(written.begin(), written.end(), frame.begin()), "without tags, to its last byte");
      fuzz::promise(!flexible || written.back() == std::byte{0}, "a header ends with its number of tags");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes stream = std::as_bytes(std::span(data, size));
  while (stream.size() >= protocol::kFrameSizeBytes) {
    const auto declared = base::load_big_endian<std::int32_t>(stream.data());
    stream = stream.subspan(protocol::kFrameSizeBytes);
    if (declared < 0 || static_cast<std::size_t>(declared) > stream.size()) break;
    one_frame(stream.first(static_cast<std::size_t>(declared)));
    stream = stream.subspan(static_cast<std::size_t>(declared));
  }
  return 0;
}
