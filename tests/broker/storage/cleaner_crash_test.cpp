// Compaction among disks that change bytes and processes that die: what is left has to be the old log or the new one.
#include "tests/broker/storage/cleaner_fixture.h"

namespace iolab::storage {
namespace {

TEST(LogCleaner, DamageGetsNoRightChecksum) {
  SCOPED_TRACE("a batch that the disk has changed is compacted, and looks right from then on");
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 1000});
  for (int i = 0; i < 30; ++i) append(*log, keyed_batch(i, {{std::to_string(i % 20), std::string(100, 'x')}}));
  sync(*log);
  const fs::path file = files_ending_in(directory.path(), ".log").front();
  std::string content = read_text(file);
  content[content.size() - 5] ^= 1;
  write_text(file, content);
  const auto error = clean(*log);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->fault, StorageFault::corrupt);
  EXPECT_TRUE(log->failure());
  EXPECT_EQ(read_text(file), content);
}

TEST(LogCleaner, AGapThatNobodyMadeIsDamage) {
  SCOPED_TRACE("a log that lost a batch in its middle is taken for a cleaned one");
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 1000};
  auto log = open_log(directory.path(), config);
  for (int i = 0; i < 30; ++i) append(*log, keyed_batch(i, {{i % 7 == 0 ? "a" : "b", std::string(100, 'x')}}));
  sync(*log);
  ASSERT_FALSE(clean(*log, rules_at(), 20));
  EXPECT_LT(read_entries(*log).size(), 20U);
  log.reset();
  fs::remove(directory.path() / "cleaner-offset-checkpoint");
  for (const fs::path& index : files_ending_in(directory.path(), "index")) fs::remove(index);
  const auto opened = PartitionLog::open(directory.path(), config, {.recovery_point = 30}, kNow);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().fault, StorageFault::corrupt);
}

// Fails every file call that changes something from the `allowed`-th on, as if the process had died there.
struct Death {
  static inline int allowed = 0;
  static inline int calls = 0;
  static int fail(FileCall call) {
    switch (call) {
      case FileCall::pwrite:
      case FileCall::rename:
      case FileCall::unlink:
      case FileCall::ftruncate:
      case FileCall::fdatasync:
      case FileCall::fsync: return calls++ >= allowed ? EIO : 0;
      default: return 0;
    }
  }
};

TEST(LogCleaner, ACrashAtAnyStepLeavesTheOldOrTheNew) {
  SCOPED_TRACE("a process that died while it cleaned has left a log that cannot be opened, or tells another state");
  int deaths = 0;
  bool survived = false;
  for (int allowed = 0; !survived; ++allowed) {
    const TemporaryDirectory directory;
    std::mt19937_64 random(7);
    Death::allowed = std::numeric_limits<int>::max();
    Death::calls = 0;
    const LogConfig config{.segment_bytes = 1500, .hooks = {.fail = Death::fail}};
    RandomLog subject{open_log(directory.path(), config), {}};
    subject.append_some(random, 40, 10);
    sync(*subject.log);
    const std::int64_t end = subject.log->end_offset();
    Death::calls = 0;
    Death::allowed = allowed;
    auto rules = rules_at();
    rules.segment_bytes = 4000;
    survived = !clean(*subject.log, rules);
    deaths += survived ? 0 : 1;
    subject.log.reset();
    for (int life = 0; life < 2; ++life) {
      subject.log = open_log(directory.path(), {.segment_bytes = 1500}, {.recovery_point = end});
      ASSERT_TRUE(subject.log) << "died at call " << allowed;
      EXPECT_EQ(subject.log->end_offset(), end);
      expect_cleaned(*subject.log, subject.appended, "died at call " + std::to_string(allowed));
      ASSERT_FALSE(clean(*subject.log, rules));
      expect_cleaned(*subject.log, subject.appended, "cleaned after a death at call " + std::to_string(allowed));
      EXPECT_TRUE(files_ending_in(directory.path(), ".cleaned").empty());
      EXPECT_TRUE(files_ending_in(directory.path(), ".swap").empty());
      subject.log.reset();
    }
  }
  EXPECT_GT(deaths, 20);
}

}  // namespace
}  // namespace iolab::storage
