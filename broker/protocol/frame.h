// Frames: a size, a header, a body. Written and read here for both directions; cutting a byte stream into frames is the
// session's and the client's business.
//
// The header's form depends on API and version, so reading goes in two steps: peek at what all versions share, look the
// API up, then read the rest. A frame, here, never includes its four-byte size.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "broker/protocol/api.h"
#include "broker/protocol/codec.h"

namespace iolab::protocol {

inline constexpr std::size_t kFrameSizeBytes = 4;
// socket.request.max.bytes of Kafka: a larger request closes the connection.
inline constexpr std::int32_t kDefaultMaxRequestBytes = 104'857'600;

struct RequestHeader {
  std::int16_t api_key = 0;  // as sent: may be no ApiKey of ours
  std::int16_t api_version = 0;
  std::int32_t correlation_id = 0;
  std::optional<std::string> client_id;

  bool operator==(const RequestHeader&) const = default;
};

struct RequestFrame {
  RequestHeader header;
  base::Bytes body;  // a view into the frame
};

// Key, version and correlation id: the same eight bytes in every version. The client id is not read.
std::expected<RequestHeader, DecodeFault> peek_request_header(base::Bytes frame);

// `flexible`: Api::is_flexible(version) of the API that peek_request_header() named.
std::expected<RequestFrame, DecodeFault> read_request_header(base::Bytes frame, bool flexible);

// The header in front of a request's body. Its client id keeps the old string form in flexible versions too.
void write_request_header(Encoder& encoder, const RequestHeader& header, bool flexible);

// Starts a frame: room for its size. finish_frame() fills it in; if the frame cannot be expressed it takes the frame
// out of the buffer again and returns false.
base::GatherBuffer::Mark start_frame(base::GatherBuffer& out);
bool finish_frame(base::GatherBuffer& out, const base::GatherBuffer::Mark& start, bool ok);

// Appends a whole response frame. False, and nothing appended: the message cannot be expressed in this version (a text
// over 32767 bytes before the flexible versions) or is over 2 GiB. Attached records must outlive the buffer's content
// unless their owner is set.
template <Struct M>
[[nodiscard]] bool write_response(base::GatherBuffer& out, std::int32_t correlation_id, std::int16_t version,
                                  const M& message) {
  const auto start = start_frame(out);
  Encoder encoder(out, version, M::kApi.is_flexible(version));
  encoder.value(correlation_id);
  if (M::kApi.has_flexible_response_header(version)) encoder.varint(0);
  encoder.message(message);
  return finish_frame(out, start, encoder.ok());
}

// Appends a whole request frame; as write_response().
template <Struct M>
[[nodiscard]] bool write_request(base::GatherBuffer& out, std::int32_t correlation_id, std::int16_t version,
                                 const std::optional<std::string>& client_id, const M& message) {
  const auto start = start_frame(out);
  Encoder encoder(out, version, M::kApi.is_flexible(version));
  const RequestHeader header{static_cast<std::int16_t>(M::kApi.key), version, correlation_id, client_id};
  write_request_header(encoder, header, M::kApi.is_flexible(version));
  encoder.message(message);
  return finish_frame(out, start, encoder.ok());
}

// Bytes behind the message are not looked at, as Kafka does not: librdkafka 2.15 leaves three of them behind a Metadata
// request (version 9 or later) for all topics.
template <Struct M>
std::expected<M, DecodeFault> read_request_body(base::Bytes body, std::int16_t version, DecodeLimits limits = {}) {
  Decoder decoder(body, version, M::kApi.is_flexible(version), limits);
  std::expected<M, DecodeFault> message(std::in_place);
  decoder.message(*message);
  if (!decoder.ok()) return std::unexpected(decoder.fault());
  return message;
}

template <Struct M>
struct ResponseFrame {
  std::int32_t correlation_id = 0;
  M message;
};

// For clients: reads a response frame whose request was sent in `version`.
template <Struct M>
std::expected<ResponseFrame<M>, DecodeFault> read_response(base::Bytes frame, std::int16_t version,
                                                           DecodeLimits limits = {}) {
  Decoder decoder(frame, version, M::kApi.is_flexible(version), limits);
  std::expected<ResponseFrame<M>, DecodeFault> response(std::in_place);
  decoder.value(response->correlation_id);
  if (M::kApi.has_flexible_response_header(version)) decoder.skip_tags();
  decoder.message(response->message);
  if (decoder.ok() && decoder.left() > 0) decoder.fail("bytes left over after the message");
  if (!decoder.ok()) return std::unexpected(decoder.fault());
  return response;
}

}  // namespace iolab::protocol
