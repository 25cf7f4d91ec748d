// The connections of one loop, by slot and generation.
//
// What comes back from a kernel or from another thread may be late: an event of a connection that was closed a moment
// ago, whose descriptor number already belongs to the next one. So nothing late carries a descriptor or a pointer. It
// carries a slot, and the generation that the slot had; find() returns null once that generation is over.
//
// Used by one thread. Connections do not move in memory while they live.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace iolab::io {

struct ConnectionKey {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  bool operator==(const ConnectionKey&) const = default;

  // As the 64 bits that epoll and io_uring hand back.
  std::uint64_t packed() const { return std::uint64_t{generation} << 32 | slot; }
  static ConnectionKey unpacked(std::uint64_t bits) {
    return {static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32)};
  }
};

// What is watched, but is no connection. No slot ever gets this far.
inline constexpr ConnectionKey kListener{~std::uint32_t{0}, 1};
inline constexpr ConnectionKey kBell{~std::uint32_t{0}, 2};

// `Connection` can be made from a ConnectionKey.
template <class Connection>
class ConnectionTable {
 public:
  Connection& add() {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(rows_.size()));
      rows_.push_back(std::make_unique<Row>());
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    ++size_;
    Row& row = *rows_[slot];
    return row.connection.emplace(ConnectionKey{slot, row.generation});
  }

  Connection* find(ConnectionKey key) {
    if (key.slot >= rows_.size()) return nullptr;
    Row& row = *rows_[key.slot];
    return row.generation == key.generation && row.connection ? &*row.connection : nullptr;
  }

  // `key` by value: it may lie in the connection that ends here.
  void remove(ConnectionKey key) {
    Row& row = *rows_[key.slot];
    ++row.generation;  // first: whatever the connection's end sets off finds it gone
    row.connection.reset();
    free_.push_back(key.slot);
    --size_;
  }

  std::size_t size() const { return size_; }

  template <class Visit>
  void for_each(Visit&& visit) {
    for (const auto& row : rows_) {
      if (row->connection) visit(*row->connection);
    }
  }

 private:
  struct Row {
    std::uint32_t generation = 1;
    std::optional<Connection> connection;
  };
  std::vector<std::unique_ptr<Row>> rows_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace iolab::io
