// Transactions as clients make them: a producer with its identity and its sequence numbers, and readers of what was
// committed.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "broker/protocol/messages/22_init_producer_id.h"
#include "broker/protocol/messages/24_add_partitions_to_txn.h"
#include "broker/protocol/messages/25_add_offsets_to_txn.h"
#include "broker/protocol/messages/26_end_txn.h"
#include "broker/protocol/messages/27_write_txn_markers.h"
#include "broker/protocol/messages/28_txn_offset_commit.h"
#include "broker/protocol/messages/65_describe_transactions.h"
#include "broker/protocol/messages/66_list_transactions.h"
#include "tests/broker/core/partition_fixture.h"
#include "tests/broker/handlers/group_requests.h"

namespace iolab::test {

// Lets both coordinators begin.
inline void find_coordinators(TestBroker& broker) {
  find_coordinator(broker);
  protocol::FindCoordinatorRequest request;
  request.key = "tx";
  request.key_type = protocol::kTransactionKey;
  const auto answer = broker.ask<protocol::FindCoordinatorResponse>(request, 2);
  EXPECT_EQ(answer.error_code, protocol::ErrorCode::none);
  EXPECT_EQ(answer.port, 9092);
}

// Timers and disk work, until there is nothing to do now.
inline void settle(TestBroker& broker) {
  for (int i = 0; i < 20; ++i) {
    broker->run_timers(broker.clock.now());
    broker->run_flushes(broker.clock.now());
  }
}

// The answer, after whatever disk work it takes.
template <protocol::Struct Response, protocol::Struct M>
Response ask_patiently(TestBroker& broker, const M& message, std::int16_t version) {
  Asked asked = broker.send(message, version);
  for (int i = 0; i < 20 && !broker.resume(asked); ++i) broker->run_flushes(broker.clock.now());
  return TestBroker::answer_of<Response>(asked, version);
}

class TransactionalProducer {
 public:
  explicit TransactionalProducer(TestBroker& broker, std::string id = "tx") : broker_(&broker), id_(std::move(id)) {}

  // Starts with what it was given; `again`: says what it had.
  protocol::ErrorCode init(bool again = false, std::int32_t timeout_ms = 60'000, std::int16_t version = 4) {
    protocol::InitProducerIdRequest request;
    request.transactional_id = id_;
    request.transaction_timeout_ms = timeout_ms;
    if (again) request.producer_id = producer.id;
    if (again) request.producer_epoch = producer.epoch;
    const auto answer = ask_patiently<protocol::InitProducerIdResponse>(*broker_, request, version);
    if (answer.error_code != protocol::ErrorCode::none) return answer.error_code;
    producer = {answer.producer_id, answer.producer_epoch};
    sequences_.clear();
    return answer.error_code;
  }

  protocol::AddPartitionsToTxnResponse add(const std::string& topic, const std::vector<std::int32_t>& partitions,
                                           std::int16_t version = 3) {
    protocol::AddPartitionsToTxnRequest request;
    request.v3_and_below_transactional_id = id_;
    request.v3_and_below_producer_id = producer.id;
    request.v3_and_below_producer_epoch = producer.epoch;
    request.v3_and_below_topics.push_back({.name = topic, .partitions = partitions});
    return ask_patiently<protocol::AddPartitionsToTxnResponse>(*broker_, request, version);
  }
  protocol::ErrorCode add(const std::string& topic, std::int32_t partition, std::int16_t version = 3) {
    return add(topic, std::vector{partition}, version)
        .results_by_topic_v3_and_below.at(0)
        .results_by_partition.at(0)
        .partition_error_code;
  }

  // One record.
  protocol::ErrorCode produce(const std::string& topic, std::int32_t partition) {
    std::int32_t& sequence = sequences_[{topic, partition}];
    const Frame batch = make_batch({.builder = {.producer_id = producer.id,
                                                .producer_epoch = producer.epoch,
                                                .base_sequence = sequence,
                                                .transactional = true}});
    auto request = produce_request(topic, partition, batch);
    request.transactional_id = id_;
    const auto answer = ask_patiently<protocol::ProduceResponse>(*broker_, request, 9);
    const auto& told = answer.responses.at(0).partition_responses.at(0);
    if (told.error_code == protocol::ErrorCode::none) ++sequence;
    last_offset = told.base_offset;
    return told.error_code;
  }
  // One record, in a partition that is added first.
  void write(const std::string& topic, std::int32_t partition) {
    EXPECT_EQ(add(topic, partition), protocol::ErrorCode::none);
    EXPECT_EQ(produce(topic, partition), protocol::ErrorCode::none);
  }

  protocol::ErrorCode add_offsets(std::int16_t version = 3) {
    protocol::AddOffsetsToTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer.id;
    request.producer_epoch = producer.epoch;
    request.group_id = "g";
    return ask_patiently<protocol::AddOffsetsToTxnResponse>(*broker_, request, version).error_code;
  }
  protocol::ErrorCode commit_offset(const std::string& topic, std::int64_t offset, std::int16_t version = 3) {
    protocol::TxnOffsetCommitRequest request;
    request.transactional_id = id_;
    request.group_id = "g";
    request.producer_id = producer.id;
    request.producer_epoch = producer.epoch;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    asked.partitions.push_back({.partition_index = 0, .committed_offset = offset});
    return ask_patiently<protocol::TxnOffsetCommitResponse>(*broker_, request, version)
        .topics.at(0)
        .partitions.at(0)
        .error_code;
  }

  protocol::EndTxnRequest end_request(bool commit) const {
    protocol::EndTxnRequest request;
    request.transactional_id = id_;
    request.producer_id = producer.id;
    request.producer_epoch = producer.epoch;
    request.committed = commit;
    return request;
  }
  protocol::ErrorCode end(bool commit, std::int16_t version = 3) {
    return ask_patiently<protocol::EndTxnResponse>(*broker_, end_request(commit), version).error_code;
  }

  core::ProducerIdentity producer;
  std::int64_t last_offset = -1;  // of the record that was produced last; -1: it was refused

 private:
  TestBroker* broker_;
  std::string id_;
  std::map<std::pair<std::string, std::int32_t>, std::int32_t> sequences_;
};

inline protocol::FetchResponse::Topic::Partition fetch_committed(TestBroker& broker, const std::string& topic,
                                                                 std::int32_t partition) {
  auto request = fetch_request(topic, partition, 0);
  request.isolation_level = 1;
  return broker.ask<protocol::FetchResponse>(request, 11).responses.at(0).partitions.at(0);
}

// The offsets of the records that a consumer with isolation.level=read_committed gets.
inline std::vector<std::int64_t> committed_in(TestBroker& broker, const std::string& topic, std::int32_t partition) {
  const auto fetched = fetch_committed(broker, topic, partition);
  EXPECT_EQ(fetched.error_code, protocol::ErrorCode::none);
  std::vector<std::pair<std::int64_t, std::int64_t>> aborted;
  EXPECT_TRUE(fetched.aborted_transactions);
  if (fetched.aborted_transactions) {
    for (const auto& one : *fetched.aborted_transactions) aborted.emplace_back(one.producer_id, one.first_offset);
  }
  return consume_committed(fetched.records->bytes, std::move(aborted), 0).offsets;
}

// Whether readers of what was committed wait for the end of a transaction.
inline bool has_open_transaction(TestBroker& broker, const std::string& topic, std::int32_t partition) {
  const auto fetched = fetch_committed(broker, topic, partition);
  return fetched.last_stable_offset < fetched.high_watermark;
}

inline protocol::DescribeTransactionsResponse::Transaction describe_transaction(TestBroker& broker,
                                                                                const std::string& id = "tx") {
  protocol::DescribeTransactionsRequest request;
  request.transactional_ids = {id};
  return ask_patiently<protocol::DescribeTransactionsResponse>(broker, request, 0).transaction_states.at(0);
}

inline std::vector<std::string> list_transactions(TestBroker& broker,
                                                  const protocol::ListTransactionsRequest& request = {}) {
  std::vector<std::string> ids;
  const auto answer = ask_patiently<protocol::ListTransactionsResponse>(broker, request, 1);
  EXPECT_EQ(answer.error_code, protocol::ErrorCode::none);
  for (const auto& transaction : answer.transaction_states) ids.push_back(transaction.transactional_id);
  return ids;
}

}  // namespace iolab::test
