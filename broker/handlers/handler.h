// What a handler is: one request in, and an answer appended, or a wait.
//
// A handler never blocks, throws or sleeps. It appends its whole response frame and says `answered`; or nothing, and
// says `silent` (acks=0) or `close`; or nothing yet, and leaves a Parked behind. Wake-ups that it causes are collected
// in the request and rung by the session when no lock is held.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "broker/base/gather_buffer.h"
#include "broker/core/broker.h"
#include "broker/core/moment.h"
#include "broker/core/wakeup.h"
#include "broker/protocol/codec.h"
#include "broker/protocol/frame.h"

namespace iolab::handlers {

struct Request {
  core::Broker& broker;
  core::Moment now;
  protocol::RequestHeader header;
  base::Bytes body;             // inside the receive buffer; a handler that stores records patches them there
  const core::Wakeup& sleeper;  // whom to wake if this request is parked
  core::Wakeups& wakeups;       // whom this request wakes
};

// A request whose answer is not ready. Destroying it ends its waits.
class Parked {
 public:
  virtual ~Parked() = default;
  // Waiting for data holds back the requests behind it; waiting for the disk does not.
  virtual bool holds_back() const = 0;
  enum class Progress : std::uint8_t { waiting, answered, close };
  // May be called at any time. `answered`: the response frame was appended.
  virtual Progress resume(core::Moment now, base::GatherBuffer& out) = 0;
};

struct Outcome {
  enum class Kind : std::uint8_t { answered, silent, close, parked };
  Kind kind;
  std::unique_ptr<Parked> parked;
};

inline Outcome answered() {
  return {Outcome::Kind::answered, nullptr};
}
inline Outcome silent() {
  return {Outcome::Kind::silent, nullptr};
}
inline Outcome close_connection() {
  return {Outcome::Kind::close, nullptr};
}
inline Outcome parked(std::unique_ptr<Parked> waiting) {
  return {Outcome::Kind::parked, std::move(waiting)};
}

// Appends `response` in the request's version. What the version cannot express closes the connection.
template <protocol::Struct M>
Outcome answer(const Request& request, const M& response, base::GatherBuffer& out) {
  const auto& header = request.header;
  if (!protocol::write_response(out, header.correlation_id, header.api_version, response)) return close_connection();
  return answered();
}

// One row of the table of APIs.
struct ApiEntry {
  const protocol::Api* api;
  Outcome (*handle)(Request&, base::GatherBuffer& out);
  const char* behaviour;  // for the support document: what it does, and what it leaves out
};

// Makes a row from a function that takes the decoded message. A body that does not decode closes the connection, as
// Kafka does: there is no error answer that every version could read.
template <protocol::Struct Message, Outcome (*kHandle)(Request&, Message&, base::GatherBuffer&)>
Outcome decode_and_handle(Request& request, base::GatherBuffer& out) {
  auto message = protocol::read_request_body<Message>(request.body, request.header.api_version);
  return message ? kHandle(request, *message, out) : close_connection();
}

}  // namespace iolab::handlers
