// Seeded conversations between clients and a broker, valid and invalid, as the bytes that the clients send. What they
// do to a broker depends on nothing but these bytes, the broker's clock, its random source and its cluster id.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/broker/core/test_broker.h"

namespace iolab::test {

// One after the other, each on a connection of its own that ends with the client's FIN. The last frame of some is
// something that closes the connection.
std::vector<Frame> make_conversations(std::uint64_t seed, int count);

}  // namespace iolab::test
