// Which partition a key belongs to: the same as in Kafka's own clients, so that records of one key stay together
// whoever wrote them. The hash is MurmurHash2 (Austin Appleby, public domain) with Kafka's seed.
#pragma once

#include <cstdint>

#include "broker/base/bytes.h"

namespace iolab::clients {

std::int32_t murmur2(base::Bytes bytes);
int partition_of_key(base::Bytes key, int partitions);

}  // namespace iolab::clients
