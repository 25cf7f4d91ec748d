// What ends a transaction in one partition: a control batch of one record, which takes one offset of its own. Clients
// read it and hand it to nobody; none may write it.
//
//   key    version 0 (2 bytes), type (2): 0 abort, 1 commit
//   value  version 0 (2 bytes), epoch of the coordinator (4)
//
// The batch says whose transaction ends: it names the producer and its epoch, and has no sequence.
// Source: KIP-98; EndTransactionMarker and ControlRecordType of Apache Kafka.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "broker/protocol/record_batch.h"

namespace iolab::protocol {

// Of a transaction that ends, or of one producer that is fenced.
struct TransactionMarker {
  std::int64_t producer_id = -1;
  std::int16_t producer_epoch = -1;  // of the marker: that of the transaction, or one higher if it is fenced
  std::int32_t coordinator_epoch = 0;
  bool commit = false;
};

// The batch as it is appended.
std::vector<std::byte> control_batch(const TransactionMarker& marker, std::int64_t wall_ms);
// Nothing: it is no control batch, or one that ends no transaction.
std::optional<TransactionMarker> marker_of(const BatchView& batch);

}  // namespace iolab::protocol
