// What produce and fetch loads share: the batch that everything is made of, requests as bytes with one place to patch,
// and the answers they expect. One version of each request, old enough not to be flexible, so that every field that
// changes has a fixed place: Produce 7 and Fetch 11, which is what librdkafka 2.0 sends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "clients/dialogue.h"
#include "clients/load.h"
#include "clients/protocol_client.h"

namespace iolab::clients {

inline constexpr std::int16_t kLoadProduceVersion = 7;
inline constexpr std::int16_t kLoadFetchVersion = 11;
inline constexpr std::size_t kCorrelationAt = 8;  // in a request; in an answer it is 4 bytes earlier
inline constexpr std::size_t kAnswerCorrelationAt = 4;

// The batch that a load sends to a partition, again and again: records of random capital letters, the same for the same
// spec, partition and time. Checked as a broker would check it.
Result<std::vector<std::byte>> load_batch(const LoadSpec& spec, int partition, std::int64_t timestamp_ms);

// The topic exists and has the partitions that the spec asks for, made if it did not.
Result<void> prepare_topic(ProtocolClient& client, const LoadSpec& spec);

// The first and the next offset of a partition.
struct OffsetRange {
  std::int64_t start = 0;
  std::int64_t end = 0;
};
Result<OffsetRange> partition_range(ProtocolClient& client, const std::string& topic, int partition);

// A whole Produce request without its batch, which has to follow it directly.
std::vector<std::byte> produce_request_head(const LoadSpec& spec, int partition, std::size_t batch_bytes);
// Its answer, for correlation id 0 and base offset 0, and where the fields lie that differ from one to the next.
std::vector<std::byte> produce_answer(const LoadSpec& spec, int partition);
struct ProduceAnswerLayout {
  std::size_t error_at = 0;
  std::size_t base_offset_at = 0;
};
ProduceAnswerLayout produce_answer_layout(const LoadSpec& spec);

// A whole Fetch request, and where its offset lies.
struct FetchRequestBytes {
  std::vector<std::byte> frame;
  std::size_t offset_at = 0;
};
FetchRequestBytes fetch_request(const LoadSpec& spec, int partition);
// An answer with `batches` batches from offset 0 on.
std::vector<std::byte> fetch_answer(const LoadSpec& spec, int partition, const std::vector<std::byte>& batch,
                                    int batches);
// How many of them a server without a broker's whims answers with.
int batches_per_fetch(const LoadSpec& spec, std::size_t batch_bytes);

// The framing of Kafka's protocol, with ApiVersions 0 as the probe.
Framing kafka_framing();

// Scripts for a server of canned answers: nothing is prepared, nothing checked at the end.
MadeScript canned_produce_script(const LoadSpec& spec);
MadeScript canned_fetch_script(const LoadSpec& spec);

}  // namespace iolab::clients
