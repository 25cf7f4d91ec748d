// The commands, and the load generator, against the broker of this project: processes that talk over loopback.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "clients/load.h"
#include "clients/topic_calls.h"
#include "tests/clients/iolab_process.h"

namespace iolab::clients {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& text) {
    path_ = (std::filesystem::temp_directory_path() / "iolab-properties-XXXXXX").string();
    const io::Fd made(::mkstemp(path_.data()));
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(EndToEnd, TopicsAreCreatedListedDescribedAlteredAndDeleted) {
  SCOPED_TRACE("a topic command does something else than it says, or ends with the wrong code");
  const BrokerProcess broker;
  const auto topics = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"topics", "--bootstrap-server", broker.bootstrap()});
    return run_iolab(arguments);
  };
  const auto created = topics({"--create", "--topic", "one", "--partitions", "2", "--config", "retention.ms=99",
                               "--config", "segment.bytes=65536"});
  EXPECT_EQ(created.exit_code, 0) << created.err;
  EXPECT_EQ(created.out, "Created topic one.\n");
  EXPECT_EQ(topics({"--create", "--topic", "two"}).exit_code, 0);
  EXPECT_EQ(topics({"--list"}).out, "one\ntwo\n");

  const auto twice = topics({"--create", "--topic", "one"});
  EXPECT_EQ(twice.exit_code, 4);
  EXPECT_NE(twice.err.find("there already"), std::string::npos) << twice.err;
  EXPECT_EQ(topics({"--create", "--topic", "one", "--if-not-exists"}).exit_code, 0);

  const auto described = topics({"--describe", "--topic", "one"});
  EXPECT_TRUE(std::regex_search(described.out, std::regex("Topic: one\tTopicId: [0-9a-f]{32}\tPartitionCount: 2\t"
                                                          "ReplicationFactor: 1\tConfigs: .*retention.ms=99")))
      << described.out;
  EXPECT_NE(described.out.find("segment.bytes=65536"), std::string::npos) << described.out;
  EXPECT_EQ(lines_of(described.out).size(), 3u) << described.out;
  EXPECT_NE(topics({"--describe"}).out.find("Topic: two\tPartition: 2\t"), std::string::npos);  // num.partitions=3

  EXPECT_EQ(topics({"--alter", "--topic", "one", "--partitions", "5"}).exit_code, 0);
  EXPECT_NE(topics({"--describe", "--topic", "one"}).out.find("PartitionCount: 5"), std::string::npos);

  EXPECT_EQ(topics({"--delete", "--topic", "one"}).exit_code, 0);
  EXPECT_EQ(topics({"--list"}).out, "two\n");
  const auto gone = topics({"--delete", "--topic", "one"});
  EXPECT_EQ(gone.exit_code, 4);
  EXPECT_NE(gone.err.find("UNKNOWN_TOPIC_OR_PARTITION"), std::string::npos) << gone.err;
  EXPECT_EQ(topics({"--delete", "--topic", "one", "--if-exists"}).exit_code, 0);

  EXPECT_EQ(topics({"--create", "--topic", "../x"}).exit_code, 4);
  EXPECT_EQ(topics({"--create", "--list", "--topic", "x"}).exit_code, 2);
  EXPECT_EQ(topics({"--create"}).exit_code, 2);
  EXPECT_EQ(topics({"--create", "--topic", "x", "--config", "nonsense"}).exit_code, 2);
}

TEST(EndToEnd, LinesComeBackWithTheirKeysInEveryCodec) {
  SCOPED_TRACE("a record is lost, changed, doubled, or separated from its key");
  const BrokerProcess broker;
  std::string input;
  std::multiset<std::string> sent;
  for (int i = 0; i < 5000; ++i) {
    const auto line = "key" + std::to_string(i % 37) + ":value number " + std::to_string(i) + std::string(i % 50, '.');
    input += line + "\n";
    sent.insert(line);
  }
  for (const std::string codec : {"none", "gzip", "snappy", "lz4", "zstd"}) {
    const auto produced =
        run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", codec, "--property",
                   "parse.key=true", "--property", "key.separator=:", "--compression-codec", codec},
                  input);
    ASSERT_EQ(produced.exit_code, 0) << produced.err;
    const auto consumed =
        run_iolab({"consume", "--bootstrap-server", broker.bootstrap(), "--topic", codec, "--from-beginning",
                   "--max-messages", "5000", "--property", "print.key=true", "--property", "key.separator=:"});
    EXPECT_EQ(consumed.exit_code, 0) << consumed.err;
    const auto lines = lines_of(consumed.out);
    EXPECT_EQ(std::multiset<std::string>(lines.begin(), lines.end()), sent) << codec;
    EXPECT_NE(consumed.err.find("Processed a total of 5000 messages"), std::string::npos) << consumed.err;
  }
}

TEST(EndToEnd, RecordsOfOneKeyStayTogetherAndInOrder) {
  SCOPED_TRACE("a key is spread over partitions, or its records change places");
  const BrokerProcess broker;
  std::string input;
  for (int i = 0; i < 300; ++i) input += "k" + std::to_string(i % 3) + "\t" + std::to_string(i) + "\n";
  ASSERT_EQ(run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", "keys", "--property",
                       "parse.key=true", "--producer-property", "batch.size=500"},
                      input)
                .exit_code,
            0);
  std::set<std::string> keys;
  for (const std::string partition : {"0", "1", "2"}) {
    const auto consumed = run_iolab({"consume", "--bootstrap-server", broker.bootstrap(), "--topic", "keys",
                                     "--partition", partition, "--offset", "earliest", "--timeout-ms", "0",
                                     "--property", "print.key=true", "--property", "key.separator=:"});
    EXPECT_EQ(consumed.exit_code, 0) << consumed.err;
    std::map<std::string, int> last;
    for (const auto& line : lines_of(consumed.out)) {
      const auto key = line.substr(0, line.find(':'));
      const int value = std::stoi(line.substr(line.find(':') + 1));
      EXPECT_TRUE(!last.contains(key) || last[key] < value) << line;
      last[key] = value;
    }
    for (const auto& [key, value] : last) EXPECT_TRUE(keys.insert(key).second) << key << " is in two partitions";
  }
  EXPECT_EQ(keys.size(), 3u);
}

TEST(EndToEnd, ALineWithoutAKeyIsNamedAndWhatCameBeforeIsKept) {
  SCOPED_TRACE("a bad line is sent as something else, or takes good ones with it");
  const BrokerProcess broker;
  const auto produced = run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", "lines",
                                   "--property", "parse.key=true", "--property", "key.separator=:"},
                                  "a:1\nb:2\nno key here\nc:3\n");
  EXPECT_EQ(produced.exit_code, 4);
  EXPECT_NE(produced.err.find("line 3"), std::string::npos) << produced.err;
  const auto consumed = run_iolab({"consume", "--bootstrap-server", broker.bootstrap(), "--topic", "lines",
                                   "--from-beginning", "--max-messages", "2"});
  auto lines = lines_of(consumed.out);
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (std::vector<std::string>{"1", "2"}));
}

TEST(EndToEnd, CtrlCEndsAConsumerWithWhatItHadRead) {
  SCOPED_TRACE("Ctrl-C loses output, hangs, or ends with a code that scripts take for success");
  const BrokerProcess broker;
  ASSERT_EQ(run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", "t"}, "hello\n").exit_code, 0);
  IolabProcess consumer({"consume", "--bootstrap-server", broker.bootstrap(), "--topic", "t", "--from-beginning"});
  EXPECT_EQ(consumer.line(), "hello");
  consumer.signal(SIGINT);
  const auto end = consumer.wait();
  EXPECT_EQ(end.exit_code, 130);
}

TEST(EndToEnd, PerfPrintsTheLinesOfKafkasTools) {
  SCOPED_TRACE("scripts that read the output of Kafka's perf tools cannot read ours");
  const BrokerProcess broker;
  const auto produced = run_iolab({"perf", "produce", "--topic", "perf", "--num-records", "20000", "--record-size",
                                   "100", "--throughput", "-1", "--producer-props", "acks=1", "batch.size=8192",
                                   "linger.ms=1", "bootstrap.servers=" + broker.bootstrap()});
  EXPECT_EQ(produced.exit_code, 0) << produced.err;
  EXPECT_TRUE(std::regex_search(
      produced.out, std::regex(R"(20000 records sent, [0-9.]+ records/sec \([0-9.]+ MB/sec\), [0-9.]+ ms avg latency, )"
                               R"([0-9.]+ ms max latency, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99.9th\.)")))
      << produced.out;
  const auto consumed = run_iolab(
      {"perf", "consume", "--bootstrap-server", broker.bootstrap(), "--topic", "perf", "--messages", "20000"});
  EXPECT_EQ(consumed.exit_code, 0) << consumed.err;
  const auto lines = lines_of(consumed.out);
  ASSERT_EQ(lines.size(), 2u) << consumed.out;
  EXPECT_EQ(lines[0],
            "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, "
            "rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec");
  // 20,000 values of 100 bytes are 1.9073 MB of 1,048,576.
  EXPECT_TRUE(std::regex_match(
      lines[1], std::regex(R"((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d:\d{3}, ){2}1\.9073, [0-9.]+, 20000, [0-9.]+, 0, \d+, )"
                           R"([0-9.]+, [0-9.]+)")))
      << lines[1];
}

TEST(EndToEnd, PerfTakesTheFlagsOfPastedCommands) {
  SCOPED_TRACE("a command line for Kafka's perf tools is refused, or its settings are ignored");
  const BrokerProcess broker;
  const TemporaryFile config("# as pasted\n\nbootstrap.servers=" + broker.bootstrap() + "\nclient.id=pasted\nacks=1\n");
  const auto produced =
      run_iolab({"perf", "produce", "--topic", "pasted", "--num-records", "100", "--payload-monotonic", "--throughput",
                 "-1", "--producer.config", config.path(), "--print-metrics"});
  EXPECT_EQ(produced.exit_code, 0) << produced.err;
  EXPECT_TRUE(std::regex_search(produced.out, std::regex(R"(record-send-total:\{client-id=pasted\} +: 100\.000)")))
      << produced.out;
  const auto consumed = run_iolab({"perf", "consume", "--bootstrap-server", broker.bootstrap(), "--topic", "pasted",
                                   "--messages", "100", "--group", "g", "--threads", "1", "--print-metrics"});
  EXPECT_EQ(consumed.exit_code, 0) << consumed.err;
  EXPECT_TRUE(std::regex_search(consumed.out, std::regex(R"(bytes-consumed-total:.* : 190\.000)"))) << consumed.out;
  EXPECT_EQ(run_iolab({"perf", "produce", "--topic", "x", "--num-records", "1", "--payload-monotonic",
                       "--command-config", "/nowhere"})
                .exit_code,
            2);
}

TEST(EndToEnd, PerfKeepsToItsRateAndItsWarmUp) {
  SCOPED_TRACE("--throughput is ignored, or records of the warm-up are in the summary");
  const BrokerProcess broker;
  const auto summary = [&](const std::string& warmup) {
    const auto produced = run_iolab({"perf", "produce", "--bootstrap-server", broker.bootstrap(), "--topic", "slow",
                                     "--num-records", "400", "--record-size", "10", "--throughput", "1000",
                                     "--warmup-records", warmup, "--producer-props", "acks=1"});
    EXPECT_EQ(produced.exit_code, 0) << produced.err;
    std::smatch match;
    EXPECT_TRUE(std::regex_search(produced.out, match, std::regex(R"((\d+) records sent, ([0-9.]+) records/sec)")))
        << produced.out;
    return std::pair(std::stoi(match[1]), std::stod(match[2]));
  };
  const auto [all, rate] = summary("0");
  EXPECT_EQ(all, 400);
  EXPECT_LT(rate, 1010);  // slower is possible on a busy machine, faster is not
  const auto [after_warmup, any_rate] = summary("300");
  EXPECT_EQ(after_warmup, 100);
}

TEST(EndToEnd, WhatIsWrongIsOneSentenceAndACode) {
  SCOPED_TRACE("a user who mistypes gets a stack trace, a hang, or success");
  const auto nobody = run_iolab({"topics", "--bootstrap-server", "127.0.0.1:1", "--list"});
  EXPECT_EQ(nobody.exit_code, 4);
  EXPECT_NE(nobody.err.find("127.0.0.1:1"), std::string::npos) << nobody.err;
  for (const auto* nonsense : {"nonsense", "127.0.0.1", "127.0.0.1:0", ":9092"}) {
    const auto malformed = run_iolab({"topics", "--bootstrap-server", nonsense, "--list"});
    EXPECT_EQ(malformed.exit_code, 2) << nonsense;
    EXPECT_NE(malformed.err.find("write HOST:PORT"), std::string::npos) << malformed.err;
  }
  const BrokerProcess broker;
  const auto unknown =
      run_iolab({"consume", "--bootstrap-server", broker.bootstrap(), "--topic", "never", "--from-beginning"});
  EXPECT_EQ(unknown.exit_code, 4);
  EXPECT_NE(unknown.err.find("UNKNOWN_TOPIC_OR_PARTITION"), std::string::npos) << unknown.err;
  const auto property =
      run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", "x", "--property", "parse.keys=true"});
  EXPECT_EQ(property.exit_code, 2);
  EXPECT_NE(property.err.find("parse.key"), std::string::npos) << property.err;
  EXPECT_EQ(run_iolab({"perf", "produce", "--topic", "x", "--num-records", "1", "--record-size", "1",
                       "--producer-props", "acks=7"})
                .exit_code,
            2);
}

// --- the load generator
// -----------------------------------------------------------------------------------------------

LoadSpec short_load(const BrokerProcess& broker, LoadKind kind) {
  LoadSpec spec;
  spec.target = broker.address;
  spec.kind = kind;
  spec.connections = 3;
  spec.idle_connections = 5;
  spec.in_flight = 2;
  spec.partitions = 2;
  spec.records_per_batch = 7;
  spec.prefill_bytes = 200'000;
  spec.fetch_max_bytes = 20'000;
  spec.warmup = std::chrono::milliseconds(20);
  spec.measure = std::chrono::milliseconds(150);
  return spec;
}

TEST(EndToEnd, AProduceLoadIsVerifiedDownToTheEndOfTheLog) {
  SCOPED_TRACE("a sound broker fails the verification, or the verification was left out");
  const BrokerProcess broker;
  for (const int acks : {1, -1}) {
    auto spec = short_load(broker, LoadKind::produce);
    spec.acks = acks;
    spec.record_bytes = acks == 1 ? 50 : 3000;  // in one piece with its head, and apart from it
    const auto result = run_load(spec);
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->errors_total(), 0u) << result->note;
    EXPECT_TRUE(result->end_offsets_checked) << result->note;
    EXPECT_GT(result->requests, 0u);
    EXPECT_EQ(result->records, result->requests * 7);
    EXPECT_GE(result->acknowledged_records, result->records);
  }
}

TEST(EndToEnd, ALogThatGrowsByMoreThanWasAcknowledgedIsNoticed) {
  SCOPED_TRACE("records appended twice, or by nobody knows whom, pass as delivered once");
  const BrokerProcess broker;
  auto spec = short_load(broker, LoadKind::produce);
  LoadEvents events;
  events.on_window_end = [&] {
    ASSERT_EQ(
        run_iolab({"produce", "--bootstrap-server", broker.bootstrap(), "--topic", spec.topic}, "stray\n").exit_code,
        0);
  };
  const auto result = run_load(spec, events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_FALSE(result->end_offsets_checked);
  EXPECT_GT(result->errors[static_cast<std::size_t>(LoadError::wrong_offset)], 0u);
}

TEST(EndToEnd, AFetchLoadComparesEveryByteWithWhatWasProduced) {
  SCOPED_TRACE("a sound broker fails the comparison, or readers do not get through the log");
  const BrokerProcess broker;
  for (const std::string codec : {"none", "lz4"}) {
    auto spec = short_load(broker, LoadKind::fetch);
    spec.topic = codec;
    spec.codec = codec;
    const auto result = run_load(spec);
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->errors_total(), 0u) << result->note;
    EXPECT_GT(result->requests, 0u);
    EXPECT_GT(result->payload_bytes, result->requests);
  }
}

TEST(EndToEnd, AFetchLoadRefusesATopicWithOtherContent) {
  SCOPED_TRACE("a fetch load measures somebody else's records and calls them verified");
  const BrokerProcess broker;
  auto spec = short_load(broker, LoadKind::fetch);
  ASSERT_TRUE(run_load(spec));
  spec.seed = 2;
  const auto other = run_load(spec);
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().find("something else"), std::string::npos) << other.error();
}

}  // namespace
}  // namespace iolab::clients
