// The request header is the one struct that the declarations cannot express: its client id is never compact.
#include "broker/protocol/frame.h"

#include <limits>

namespace iolab::protocol {
namespace {

void read_shared_part(Decoder& decoder, RequestHeader& header) {
  decoder.value(header.api_key);
  decoder.value(header.api_version);
  decoder.value(header.correlation_id);
}

}  // namespace

std::expected<RequestHeader, DecodeFault> peek_request_header(base::Bytes frame) {
  Decoder decoder(frame, 0, false);
  std::expected<RequestHeader, DecodeFault> header(std::in_place);
  read_shared_part(decoder, *header);
  if (!decoder.ok()) return std::unexpected(decoder.fault());
  return header;
}

std::expected<RequestFrame, DecodeFault> read_request_header(base::Bytes frame, bool flexible) {
  Decoder decoder(frame, 0, false);
  std::expected<RequestFrame, DecodeFault> request(std::in_place);
  read_shared_part(decoder, request->header);
  decoder.value(request->header.client_id);
  if (!decoder.ok()) return std::unexpected(decoder.fault());
  request->body = frame.subspan(decoder.position());
  if (!flexible) return request;

  Decoder tags(request->body, 0, true);
  tags.skip_tags();
  if (!tags.ok()) return std::unexpected(tags.fault());
  request->body = request->body.subspan(tags.position());
  return request;
}

void write_request_header(Encoder& encoder, const RequestHeader& header, bool flexible) {
  encoder.value(header.api_key);
  encoder.value(header.api_version);
  encoder.value(header.correlation_id);
  encoder.old_string(header.client_id);
  if (flexible) encoder.varint(0);
}

base::GatherBuffer::Mark start_frame(base::GatherBuffer& out) {
  const auto start = out.mark();
  out.append_big_endian(std::int32_t{0});
  return start;
}

bool finish_frame(base::GatherBuffer& out, const base::GatherBuffer::Mark& start, bool ok) {
  const std::size_t bytes = out.size_since(start) - kFrameSizeBytes;
  if (!ok || bytes > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    out.rewind(start);
    return false;
  }
  out.patch_big_endian(start, static_cast<std::int32_t>(bytes));
  return true;
}

}  // namespace iolab::protocol
