#include "clients/partitioner.h"

namespace iolab::clients {

std::int32_t murmur2(base::Bytes bytes) {
  constexpr std::uint32_t kMultiplier = 0x5bd1e995, kSeed = 0x9747b28c;
  auto hash = kSeed ^ static_cast<std::uint32_t>(bytes.size());
  for (; bytes.size() >= 4; bytes = bytes.subspan(4)) {
    std::uint32_t word = 0;
    for (std::size_t i = 4; i-- > 0;) word = word << 8 | std::to_integer<std::uint32_t>(bytes[i]);
    word *= kMultiplier;
    word ^= word >> 24;
    hash = hash * kMultiplier ^ word * kMultiplier;
  }
  if (!bytes.empty()) {
    for (std::size_t i = bytes.size(); i-- > 0;) hash ^= std::to_integer<std::uint32_t>(bytes[i]) << (8 * i);
    hash *= kMultiplier;
  }
  hash ^= hash >> 13;
  hash *= kMultiplier;
  hash ^= hash >> 15;
  return static_cast<std::int32_t>(hash);
}

// Kafka makes the hash positive by dropping the sign bit, not by taking the absolute value.
int partition_of_key(base::Bytes key, int partitions) {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace iolab::clients
