// Reads a topic's records from given offsets on, all partitions in one fetch, as a consumer without a group does.
// Batches are checked (CRC, counts) before a record of them is handed out; control batches are passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "broker/protocol/record_reader.h"
#include "clients/protocol_client.h"
#include "clients/topic_calls.h"

namespace iolab::clients {

class TopicReader {
 public:
  struct Position {
    int partition = 0;
    std::int64_t offset = 0;  // of the next record
  };
  // False: stop here; the record counts as read.
  using Take = std::function<bool(int partition, const protocol::Record& record)>;

  TopicReader(ProtocolClient& client, std::string topic, std::vector<Position> positions, FetchLimits limits)
      : client_(client), topic_(std::move(topic)), positions_(std::move(positions)), limits_(limits) {}

  // One fetch: waits up to the limits' time if nothing is there. Gives the number of records handed out.
  Result<std::uint64_t> read(const Take& take);
  const std::vector<Position>& positions() const { return positions_; }

 private:
  Result<bool> read_partition(Position& position, base::Bytes records, const Take& take, std::uint64_t& count);

  ProtocolClient& client_;
  std::string topic_;
  std::vector<Position> positions_;
  FetchLimits limits_;
  std::size_t first_ = 0;  // asked for first, in turn: an answer that is full before its end starves nobody
};

}  // namespace iolab::clients
