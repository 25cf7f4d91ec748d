#include "clients/partitioner.h"

#include <gtest/gtest.h>

namespace iolab::clients {
namespace {

TEST(Partitioner, HashesAsKafkasOwnClientsDo) {
  SCOPED_TRACE("records of one key land in different partitions, depending on which client wrote them");
  // The vectors of Kafka's own UtilsTest.
  const std::pair<const char*, std::int32_t> vectors[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [key, hash] : vectors) EXPECT_EQ(murmur2(base::as_bytes(key)), hash) << key;
}

TEST(Partitioner, APartitionIsNeverNegative) {
  SCOPED_TRACE("a key with a negative hash has no partition");
  for (const char* key : {"21", "foobar", "abc", ""}) {
    const int partition = partition_of_key(base::as_bytes(key), 7);
    EXPECT_GE(partition, 0);
    EXPECT_LT(partition, 7);
  }
  EXPECT_EQ(partition_of_key(base::as_bytes("foobar"), 10), (-790332482 & 0x7fffffff) % 10);
}

}  // namespace
}  // namespace iolab::clients
