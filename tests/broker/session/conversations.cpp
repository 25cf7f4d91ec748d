#include "tests/broker/session/conversations.h"

#include <algorithm>
#include <functional>

#include "broker/protocol/messages/02_list_offsets.h"
#include "broker/protocol/messages/03_metadata.h"
#include "broker/protocol/messages/18_api_versions.h"
#include "broker/protocol/messages/20_delete_topics.h"
#include "broker/protocol/messages/22_init_producer_id.h"
#include "broker/protocol/messages/32_describe_configs.h"
#include "broker/protocol/messages/37_create_partitions.h"
#include "broker/protocol/messages/60_describe_cluster.h"

namespace iolab::test {
namespace {

class Writer {
 public:
  explicit Writer(std::uint64_t seed) : random_(seed) {}

  std::vector<Frame> write(int count) {
    std::vector<Frame> all;
    for (int i = 0; i < count; ++i) {
      begin();
      const std::uint64_t requests = 1 + below(25);
      for (std::uint64_t j = 0; j < requests; ++j) any_request();
      if (below(2) == 0) any_fault();
      all.push_back(std::move(bytes_));
    }
    return all;
  }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  bool one_in(std::uint64_t how_many) { return below(how_many) == 0; }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  std::string topic() { return one_of<std::string>({"a", "b", "c", "auto", "nowhere", "../x"}); }
  std::int32_t partition() { return static_cast<std::int32_t>(below(4)); }
  std::int16_t version(const protocol::Api& api) {
    return static_cast<std::int16_t>(
        api.first + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(api.last - api.first) + 1)));
  }

  void put(const Frame& frame) { bytes_.insert(bytes_.end(), frame.begin(), frame.end()); }
  template <protocol::Struct M>
  void ask(const M& message) {
    put(request_frame(message, version(M::kApi), static_cast<std::int32_t>(++correlation_)));
  }

  void begin() {
    bytes_.clear();
    protocol::ApiVersionsRequest hello{"test", "1"};
    ask(hello);
  }

  Frame batch() {
    protocol::BatchBuilder::Settings settings;
    settings.compression = one_of<protocol::Compression>({protocol::Compression::none, protocol::Compression::none,
                                                          protocol::Compression::gzip, protocol::Compression::snappy,
                                                          protocol::Compression::lz4, protocol::Compression::zstd});
    if (one_in(2)) {
      settings.producer_id = static_cast<std::int64_t>(1 + below(3));
      settings.producer_epoch = static_cast<std::int16_t>(below(2));
      settings.base_sequence = static_cast<std::int32_t>(below(12));
    }
    Frame batch = make_batch({.records = static_cast<int>(1 + below(6)),
                              .value_bytes = one_in(10) ? below(90'000) : below(600),
                              .timestamp_ms = static_cast<std::int64_t>(1'600'000'000'000 + below(1'000'000)),
                              .builder = settings});
    if (one_in(12)) batch[below(batch.size())] ^= std::byte{0x40};
    return batch;
  }

  void produce(bool acknowledged) {
    protocol::ProduceRequest request;
    request.acks = acknowledged ? static_cast<std::int16_t>(one_in(2) ? 1 : -1) : std::int16_t{0};
    std::vector<Frame> batches;
    batches.reserve(4);
    for (std::uint64_t topics = 1 + below(2); topics > 0; --topics) {
      auto& data = request.topic_data.emplace_back();
      data.name = topic();
      for (std::uint64_t partitions = 1 + below(2); partitions > 0; --partitions) {
        batches.push_back(batch());
        data.partition_data.push_back(
            {.index = partition(), .records = protocol::Records(base::Bytes(batches.back()))});
      }
    }
    ask(request);
  }

  void fetch() {
    protocol::FetchRequest request;
    request.min_bytes = one_in(2) ? 0 : 1;
    request.max_wait_ms = request.min_bytes == 0 ? 500 : 0;  // it may wait, but there is nothing to wait for
    request.max_bytes = static_cast<std::int32_t>(one_in(3) ? below(5000) : 1 << 20);
    request.isolation_level = static_cast<std::int8_t>(below(2));
    for (std::uint64_t topics = 1 + below(2); topics > 0; --topics) {
      auto& data = request.topics.emplace_back();
      data.topic = topic();
      for (std::uint64_t partitions = 1 + below(3); partitions > 0; --partitions) {
        data.partitions.push_back(
            {.partition = partition(),
             .fetch_offset = static_cast<std::int64_t>(below(40)),
             .partition_max_bytes = static_cast<std::int32_t>(one_in(3) ? below(3000) : 1 << 20)});
      }
    }
    ask(request);
  }

  void change_topics() {
    if (one_in(6)) {
      protocol::DeleteTopicsRequest request;
      const std::string name = topic();
      request.topic_names = {name};
      put(request_frame(request, 5, static_cast<std::int32_t>(++correlation_)));
    } else if (one_in(3)) {
      protocol::CreatePartitionsRequest request;
      request.topics.push_back(
          {.name = topic(), .count = static_cast<std::int32_t>(1 + below(5)), .assignments = std::nullopt});
      ask(request);
    } else {
      protocol::CreateTopicsRequest request;
      auto& created = request.topics.emplace_back();
      created.name = topic();
      created.num_partitions = static_cast<std::int32_t>(below(4));
      created.replication_factor = static_cast<std::int16_t>(one_in(8) ? 3 : 1);
      created.configs.push_back({.name = one_in(9) ? "wrong" : "segment.bytes", .value = "20000"});
      ask(request);
    }
  }

  void look_around() {
    switch (below(5)) {
      case 0: {
        protocol::MetadataRequest request;
        if (one_in(2)) request.topics->push_back({.name = topic()});
        return ask(request);
      }
      case 1: {
        protocol::ListOffsetsRequest request;
        auto& data = request.topics.emplace_back();
        data.name = topic();
        data.partitions.push_back(
            {.partition_index = partition(), .timestamp = static_cast<std::int64_t>(below(4)) - 3});
        data.partitions.push_back({.partition_index = partition(),
                                   .timestamp = static_cast<std::int64_t>(1'600'000'000'000 + below(1'000'000))});
        return ask(request);
      }
      case 2: {
        protocol::DescribeConfigsRequest request;
        request.resources.push_back({.resource_type = 2, .resource_name = topic(), .configuration_keys = std::nullopt});
        return ask(request);
      }
      case 3: return ask(protocol::DescribeClusterRequest{});
      default: return ask(protocol::InitProducerIdRequest{.transactional_id = std::nullopt});
    }
  }

  void any_request() {
    switch (below(8)) {
      case 0: return change_topics();
      case 1: return look_around();
      case 2:
      case 3: return fetch();
      default: return produce(true);
    }
  }

  // Ends the connection. Nothing follows it.
  void any_fault() {
    const auto raw = [&](std::initializer_list<int> values) {
      for (int value : values) bytes_.push_back(static_cast<std::byte>(value));
    };
    switch (below(8)) {
      case 0: return raw({0xff, 0xff, 0xff, 0xff});                            // a negative length
      case 1: return raw({0x7f, 0xff, 0xff, 0xff});                            // over the limit
      case 2: return raw({0, 0, 0, 0});                                        // an empty frame
      case 3: return raw({0, 0, 0, 3, 0, 18, 0});                              // half a header
      case 4: return raw({0, 0, 0, 10, 0, 99, 0, 0, 0, 0, 0, 1, 0xff, 0xff});  // an unknown API
      case 5: return raw({0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff});  // an unknown version
      case 6: return raw({0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff});  // 2^31-1 topics
      default: return raw({0, 0, 1, 0, 0, 18});                                                       // half a frame
    }
  }

  std::mt19937_64 random_;
  Frame bytes_;
  std::uint64_t correlation_ = 0;
};

}  // namespace

std::vector<Frame> make_conversations(std::uint64_t seed, int count) {
  return Writer(seed).write(count);
}

}  // namespace iolab::test
