// The data directory: who may use it, which topics it knows after every kind of end, and which names become paths.
#include "broker/storage/log_directory.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

using testing::HasSubstr;

const DirectoryIdentity kIdentity{.cluster_id = "a-cluster", .node_id = 1};

std::unique_ptr<LogDirectory> open_directory(const fs::path& path, FileHooks hooks = {}) {
  auto directory = LogDirectory::open(path, kIdentity, hooks);
  EXPECT_TRUE(directory.has_value()) << directory.error().message;
  return directory ? std::move(*directory) : nullptr;
}

TopicDescription topic_of(std::string name, std::int32_t partitions = 1, unsigned char id = 1) {
  TopicDescription topic{.name = std::move(name), .partitions = partitions};
  topic.id.fill(std::byte{id});
  return topic;
}

// Fails if two brokers can write to one directory, or the second is not told which one and what to do.
TEST(LogDirectory, RefusesASecondBroker) {
  const TemporaryDirectory directory;
  {
    const auto first = open_directory(directory.path());
    const auto second = LogDirectory::open(directory.path(), kIdentity);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().fault, StorageFault::refused);
    EXPECT_THAT(second.error().message, HasSubstr(directory.path().string()));
    EXPECT_THAT(second.error().message, HasSubstr("in use by another broker"));
    EXPECT_THAT(second.error().message, HasSubstr("log.dirs"));
  }
  open_directory(directory.path());
}

// Fails if a directory of a newer format, of another node or of another program is written to.
TEST(LogDirectory, RefusesWhatIsNotItsOwn) {
  const TemporaryDirectory directory;
  open_directory(directory.path());
  const fs::path meta = directory.path() / "meta.properties";
  const std::string ours = read_text(meta);
  const auto refusal = [&](const DirectoryIdentity& identity) {
    const auto opened = LogDirectory::open(directory.path(), identity);
    EXPECT_FALSE(opened.has_value());
    if (opened) return std::string();
    EXPECT_EQ(opened.error().fault, StorageFault::refused);
    return opened.error().message;
  };
  EXPECT_THAT(refusal({.cluster_id = "x", .node_id = 2}), HasSubstr("belongs to node 1, but node.id is 2"));
  std::string newer = ours;
  newer.replace(newer.find("iolab.format=1"), 14, "iolab.format=2");
  write_text(meta, newer);
  EXPECT_THAT(refusal(kIdentity), HasSubstr("iolab.format=2"));
  write_text(meta, "version=0\nbroker.id=0\n");
  EXPECT_THAT(refusal(kIdentity), HasSubstr("another program"));
  fs::remove(meta);
  EXPECT_THAT(refusal(kIdentity), HasSubstr("not a data directory of iolab"));
  write_text(meta, ours);
  EXPECT_EQ(open_directory(directory.path())->identity().cluster_id, "a-cluster");
}

// Fails if a name that Kafka does not allow is made a path.
TEST(LogDirectory, OnlyKafkasTopicNamesBecomePaths) {
  const TemporaryDirectory directory;
  const fs::path data = directory.path() / "inner" / "data";
  const auto logs = open_directory(data);
  const std::string nul("a\0b", 3);
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".."), std::string("../x"), std::string("/x"),
        std::string("a/b"), nul, std::string("a b"), std::string("\xc3\xa9"), std::string("\xc0\xae"),
        std::string("a\n"), std::string(250, 'a'), std::string(32'767, 'a')}) {
    const auto created = logs->create_topic(topic_of(name));
    ASSERT_FALSE(created.has_value()) << name;
    EXPECT_EQ(created.error().fault, StorageFault::invalid_name);
    EXPECT_LT(created.error().message.size(), 300U);
  }
  const auto count = std::distance(fs::recursive_directory_iterator(directory.path()), {});
  EXPECT_EQ(count, 5) << "inner, data, .lock, meta.properties, topics";
  for (const std::string& name : {std::string("a"), std::string("..."), std::string("a-0"), std::string("topics"),
                                  std::string("x-delete"), std::string(249, 'Z')}) {
    const auto created = logs->create_topic(topic_of(name, 2, static_cast<unsigned char>(name.size())));
    EXPECT_TRUE(created.has_value()) << created.error().message;
    EXPECT_TRUE(fs::is_directory(logs->partition_path(name, 1)));
  }
  EXPECT_FALSE(logs->create_topic(topic_of("b", 0)));
  EXPECT_FALSE(logs->create_topic(topic_of("b", 2'000'000'000)));
}

// Fails if a restart forgets a topic, its id, its partitions or its settings, whatever bytes those hold.
TEST(LogDirectory, RemembersTopics) {
  const TemporaryDirectory directory;
  TopicDescription topic = topic_of("orders", 3, 7);
  topic.configs = {{"retention.ms", "1000"}, {"odd", std::string("a=b %0a\n\0\xff c", 12)}};
  {
    const auto logs = open_directory(directory.path());
    ASSERT_TRUE(logs->create_topic(topic));
    EXPECT_EQ(logs->create_topic(topic).error().fault, StorageFault::exists);
    topic.partitions = 5;
    topic.configs.erase("retention.ms");
    ASSERT_TRUE(logs->update_topic(topic));
    topic.partitions = 4;
    EXPECT_FALSE(logs->update_topic(topic));
    EXPECT_EQ(logs->update_topic(topic_of("none")).error().fault, StorageFault::not_found);
  }
  const auto topics = open_directory(directory.path())->topics();
  ASSERT_EQ(topics.size(), 1U);
  EXPECT_EQ(topics[0].name, "orders");
  EXPECT_EQ(topics[0].id, topic.id);
  EXPECT_EQ(topics[0].partitions, 5);
  EXPECT_EQ(topics[0].configs, topic.configs);
  EXPECT_TRUE(fs::is_directory(directory.path() / "orders-4"));
}

// Fails if a deleted topic comes back, if its name is not free at once, or if its files stay for ever.
TEST(LogDirectory, DeletesTopics) {
  const TemporaryDirectory directory;
  auto logs = open_directory(directory.path());
  ASSERT_TRUE(logs->create_topic(topic_of("t", 2, 1)));
  const auto log = open_log(logs->partition_path("t", 0));
  append(*log, make_batch(0));
  const auto pinned = log->locate(0, {}).value();
  ASSERT_TRUE(logs->delete_topic("t"));
  EXPECT_EQ(logs->delete_topic("t").error().fault, StorageFault::not_found);
  EXPECT_FALSE(fs::exists(directory.path() / "t-0"));
  ASSERT_TRUE(logs->create_topic(topic_of("t", 1, 2)));
  const auto second = open_log(logs->partition_path("t", 0));
  EXPECT_EQ(second->end_offset(), 0);
  append(*second, make_batch(0, 2));
  logs.reset();
  logs = open_directory(directory.path());
  ASSERT_EQ(logs->topics().size(), 1U);
  EXPECT_EQ(logs->topics()[0].id, topic_of("t", 1, 2).id);
  EXPECT_EQ(open_log(logs->partition_path("t", 0))->end_offset(), 2) << "the old deletion hit the new topic";
  EXPECT_EQ(files_ending_in(directory.path(), "-delete").size(), 2U);
  ASSERT_TRUE(logs->remove_deleted());
  EXPECT_TRUE(files_ending_in(directory.path(), "-delete").empty());
  Batch bytes(pinned.bytes);
  EXPECT_TRUE(PartitionLog::read_into(pinned, bytes));
}

int failing_errno = 0;
FileCall failing_call = FileCall::pwrite;
int fail_on_demand(FileCall call) {
  return call == failing_call ? failing_errno : 0;
}

// Fails if a topic whose creation was refused is there after a restart, or stops a second try or the restart.
TEST(LogDirectory, AnInterruptedCreationLeavesNoTopic) {
  for (const FileCall call :
       {FileCall::open, FileCall::pwrite, FileCall::fdatasync, FileCall::rename, FileCall::fsync}) {
    const TemporaryDirectory directory;
    auto logs = open_directory(directory.path(), {.fail = fail_on_demand});
    failing_call = call;
    failing_errno = ENOSPC;
    EXPECT_FALSE(logs->create_topic(topic_of("t", 2, 1)));
    failing_errno = 0;
    EXPECT_TRUE(logs->topics().empty());
    logs.reset();
    logs = open_directory(directory.path());
    EXPECT_TRUE(logs->topics().empty());
    EXPECT_TRUE(logs->create_topic(topic_of("t", 2, 2)));
    logs.reset();
    EXPECT_EQ(open_directory(directory.path())->topics().size(), 1U);
  }
}

// Fails if files that nobody described are taken for a new topic's, or deleted.
TEST(LogDirectory, LeavesUnknownPartitionsAlone) {
  const TemporaryDirectory directory;
  const auto logs = open_directory(directory.path());
  fs::create_directory(directory.path() / "t-1");
  write_text(directory.path() / "t-1" / "00000000000000000000.log", "precious");
  const auto created = logs->create_topic(topic_of("t", 2));
  ASSERT_FALSE(created.has_value());
  EXPECT_THAT(created.error().message, HasSubstr("t-1"));
  EXPECT_EQ(read_text(directory.path() / "t-1" / "00000000000000000000.log"), "precious");
}

std::vector<PartitionCheckpoint> checkpoints_of(std::int64_t recovery_point, std::int64_t start) {
  return {{"t", 0, recovery_point, start}, {"t", 1, recovery_point + 1, start}};
}

// Fails if a stop counts as clean that was none, or a crash after a clean start is taken for another clean stop.
TEST(LogDirectory, ACleanStopCountsOnce) {
  const TemporaryDirectory directory;
  {
    const auto logs = open_directory(directory.path());
    EXPECT_FALSE(logs->stopped_cleanly());
    ASSERT_TRUE(logs->create_topic(topic_of("t", 3)));
    ASSERT_TRUE(logs->write_checkpoints(checkpoints_of(10, 3)));
  }
  {
    const auto logs = open_directory(directory.path());
    EXPECT_FALSE(logs->stopped_cleanly());
    EXPECT_EQ(logs->open_mode("t", 1).recovery_point, 11);
    EXPECT_EQ(logs->open_mode("t", 1).log_start_offset, 3);
    EXPECT_FALSE(logs->open_mode("t", 1).after_clean_stop);
    EXPECT_EQ(logs->open_mode("t", 2).recovery_point, 0);
    const auto all = checkpoints_of(20, 4);
    ASSERT_TRUE(logs->mark_clean(std::span(all).first(1)));  // the other one was offline
  }
  {
    const auto logs = open_directory(directory.path());
    EXPECT_TRUE(logs->stopped_cleanly());
    EXPECT_TRUE(logs->open_mode("t", 0).after_clean_stop);
    EXPECT_EQ(logs->open_mode("t", 0).recovery_point, 20);
    EXPECT_FALSE(logs->open_mode("t", 1).after_clean_stop);
    EXPECT_EQ(logs->open_mode("t", 1).recovery_point, 11) << "kept from the checkpoint before";
  }
  EXPECT_FALSE(open_directory(directory.path())->open_mode("t", 0).after_clean_stop);
}

// Fails if what was known of a deleted topic's log is taken for the log of a later topic of the same name: after a
// crash its acknowledged records would be refused, because the old log was longer.
TEST(LogDirectory, ANewTopicInheritsNoCheckpoint) {
  const TemporaryDirectory directory;
  {
    const auto logs = open_directory(directory.path());
    ASSERT_TRUE(logs->create_topic(topic_of("t", 2)));
    ASSERT_TRUE(logs->create_topic(topic_of("kept", 1)));
    ASSERT_TRUE(logs->write_checkpoints(checkpoints_of(500, 100)));
    ASSERT_TRUE(logs->write_checkpoints(std::vector<PartitionCheckpoint>{{"kept", 0, 7, 0}}));
    ASSERT_TRUE(logs->delete_topic("t"));
    ASSERT_TRUE(logs->create_topic(topic_of("t", 2)));
  }
  const auto logs = open_directory(directory.path());
  EXPECT_EQ(logs->open_mode("t", 0).recovery_point, 0);
  EXPECT_EQ(logs->open_mode("t", 0).log_start_offset, 0);
  EXPECT_EQ(logs->open_mode("kept", 0).recovery_point, 7);
}

// Fails if a damaged checkpoint is believed, or stops the start: reading all of the logs is the remedy.
TEST(LogDirectory, ADamagedCheckpointIsNotBelieved) {
  for (const char* name : {"recovery-point-offset-checkpoint", "log-start-offset-checkpoint", ".kafka_cleanshutdown"}) {
    const TemporaryDirectory directory;
    {
      const auto logs = open_directory(directory.path());
      ASSERT_TRUE(logs->create_topic(topic_of("t", 2)));
      ASSERT_TRUE(logs->mark_clean(checkpoints_of(10, 3)));
    }
    const std::string whole = read_text(directory.path() / name);
    const std::string marker = read_text(directory.path() / ".kafka_cleanshutdown");
    for (std::size_t i = 0; i <= whole.size(); ++i) {
      std::string damaged = whole.substr(0, i);
      if (i < whole.size() && i % 2 == 0) damaged = whole, damaged[i] ^= 2;
      if (damaged == whole) continue;
      write_text(directory.path() / ".kafka_cleanshutdown", marker);
      write_text(directory.path() / name, damaged);
      const auto logs = open_directory(directory.path());
      ASSERT_FALSE(logs->open_mode("t", 0).after_clean_stop) << name << " at " << i;
      ASSERT_FALSE(logs->notes().empty());
    }
  }
}

// Fails if a damaged description of a topic is half believed: the topic must neither vanish nor change.
TEST(LogDirectory, ADamagedTopicStopsTheStart) {
  const TemporaryDirectory directory;
  {
    const auto logs = open_directory(directory.path());
    ASSERT_TRUE(logs->create_topic(topic_of("t", 2)));
  }
  const fs::path file = fs::directory_iterator(directory.path() / "topics")->path();
  const std::string whole = read_text(file);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] ^= 1;
    write_text(file, i % 2 == 0 ? damaged : whole.substr(0, i));
    const auto logs = LogDirectory::open(directory.path(), kIdentity);
    ASSERT_FALSE(logs.has_value()) << i;
    ASSERT_THAT(logs.error().message, HasSubstr(file.string()));
  }
  write_text(file, whole);
  EXPECT_EQ(open_directory(directory.path())->topics().size(), 1U);
}

std::int64_t calls_left = 0;
int kill_at_the_chosen_call(FileCall) {
  if (--calls_left == 0) ::kill(::getpid(), SIGKILL);
  return 0;
}

// Fails if a process killed anywhere in creating, growing or deleting a topic leaves a state that is neither before nor
// after, or one that the next start cannot use.
TEST(LogDirectory, KilledAtEveryFileCallOfATopicsLife) {
  bool finished = false;
  for (int call = 1; !finished; ++call) {
    ASSERT_LT(call, 300);
    const TemporaryDirectory directory;
    const pid_t pid = ::fork();
    if (pid == 0) {
      calls_left = call;
      const auto logs = LogDirectory::open(directory.path(), kIdentity, {.fail = kill_at_the_chosen_call});
      if (!logs || !(*logs)->create_topic(topic_of("keep", 2, 1)) || !(*logs)->create_topic(topic_of("t", 2, 2)) ||
          !(*logs)->update_topic(topic_of("t", 4, 2)) || !(*logs)->delete_topic("t") ||
          !(*logs)->create_topic(topic_of("t", 3, 3)) || !(*logs)->remove_deleted())
        ::_exit(1);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    finished = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    ASSERT_TRUE(finished || WIFSIGNALED(status)) << "call " << call;
    for (int start = 0; start < 2; ++start) {
      const auto logs = open_directory(directory.path());
      ASSERT_NE(logs, nullptr) << "call " << call;
      for (const TopicDescription& topic : logs->topics()) {
        EXPECT_THAT(topic.partitions, testing::AnyOf(2, 3, 4));
        for (std::int32_t partition = 0; partition < topic.partitions; ++partition)
          EXPECT_TRUE(fs::is_directory(logs->partition_path(topic.name, partition))) << "call " << call;
      }
      ASSERT_TRUE(logs->remove_deleted());
    }
    EXPECT_TRUE(files_ending_in(directory.path() / "topics", ".tmp").empty());
    EXPECT_TRUE(files_ending_in(directory.path() / "topics", ".delete").empty());
    EXPECT_TRUE(files_ending_in(directory.path(), "-delete").empty());
    if (finished) {
      EXPECT_EQ(open_directory(directory.path())->topics().size(), 2U);
    }
  }
}

}  // namespace
}  // namespace iolab::storage
