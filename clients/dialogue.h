// What one connection of a load says and expects to hear. Requests are built before the run; asking for one only
// patches its number into bytes that are already there, and nothing is allocated for a request or an answer.
//
// A slot is a place for one outstanding request: a connection has as many as may be in flight, uses them in turn, and
// is answered in the order in which it asked. A slot's bytes stay untouched from request() until its answer.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "clients/load.h"

namespace iolab::clients {

struct Answer {
  std::uint64_t records = 0;
  std::uint64_t payload_bytes = 0;
  std::optional<LoadError> error = std::nullopt;
};

class Dialogue {
 public:
  virtual ~Dialogue() = default;

  virtual std::span<const iovec> request(std::uint32_t slot) = 0;
  // A whole answer to the request of `slot`, its length prefix included.
  virtual Answer answered(std::uint32_t slot, std::span<const std::byte> answer) = 0;
  // The first error in words.
  virtual const std::string& note() const = 0;
};

// How answers are told apart in a stream of bytes, and how a connection finds out that it is served.
struct Framing {
  std::size_t fixed_bytes = 0;   // of every answer; 0: a big-endian 32-bit length comes first, not counting itself
  std::vector<std::byte> probe;  // a request that any such server answers
  std::size_t longest_bytes = 64 << 10;  // of an answer; one that says it is longer is none, and nothing is allocated

  // Length of the answer at the front of `bytes`; 0: not all of its length has arrived; negative: this is no answer.
  std::int64_t answer_bytes(std::span<const std::byte> bytes) const;
};

// Everything that the connections of one load share, built once.
class Script {
 public:
  virtual ~Script() = default;
  virtual const Framing& framing() const = 0;
  // `connection` counts over all threads. Dialogues may be used in different threads, each by one.
  virtual std::unique_ptr<Dialogue> dialogue(int connection) const = 0;
  // After the run: what can only be checked at the end. `lost_requests` were sent and never answered.
  virtual void check_at_end(LoadResult& /*result*/, std::uint64_t /*lost_requests*/) const {}
};

// The error is a sentence: a topic that cannot be created or filled.
using MadeScript = std::expected<std::unique_ptr<Script>, std::string>;
MadeScript make_script(const LoadSpec& spec);  // chooses
MadeScript echo_script(const LoadSpec& spec);
MadeScript produce_script(const LoadSpec& spec);
MadeScript fetch_script(const LoadSpec& spec);

}  // namespace iolab::clients
