// A broker on a temporary directory, without sockets and threads: its clock, its random source and its flusher are in
// the test's hands. Requests go in as frames and answers come out as frames, through the same dispatch as in service.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "broker/core/broker.h"
#include "broker/handlers/dispatch.h"
#include "broker/protocol/batch_builder.h"
#include "broker/protocol/frame.h"
#include "broker/protocol/messages/00_produce.h"
#include "broker/protocol/messages/01_fetch.h"
#include "broker/protocol/messages/19_create_topics.h"

namespace iolab::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "iolab-broker-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Stands still until a test moves it.
class ManualClock final : public core::Clock {
 public:
  core::Moment now() override { return {wall_ms.load(), steady_ms.load()}; }
  void advance(std::int64_t milliseconds) {
    wall_ms += milliseconds;
    steady_ms += milliseconds;
  }
  std::atomic<std::int64_t> wall_ms = 1'700'000'000'000;
  std::atomic<std::int64_t> steady_ms = 1'000'000;
};

class SeededRandom final : public core::RandomSource {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : random_(seed) {}
  std::uint64_t next() override {
    const std::scoped_lock lock(mutex_);
    return random_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 random_;
};

class CountingSleeper final : public core::Sleeper {
 public:
  void wake() override { ++rings; }
  std::atomic<int> rings = 0;
};

inline core::BrokerSettings settings_at(const std::filesystem::path& directory, const core::Overrides& overrides = {}) {
  core::BrokerSettings settings = core::default_settings();
  const auto set = [&](std::string_view name, std::string_view value) {
    const auto done = core::set_property(settings, name, value);
    EXPECT_TRUE(done) << done.error();
  };
  set("log.dirs", directory.string());
  for (const auto& [name, value] : overrides) set(name, value);
  const auto done = core::settle(settings);
  EXPECT_TRUE(done) << done.error();
  return settings;
}

using Frame = std::vector<std::byte>;

template <protocol::Struct M>
Frame request_frame(const M& message, std::int16_t version, std::int32_t correlation_id = 7) {
  base::GatherBuffer out;
  EXPECT_TRUE(protocol::write_request(out, correlation_id, version, "test", message));
  return out.flat();
}

inline base::Bytes without_size(const Frame& frame) {
  return base::Bytes(frame).subspan(protocol::kFrameSizeBytes);
}

// One request on its way.
struct Asked {
  Frame frame;
  handlers::Outcome outcome;
  base::GatherBuffer out;
};

class TestBroker {
 public:
  explicit TestBroker(const core::Overrides& overrides = {}, storage::FileHooks hooks = {})
      : overrides_(overrides), hooks_(hooks) {
    open();
  }

  core::Broker& operator*() { return *broker_; }
  core::Broker* operator->() { return broker_.get(); }
  const std::filesystem::path& directory() const { return directory_.path(); }

  // Without a clean stop, as a crash of the process.
  void crash_and_reopen() {
    broker_.reset();
    open();
  }
  void close_and_reopen() {
    EXPECT_TRUE(broker_->close());
    crash_and_reopen();
  }

  template <protocol::Struct M>
  Asked send(const M& message, std::int16_t version) {
    Asked asked{request_frame(message, version), {}, {}};
    core::Wakeups wakeups;
    asked.outcome = handlers::dispatch(without_size(asked.frame), *broker_, clock.now(), sleeper, wakeups, asked.out);
    return asked;
  }

  // Tries to finish a parked request. True: its answer is there.
  bool resume(Asked& asked) {
    if (asked.outcome.kind == handlers::Outcome::Kind::answered) return true;
    if (asked.outcome.kind != handlers::Outcome::Kind::parked) return false;
    const auto progress = asked.outcome.parked->resume(clock.now(), asked.out);
    if (progress != handlers::Parked::Progress::answered) return false;
    asked.outcome = handlers::answered();
    return true;
  }

  template <protocol::Struct Response>
  static Response answer_of(const Asked& asked, std::int16_t version) {
    EXPECT_EQ(asked.outcome.kind, handlers::Outcome::Kind::answered) << "there is no answer to read";
    const Frame frame = asked.out.flat();
    if (frame.size() < protocol::kFrameSizeBytes) return {};
    const auto response = protocol::read_response<Response>(without_size(frame), version);
    EXPECT_TRUE(response) << response.error().sentence();
    if (!response) return {};
    EXPECT_EQ(response->correlation_id, 7);
    Response message = response->message;
    keep(message, frame);
    return message;
  }

  // The answer, after whatever disk work it takes; a test that expects to wait for data uses send() and resume().
  template <protocol::Struct Response, protocol::Struct M>
  Response ask(const M& message, std::int16_t version) {
    Asked asked = send(message, version);
    if (asked.outcome.kind == handlers::Outcome::Kind::parked) {
      broker_->run_flushes(clock.now());
      resume(asked);
    }
    return answer_of<Response>(asked, version);
  }

  void create(const std::string& topic, std::int32_t partitions = 1, const core::Overrides& overrides = {}) {
    const auto done = broker_->create_topic({topic, partitions, -1, overrides}, false, clock.now());
    EXPECT_TRUE(done) << done.error().message;
  }

  ManualClock clock;
  std::shared_ptr<CountingSleeper> counting = std::make_shared<CountingSleeper>();
  core::Wakeup sleeper = counting;

 private:
  // Records in a response are views into its frame.
  static void keep(protocol::FetchResponse& response, const Frame& frame) {
    const auto owner = std::make_shared<Frame>(frame);
    for (auto& topic : response.responses) {
      for (auto& partition : topic.partitions) {
        if (!partition.records) continue;
        auto copy = std::make_shared<Frame>(partition.records->bytes.begin(), partition.records->bytes.end());
        const base::Bytes view = *copy;
        partition.records.emplace(view, std::move(copy));
      }
    }
  }
  static void keep(auto&, const Frame&) {}

  void open() {
    auto opened = core::Broker::open(settings_at(directory_.path(), overrides_), random_, clock.now(), hooks_);
    ASSERT_TRUE(opened) << opened.error();
    broker_ = std::move(*opened);
    broker_->set_endpoint({"127.0.0.1", 9092});
  }

  TemporaryDirectory directory_;
  core::Overrides overrides_;
  storage::FileHooks hooks_;
  SeededRandom random_;
  std::unique_ptr<core::Broker> broker_;
};

struct BatchOptions {
  int records = 1;
  std::size_t value_bytes = 16;
  std::int64_t timestamp_ms = 1'700'000'000'000;
  protocol::BatchBuilder::Settings builder = {};
};

inline Frame make_batch(const BatchOptions& options = {}) {
  protocol::BatchBuilder builder(options.builder);
  for (int i = 0; i < options.records; ++i) {
    std::string value = std::to_string(i) + ":";
    value.resize(std::max(value.size(), options.value_bytes), 'x');
    builder.add({.timestamp_ms = options.timestamp_ms + i, .key = {}, .value = base::as_bytes(value), .headers = {}});
  }
  return builder.finish();
}

inline protocol::ProduceRequest produce_request(const std::string& topic, std::int32_t partition, const Frame& batch,
                                                std::int16_t acks = -1) {
  protocol::ProduceRequest request;
  request.acks = acks;
  request.timeout_ms = 1000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  data.partition_data.push_back({.index = partition, .records = protocol::Records(base::Bytes(batch))});
  return request;
}

inline protocol::FetchRequest fetch_request(const std::string& topic, std::int32_t partition, std::int64_t offset,
                                            std::int32_t max_wait_ms = 0, std::int32_t min_bytes = 1) {
  protocol::FetchRequest request;
  request.max_wait_ms = max_wait_ms;
  request.min_bytes = min_bytes;
  auto& asked = request.topics.emplace_back();
  asked.topic = topic;
  asked.partitions.push_back({.partition = partition, .fetch_offset = offset, .partition_max_bytes = 1 << 20});
  return request;
}

}  // namespace iolab::test
