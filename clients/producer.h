// Gathers records into batches, one open batch for each partition, and keeps a few requests on their way: what
// `iolab produce` and `iolab perf produce` are made of. Single-threaded: answers are taken when there is a reason to
// wait for one, or in poll().
//
// Left out: retries and idempotence. An error of the broker or of the connection is the caller's, and what was not
// acknowledged by then may or may not be in the log.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/protocol/batch_builder.h"
#include "clients/clock.h"
#include "clients/protocol_client.h"

namespace iolab::clients {

struct ProducerSettings {
  std::string topic;
  int partitions = 1;
  int acks = -1;
  std::size_t batch_bytes = 16'384;     // batch.size: a batch that has reached it is sent
  std::chrono::milliseconds linger{0};  // linger.ms: a batch that is not full is sent after this, if there is room
  protocol::Compression compression = protocol::Compression::none;
  std::size_t max_in_flight = 5;  // max.in.flight.requests.per.connection
};

// A batch that was acknowledged; with acks=0, one that was sent.
struct Receipt {
  int partition = 0;
  std::int64_t base_offset = -1;
  std::uint64_t value_bytes = 0;
  std::vector<Nanoseconds> created;  // of each record: when it was added
};

class Producer {
 public:
  Producer(ProtocolClient& client, ProducerSettings settings, std::function<void(const Receipt&)> on_receipt);

  // Without a key records go to one partition until its batch is sent, then to the next; with one, where Kafka's own
  // clients put it. Waits for an answer if the batch is full and too many requests are on their way.
  Result<void> add(std::optional<base::Bytes> key, std::optional<base::Bytes> value);
  // Takes the answers that are there and sends what has lingered long enough.
  Result<void> poll();
  // Sends everything and waits until it is acknowledged.
  Result<void> flush();

  std::size_t in_flight() const { return sent_.size(); }

 private:
  struct OpenBatch {
    protocol::BatchBuilder builder;
    Nanoseconds opened = 0;
    Receipt receipt;
  };

  Result<void> send(int partition);
  Result<void> take_answer();

  ProtocolClient& client_;
  ProducerSettings settings_;
  std::function<void(const Receipt&)> on_receipt_;
  std::vector<OpenBatch> open_;  // by partition
  std::deque<Receipt> sent_;     // not yet acknowledged
  int keyless_ = 0;              // the partition of records without a key, for now
};

}  // namespace iolab::clients
