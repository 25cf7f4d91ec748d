// What arrived for a session before it wanted it: only where one order brings many completions can that happen.
//
// The bytes are copied out, so that the kernel has its buffer back at once: a connection that waits must not hold what
// all others need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "io_models/frontend.h"

namespace iolab::io {

// Gives a session what it has room for, as long as it wants to receive; returns the rest.
inline std::span<const std::byte> pass(Session& session, std::span<const std::byte> bytes) {
  while (!bytes.empty() && session.want() == Want::receive) {
    const std::span<std::byte> room = session.input();
    const std::size_t some = std::min(room.size(), bytes.size());
    std::memcpy(room.data(), bytes.data(), some);
    session.received(some);
    bytes = bytes.subspan(some);
  }
  return bytes;
}

class EarlyBytes {
 public:
  // Past this the receive is withdrawn. More may come until that is carried out: what the kernel has buffers for.
  static constexpr std::size_t kBound = 256 * 1024;
  static constexpr std::size_t kKept = 16 * 1024;  // memory that a connection keeps for the next time

  std::size_t size() const { return bytes_.size() - taken_; }
  void add(std::span<const std::byte> bytes) {
    // What was passed on goes when it is the larger part: each byte is moved once at most, and memory keeps to the
    // rest.
    if (taken_ > 0 && taken_ >= size()) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }
  void end() { end_ = true; }
  bool at_end() const { return end_ && size() == 0; }

  void pass_to(Session& session) {
    taken_ = bytes_.size() - pass(session, std::span(bytes_).subspan(taken_)).size();
    if (taken_ < bytes_.size()) return;
    bytes_.clear();
    taken_ = 0;
    if (bytes_.capacity() > kKept) bytes_.shrink_to_fit();
  }

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_ = 0;
  bool end_ = false;
};

struct NoEarlyBytes {};

}  // namespace iolab::io
