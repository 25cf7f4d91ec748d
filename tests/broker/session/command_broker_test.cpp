// `iolab broker` as a process: a failure here means that a user is not told what is wrong, that a script cannot rely on
// the first line or the exit code, or that a stop loses something.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "broker/protocol/messages/18_api_versions.h"
#include "experiments/command.h"
#include "io_models/counters.h"
#include "tests/broker/session/served_broker.h"

namespace iolab::test {
namespace {

using ::testing::HasSubstr;

constexpr auto kDeadline = std::chrono::seconds(60);

class Process {
 public:
  explicit Process(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {IOLAB_BINARY, "broker"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int out[2];
    int err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    if (::posix_spawn(&pid_, IOLAB_BINARY, &actions, nullptr, argv.data(), environ) != 0) {
      throw std::runtime_error("cannot start " IOLAB_BINARY);
    }
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    ::close(err[1]);
    out_ = io::Fd(out[0]);
    err_ = io::Fd(err[0]);
  }
  ~Process() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Up to the end of the first line.
  std::string first_line() {
    std::string line;
    for (char c = 0; c != '\n' && read_some(out_, &c, 1) == 1;) line += c;
    return line;
  }
  io::Address address() {
    const std::string line = first_line();
    EXPECT_THAT(line, ::testing::MatchesRegex("listening PLAINTEXT://127\\.0\\.0\\.1:[0-9]+\n"));
    return {"127.0.0.1", static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)))};
  }
  void signal(int number) const { ::kill(pid_, number); }
  bool holds_a_lock() const {
    std::ifstream locks("/proc/locks");
    const std::string held = "FLOCK  ADVISORY  WRITE " + std::to_string(pid_) + " ";
    const std::string all{std::istreambuf_iterator<char>(locks), {}};
    return all.find(held) != std::string::npos;
  }

  struct Ended {
    int code = -1;      // if it ended by itself
    int by_signal = 0;  // else
    std::string errors;
  };
  Ended wait() {
    Ended ended;
    char room[4096];
    for (ssize_t got; (got = read_some(err_, room, sizeof room)) > 0;)
      ended.errors.append(room, static_cast<std::size_t>(got));
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_ && WIFEXITED(status)) ended.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ended.by_signal = WTERMSIG(status);
    pid_ = -1;
    return ended;
  }

 private:
  static ssize_t read_some(const io::Fd& from, char* room, std::size_t bytes) {
    pollfd entry{from.get(), POLLIN, 0};
    if (::poll(&entry, 1, std::chrono::duration_cast<std::chrono::milliseconds>(kDeadline).count()) <= 0) {
      ADD_FAILURE() << "the broker said nothing and did not end within the deadline";
      return 0;
    }
    return ::read(from.get(), room, bytes);
  }

  pid_t pid_ = -1;
  io::Fd out_;
  io::Fd err_;
};

class Command : public testing::Test {
 protected:
  std::vector<std::string> on_any_port(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--listeners", "PLAINTEXT://127.0.0.1:0", "--log-dirs", data().string()});
    return more;
  }
  Process::Ended refused(std::vector<std::string> arguments) { return Process(std::move(arguments)).wait(); }
  std::filesystem::path data() const { return directory_.path() / "data"; }
  std::filesystem::path file(const std::string& name, const std::string& content) const {
    std::ofstream(directory_.path() / name) << content;
    return directory_.path() / name;
  }
  const TemporaryDirectory directory_;
};

TEST_F(Command, ServesUntilToldToStopAndStopsCleanly) {
  // Fails if SIGTERM loses something, waits for a long poll, or leaves a directory that has to be checked.
  for (const int number : {SIGTERM, SIGINT}) {
    Process broker(on_any_port());
    const io::Address address = broker.address();
    Client client(address);
    const auto versions = client.ask<protocol::ApiVersionsResponse>(protocol::ApiVersionsRequest{"test", "1"}, 3);
    EXPECT_FALSE(versions.api_keys.empty());
    protocol::CreateTopicsRequest create;
    create.topics.push_back(
        {.name = "t", .num_partitions = 1, .replication_factor = 1, .assignments = {}, .configs = {}});
    (void)client.ask<protocol::CreateTopicsResponse>(create, 5);
    const Frame batch = make_batch();
    const auto answer = client.ask<protocol::ProduceResponse>(produce_request("t", 0, batch), 9);
    const std::int64_t offset = answer.responses.at(0).partition_responses.at(0).base_offset;
    EXPECT_EQ(offset, number == SIGTERM ? 0 : 1) << "what was acknowledged before the stop is gone";
    ASSERT_TRUE(client.send(request_frame(fetch_request("t", 0, offset + 1, 100'000'000), 11)));
    broker.signal(number);
    EXPECT_EQ(broker.wait().code, kOk);
    EXPECT_TRUE(client.receive().empty());
    EXPECT_TRUE(std::filesystem::exists(data() / ".kafka_cleanshutdown"));
  }
}

TEST_F(Command, AStopIsHeardDuringRecovery) {
  // Fails if a broker that reads its logs for minutes cannot be stopped meanwhile, other than by kill -9.
  {
    Process first(on_any_port());
    (void)first.address();
    first.signal(SIGTERM);
    ASSERT_EQ(first.wait().code, kOk);
  }
  // A topic whose description nobody writes: the next start waits for it, with the directory locked.
  ASSERT_EQ(::mkfifo((data() / "topics" / "endless").c_str(), 0600), 0);
  Process broker(on_any_port());
  for (const auto until = std::chrono::steady_clock::now() + kDeadline; !broker.holds_a_lock();) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "it did not even lock its directory";
    std::this_thread::yield();
  }
  broker.signal(SIGTERM);
  EXPECT_EQ(broker.wait().by_signal, SIGTERM);
}

TEST_F(Command, ABusyPortOrDirectoryIsOneSentence) {
  // Fails if a second broker runs on the same data, or its user is not told why it does not.
  Process first(on_any_port());
  const io::Address address = first.address();
  const auto same_directory = refused(on_any_port());
  EXPECT_EQ(same_directory.code, kCannotRunHere);
  EXPECT_THAT(same_directory.errors, HasSubstr(data().string()));
  const auto same_port = refused({"--listeners", "PLAINTEXT://127.0.0.1:" + std::to_string(address.port), "--log-dirs",
                                  (directory_.path() / "other").string()});
  EXPECT_EQ(same_port.code, kCannotRunHere);
  EXPECT_THAT(same_port.errors, HasSubstr(std::to_string(address.port)));
  for (const auto& errors : {same_directory.errors, same_port.errors}) {
    EXPECT_EQ(std::ranges::count(errors, '\n'), 1) << errors;
  }
  first.signal(SIGTERM);
  EXPECT_EQ(first.wait().code, kOk);
}

TEST_F(Command, WrongSettingsNameTheirPlaceAndTheRemedy) {
  // Fails if a wrong setting is ignored, or costs its user a search.
  const auto unknown = refused(on_any_port({file("server.properties", "\nnum.partitons=3\n").string()}));
  EXPECT_EQ(unknown.code, kInvalidSpec);
  EXPECT_THAT(unknown.errors,
              HasSubstr("server.properties:2: unknown property num.partitons; did you mean num.partitions?"));
  const auto unit = refused(on_any_port({"--override", "log.retention.ms=7d"}));
  EXPECT_EQ(unit.code, kInvalidSpec);
  EXPECT_THAT(unit.errors, HasSubstr("604800000"));
  const auto model = refused(on_any_port({"--model", "epol"}));
  EXPECT_EQ(model.code, kUsage);
  EXPECT_THAT(model.errors, HasSubstr("epoll"));
  const auto network = refused({"--listeners", "PLAINTEXT://0.0.0.0:0", "--log-dirs", data().string(), "--override",
                                "advertised.listeners=PLAINTEXT://127.0.0.1:9092"});
  EXPECT_EQ(network.code, kUsage);
  EXPECT_THAT(network.errors, HasSubstr("--allow-insecure-network"));
  EXPECT_EQ(refused(on_any_port({"--model", "null"})).code, kUsage);
  EXPECT_EQ(refused(on_any_port({"--script", "x"})).code, kUsage);
  EXPECT_FALSE(std::filesystem::exists(data())) << "a broker that does not start has left something behind";
}

TEST_F(Command, OverridesBeatTheFile) {
  // Fails if the command line does not have the last word.
  Process broker(
      on_any_port({file("server.properties", "num.partitions=3\n").string(), "--override", "num.partitions=5"}));
  Client client(broker.address());
  protocol::CreateTopicsRequest create;
  create.topics.push_back(
      {.name = "t", .num_partitions = -1, .replication_factor = -1, .assignments = {}, .configs = {}});
  EXPECT_EQ(client.ask<protocol::CreateTopicsResponse>(create, 5).topics.at(0).num_partitions, 5);
}

TEST_F(Command, NullPlaysAScript) {
  // Fails if the cost of the broker alone cannot be measured.
  const Frame hello = request_frame(protocol::ApiVersionsRequest{"test", "1"}, 3);
  const auto script = file("script", std::string(base::as_text(hello)) + std::string(base::as_text(hello)));
  const auto answers = directory_.path() / "answers";
  const auto ended = refused(
      {"--model", "null", "--script", script.string(), "--answers", answers.string(), "--log-dirs", data().string()});
  EXPECT_EQ(ended.code, kOk) << ended.errors;
  EXPECT_GT(std::filesystem::file_size(answers), 100U);
}

TEST_F(Command, CountersAndTraceShowTheCalls) {
  // Fails if the lab cannot see from outside what the server does.
  const auto counters = directory_.path() / "counters";
  const auto trace = directory_.path() / "trace";
  Process broker(on_any_port({"--counters", counters.string(), "--trace", trace.string()}));
  {
    Client client(broker.address());
    (void)client.ask<protocol::ApiVersionsResponse>(protocol::ApiVersionsRequest{"test", "1"}, 3);
    const auto page = io::CounterPageView::open(counters.string());
    ASSERT_TRUE(page) << page.error();
    EXPECT_EQ(page->totals()[io::Count::requests], 1U);
    EXPECT_EQ(page->totals()[io::Count::accepted], 1U);
  }
  broker.signal(SIGTERM);
  EXPECT_EQ(broker.wait().code, kOk);
  std::ifstream file(trace);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(text, HasSubstr("accept4"));
  EXPECT_THAT(text, HasSubstr("io_models/"));
}

}  // namespace
}  // namespace iolab::test
