// What an order carries with it, and its completion brings back.
#pragma once

#include <cstdint>

#include "io_models/connection_table.h"

namespace iolab::io {

// In 64 bits: what was ordered, and for whom. Never a descriptor, never a
// pointer: a late result of a connection that is gone must find nobody. LESSON: stale-completions-find-nobody
enum class Order : std::uint8_t { accept, receive, send, bell, withdraw };

struct OrderTag {
  Order order;
  ConnectionKey key = {};

  // generation 32, order 8, slot 24: sixteen million connections in one loop
  std::uint64_t packed() const {
    return std::uint64_t{key.generation} << 32 | std::uint64_t{static_cast<std::uint8_t>(order)} << 24 | key.slot;
  }
  static OrderTag unpacked(std::uint64_t bits) {
    return {static_cast<Order>(bits >> 24 & 0xff),
            {static_cast<std::uint32_t>(bits & 0xff'ffff), static_cast<std::uint32_t>(bits >> 32)}};
  }
};

}  // namespace iolab::io
