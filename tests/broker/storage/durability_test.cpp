// Crashes and failing disks: whatever was acknowledged is there afterwards, and what cannot be kept is not
// acknowledged.
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>

#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

// Numbers that a child leaves behind even when it is killed.
struct Shared {
  std::atomic<std::int64_t> acknowledged;  // end offset of what append() had accepted
  std::atomic<std::int64_t> synced;
  std::atomic<std::int64_t> start_offset;
  std::atomic<std::int64_t> calls_left;  // the child kills itself at the file call that takes this to 0
  std::atomic<std::int64_t> failing_errno;
  std::atomic<std::int64_t> fail_after;
};

Shared* shared() {
  static auto* memory =
      static_cast<Shared*>(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return memory;
}

// Runs `child` in a process of its own; its result is the exit code, and a killed one gives -signal.
int run_child(const std::function<int()>& child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child());
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int kill_at_the_chosen_call(FileCall) {
  if (--shared()->calls_left == 0) ::kill(::getpid(), SIGKILL);
  return 0;
}

// A life of a log with everything in it: appends, rolls, syncs, retention, checkpoints, now and then a clean stop.
int live(const fs::path& path, std::uint64_t seed) {
  const FileHooks hooks{.fail = kill_at_the_chosen_call};
  const auto directory = LogDirectory::open(path, {.cluster_id = "test", .node_id = 1}, hooks);
  if (!directory) return 10;
  if ((*directory)->topics().empty() && !(*directory)->create_topic({.name = "t", .partitions = 1})) return 11;
  const LogConfig config{.segment_bytes = 6000, .index_interval_bytes = 100, .retention_bytes = 40'000, .hooks = hooks};
  auto log = PartitionLog::open((*directory)->partition_path("t", 0), config, (*directory)->open_mode("t", 0), kNow);
  if (!log) return 12;
  std::mt19937_64 random(seed);
  for (int i = 0; i < 30; ++i) {
    const auto batch = make_batch((*log)->end_offset(), 1 + static_cast<int>(random() % 3), random() % 900);
    if (!(*log)->append(batch, kNow)) return 13;
    shared()->acknowledged = (*log)->end_offset();
    if (random() % 8 == 0) {
      const SyncTask task = (*log)->begin_sync();
      if (!(*log)->finish_sync(task, PartitionLog::run_sync(task))) return 14;
    }
    if (random() % 10 == 0) {
      if (!(*log)->delete_expired(kNow)) return 15;
      shared()->start_offset = (*log)->start_offset();
      const PartitionCheckpoint checkpoint{"t", 0, (*log)->synced_offset(), (*log)->start_offset()};
      if (!(*directory)->write_checkpoints(std::span(&checkpoint, 1))) return 16;
    }
  }
  if (random() % 2 == 0) return 0;  // ends as if crashed
  if (!(*log)->close()) return 17;
  const PartitionCheckpoint checkpoint{"t", 0, (*log)->synced_offset(), (*log)->start_offset()};
  return (*directory)->mark_clean(std::span(&checkpoint, 1)) ? 0 : 18;
}

// Everything acknowledged is there, in order, with the values that were written.
void expect_all_acknowledged(const fs::path& path) {
  const auto directory = LogDirectory::open(path, {.cluster_id = "test", .node_id = 1});
  ASSERT_TRUE(directory.has_value()) << directory.error().message;
  if ((*directory)->topics().empty()) {
    ASSERT_EQ(shared()->acknowledged, 0);
    return;
  }
  const auto log = PartitionLog::open((*directory)->partition_path("t", 0), {}, (*directory)->open_mode("t", 0), kNow);
  ASSERT_TRUE(log.has_value()) << log.error().message;
  ASSERT_GE((*log)->end_offset(), shared()->acknowledged);
  const auto batches = read_all(**log, (*log)->start_offset());
  ASSERT_TRUE(batches.has_value()) << batches.error().message;
  std::int64_t offset = (*log)->start_offset();
  for (const Batch& batch : *batches) {
    protocol::RecordReader reader(protocol::first_batch(batch).value());
    while (const auto* record = reader.next()) {
      ASSERT_EQ(record->offset, offset++);
      ASSERT_TRUE(base::as_text(*record->value).starts_with(std::to_string(record->offset) + ":"));
    }
  }
  ASSERT_EQ(offset, (*log)->end_offset());
  // What this look changed must not help the next life: it did not append, and only put the marker away.
}

// Fails if a process killed at a file call, in whatever state of roll, index, checkpoint, stop or recovery, has
// acknowledged a record that the next start does not serve.
// (At each of the first fifteen; then, two lives together, at a growing distance.)
TEST(Durability, KilledAtManyFileCalls) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const TemporaryDirectory directory;
    int survived = 0;
    for (std::int64_t call = 1; survived < 3 && call < 2000; call += 1 + call / 15) {
      if (call % 5 == 1) {  // often from the beginning, else on top of what the last crash left
        fs::remove_all(directory.path());
        shared()->acknowledged = 0;
      }
      shared()->calls_left = call;
      const int result =
          run_child([&] { return live(directory.path(), seed * 1000 + static_cast<std::uint64_t>(call)); });
      ASSERT_TRUE(result == 0 || result == -SIGKILL) << "seed " << seed << ", call " << call << ": " << result;
      if (result == 0) ++survived;
      expect_all_acknowledged(directory.path());
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", killed at file call " << call;
    }
    EXPECT_EQ(survived, 3);
  }
}

// Fails if a process that is killed at any time, not only at a file call, has acknowledged what is not there.
TEST(Durability, KilledWhileItAppends) {
  const TemporaryDirectory directory;
  shared()->acknowledged = 0;
  std::mt19937_64 random(11);
  for (int round = 0; round < 15; ++round) {
    shared()->calls_left = -1;
    const std::int64_t wanted = shared()->acknowledged + 1 + static_cast<std::int64_t>(random() % 150);
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (std::uint64_t seed = 1;; ++seed)
        if (live(directory.path(), seed) != 0) ::_exit(1);
    }
    while (shared()->acknowledged < wanted && ::waitpid(pid, nullptr, WNOHANG) == 0) ::sched_yield();
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ASSERT_GE(shared()->acknowledged, wanted) << "the child ended early";
    expect_all_acknowledged(directory.path());
    if (HasFatalFailure()) FAIL() << "round " << round;
  }
}

// --- failing calls ---

FileCall failing_call = FileCall::pwrite;
int failing_errno = 0;
int fail_on_demand(FileCall call) {
  return call == failing_call ? failing_errno : 0;
}

// Fails if a log acknowledges anything after one fsync failed, or asks the kernel a second time.
TEST(Durability, AFailedSyncIsFinal) {
  const TemporaryDirectory directory;
  for (const FileCall call : {FileCall::fdatasync, FileCall::fsync}) {
    const fs::path path = directory.path() / std::to_string(static_cast<int>(call));
    fs::create_directory(path);
    const auto log = open_log(path, {.hooks = {.count = CallCounts::count, .fail = fail_on_demand}});
    append(*log, make_batch(0));
    failing_call = call;
    failing_errno = EIO;
    const SyncTask task = log->begin_sync();
    const auto result = PartitionLog::run_sync(task);
    failing_errno = 0;
    EXPECT_FALSE(result);
    EXPECT_EQ(log->finish_sync(task, result).error().fault, StorageFault::offline);
    EXPECT_EQ(log->synced_offset(), 0);
    EXPECT_EQ(log->append(make_batch(1), kNow).error().fault, StorageFault::offline);
    EXPECT_EQ(log->locate(0, {}).error().fault, StorageFault::offline);
    CallCounts::reset();
    const SyncTask again = log->begin_sync();
    EXPECT_FALSE(log->finish_sync(again, {})) << "an answer of 'done' after a failure is not believed";
    EXPECT_EQ(log->synced_offset(), 0);
    EXPECT_FALSE(log->close());
    EXPECT_EQ(CallCounts::of(FileCall::fdatasync) + CallCounts::of(FileCall::fsync), 0);
  }
}

// Fails if a full disk leaves half a batch in the log, loses what was there, or makes the log useless for good.
TEST(Durability, AFullDiskRefusesTheBatchAndNothingElse) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 20'000, .hooks = {.fail = fail_on_demand}});
  append(*log, make_batch(0, 3, 5000));
  failing_call = FileCall::pwrite;
  failing_errno = ENOSPC;
  const auto refused = log->append(make_batch(3), kNow);
  EXPECT_EQ(refused.error().fault, StorageFault::no_space);
  failing_call = FileCall::open;  // no new segment either
  append(*log, make_batch(3, 1, 4000));
  EXPECT_EQ(log->append(make_batch(4, 1, 9000), kNow).error().fault, StorageFault::no_space);
  failing_errno = 0;
  append(*log, make_batch(4, 1, 9000));
  EXPECT_EQ(read_all(*log, 0)->size(), 3U);
}

// Fails if a disk that cannot be written, or a file that cannot be cut back, is written to again.
TEST(Durability, ABrokenDiskTakesTheLogOffline) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.hooks = {.fail = fail_on_demand}});
  append(*log, make_batch(0));
  failing_call = FileCall::pwrite;
  failing_errno = EIO;
  EXPECT_EQ(log->append(make_batch(1), kNow).error().fault, StorageFault::io);
  failing_errno = 0;
  EXPECT_EQ(log->append(make_batch(1), kNow).error().fault, StorageFault::offline);
}

// Appends until the file system or a limit says no, and on after room was made.
int fill_up(const fs::path& path, const std::function<void()>& make_room) {
  auto log = PartitionLog::open(path, {.segment_bytes = 1 << 30}, {}, kNow);
  if (!log) return 20;
  std::vector<Batch> written;
  Expected<void> done;
  for (int i = 0; i < 1000 && done; ++i) {
    const Batch batch = make_batch((*log)->end_offset(), 1, 7000);
    done = (*log)->append(batch, kNow);
    if (done) written.push_back(batch);
  }
  if (done || done.error().fault != StorageFault::no_space) return 21;
  if (fs::file_size(files_ending_in(path, ".log").at(0)) != static_cast<std::uintmax_t>((*log)->size_bytes()))
    return 22;
  if (read_all(**log, 0).value() != written) return 23;
  make_room();
  const Batch batch = make_batch((*log)->end_offset(), 1, 7000);
  if (!(*log)->append(batch, kNow)) return 24;
  written.push_back(batch);
  (*log).reset();
  log = PartitionLog::open(path, {}, {}, kNow);
  if (!log || (*log)->recovery().cut_bytes != 0) return 25;
  return read_all(**log, 0).value() == written ? 0 : 26;
}

// Fails if a write that the file size limit cut short is not taken back.
TEST(Durability, AFileSizeLimitCutsAWriteShort) {
  const TemporaryDirectory directory;
  const int result = run_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 100'000;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 30;
    return fill_up(directory.path(), [&] {
      limit.rlim_cur = before;
      ::setrlimit(RLIMIT_FSIZE, &limit);
    });
  });
  EXPECT_EQ(result, 0);
}

// Fails if a file system that is really full breaks the log. Needs the right to mount.
TEST(Durability, AFullFileSystem) {
  constexpr int kMayNotMount = 99;
  const TemporaryDirectory directory;
  const int result = run_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=256k") != 0)
      return kMayNotMount;
    const fs::path log = directory.path() / "log";
    const fs::path ballast = directory.path() / "ballast";
    fs::create_directory(log);
    write_text(ballast, std::string(64 * 1024, 'x'));
    return fill_up(log, [&] { fs::remove(ballast); });
  });
  if (result == kMayNotMount)
    GTEST_SKIP() << "a tmpfs cannot be mounted here: that needs root, and a place that permits mounts";
  EXPECT_EQ(result, 0);
}

// Fails if a sync forgets a segment that was rolled, or the name of a new one, or syncs what needs none.
TEST(Durability, ASyncCoversRolledSegmentsAndNames) {
  const TemporaryDirectory directory;
  const auto log = open_log(directory.path(), {.segment_bytes = 3000});
  const auto sync = [&](bool rolled_only) {
    const SyncTask task = log->begin_sync(rolled_only);
    EXPECT_TRUE(log->finish_sync(task, PartitionLog::run_sync(task)));
    return task;
  };
  EXPECT_TRUE(sync(false).sync_names) << "the first file is a new name";
  EXPECT_FALSE(log->needs_sync());
  for (int i = 0; i < 5; ++i) append(*log, make_batch(i, 1, 2000));
  EXPECT_TRUE(log->rolled_needs_sync());
  const SyncTask rolled = sync(true);
  EXPECT_EQ(rolled.segments.size(), 4U);
  EXPECT_TRUE(rolled.sync_names);
  EXPECT_FALSE(log->rolled_needs_sync());
  EXPECT_EQ(log->synced_offset(), 4);
  EXPECT_TRUE(log->needs_sync());
  const SyncTask rest = sync(false);
  EXPECT_EQ(rest.segments.size(), 1U);
  EXPECT_FALSE(rest.sync_names);
  EXPECT_EQ(log->synced_offset(), 5);
  EXPECT_FALSE(log->needs_sync());
}

}  // namespace
}  // namespace iolab::storage
