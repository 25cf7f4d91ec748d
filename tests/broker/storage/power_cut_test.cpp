// A power cut, for real: an ext4 file system on a loop device is told to forget all that was not synced, is mounted
// again (which replays its journal), and then has to hold everything that a sync had covered. kill -9 cannot show this,
// because the page cache survives it. Needs root, mkfs.ext4 and loop devices; skipped with the reason where they lack.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

// <linux/ext4.h> is not installed everywhere. "No log flush": what is not yet in the journal on the disk is gone.
constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);
constexpr std::uint32_t kWithoutLogFlush = 2;
constexpr int kCannotMount = 99;

struct Shared {
  std::atomic<std::int64_t> topics;        // created and answered
  std::atomic<std::int64_t> acknowledged;  // appended: may be lost
  std::atomic<std::int64_t> synced;        // must be there
  std::atomic<std::int64_t> found;         // by the process after the cut
};

Shared* shared() {
  static auto* memory =
      static_cast<Shared*>(::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return memory;
}

// Runs `child` with the image mounted, in a process and a mount name space of its own.
int with_mounted_image(const TemporaryDirectory& directory, const std::function<int(const fs::path&)>& child) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const fs::path at = directory.path() / "mnt";
    const std::string command = "mount -o loop " + (directory.path() / "image").string() + " " + at.string() + " 2>&1";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::system(command.c_str()) != 0)
      ::_exit(kCannotMount);
    const int result = child(at);
    ::_exit(::umount(at.c_str()) == 0 ? result : 50);
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool cut_power(const fs::path& mount) {
  const int descriptor = ::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::uint32_t how = kWithoutLogFlush;
  const bool done = ::ioctl(descriptor, kShutdown, &how) == 0;
  ::close(descriptor);
  return done;
}

// One life with iolab.flush=commit, ended by the cut after a random number of steps.
int live_and_lose_power(const fs::path& mount, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto directory = LogDirectory::open(mount / "data", {.cluster_id = "test", .node_id = 1});
  if (!directory) return 10;
  if ((*directory)->topics().empty()) {
    if (!(*directory)->create_topic({.name = "t", .partitions = 1})) return 11;
    shared()->topics = 1;
  }
  const LogConfig config{.segment_bytes = 30'000, .retention_bytes = 200'000};
  const auto log =
      PartitionLog::open((*directory)->partition_path("t", 0), config, (*directory)->open_mode("t", 0), kNow);
  if (!log) return 12;
  for (auto steps = random() % 60; steps > 0; --steps) {
    if (!(*log)->append(make_batch((*log)->end_offset(), 1, random() % 9000), kNow)) return 13;
    shared()->acknowledged = (*log)->end_offset();
    if (random() % 4 == 0) {
      const SyncTask task = (*log)->begin_sync();
      if (!(*log)->finish_sync(task, PartitionLog::run_sync(task))) return 14;
      shared()->synced = (*log)->synced_offset();
    }
    if (random() % 20 == 0) {
      if (!(*log)->delete_expired(kNow)) return 15;
      const PartitionCheckpoint checkpoint{"t", 0, (*log)->synced_offset(), (*log)->start_offset()};
      if (!(*directory)->write_checkpoints(std::span(&checkpoint, 1))) return 16;
    }
  }
  return cut_power(mount) ? 0 : 17;
}

int look(const fs::path& mount) {
  shared()->found = -1;
  const auto directory = LogDirectory::open(mount / "data", {.cluster_id = "test", .node_id = 1});
  if (!directory) return 20;
  if ((*directory)->topics().empty()) return shared()->topics == 0 ? 0 : 21;
  const auto log = PartitionLog::open((*directory)->partition_path("t", 0), {}, (*directory)->open_mode("t", 0), kNow);
  if (!log) {
    std::fprintf(stderr, "%s\n", log.error().message.c_str());
    return 22;
  }
  const auto batches = read_all(**log, (*log)->start_offset());
  if (!batches) return 23;
  std::int64_t offset = (*log)->start_offset();
  for (const Batch& batch : *batches) {
    protocol::RecordReader reader(protocol::first_batch(batch).value());
    const auto* record = reader.next();
    if (record == nullptr || record->offset != offset++) return 24;
    if (!base::as_text(*record->value).starts_with(std::to_string(record->offset) + ":")) return 25;
  }
  shared()->found = (*log)->end_offset();
  return offset == (*log)->end_offset() ? 0 : 26;
}

// Fails if a sync that was confirmed did not cover the bytes, the length, all segments, or a topic. (Not the names of
// new segments alone: ext4 syncs a new file's name with it. durability_test looks at those.) The control: a cut that
// never costs anything that was not synced would show that no power was cut.
TEST(PowerCut, WhatWasSyncedIsThere) {
  const TemporaryDirectory directory;
  fs::create_directory(directory.path() / "mnt");
  std::int64_t lost = 0;
  for (std::uint64_t image = 1; image <= 5; ++image) {
    const std::string make = "truncate -s 16M " + (directory.path() / "image").string() + " && mkfs.ext4 -qF " +
                             (directory.path() / "image").string() + " 2>&1";
    if (::system(make.c_str()) != 0) GTEST_SKIP() << "mkfs.ext4 is not there";
    shared()->topics = shared()->acknowledged = shared()->synced = 0;
    for (std::uint64_t cut = 1; cut <= 3; ++cut) {
      const int lived = with_mounted_image(
          directory, [&](const fs::path& mount) { return live_and_lose_power(mount, image * 100 + cut); });
      if (lived == kCannotMount)
        GTEST_SKIP() << "a loop device cannot be mounted here: that needs root, and a place that permits mounts";
      ASSERT_EQ(lived, 0) << "image " << image << ", cut " << cut;
      ASSERT_EQ(with_mounted_image(directory, look), 0) << "image " << image << ", cut " << cut;
      ASSERT_GE(shared()->found, shared()->synced) << "image " << image << ", cut " << cut;
      lost += std::max<std::int64_t>(shared()->acknowledged - shared()->found, 0);
      shared()->acknowledged = shared()->synced = shared()->found.load();
    }
  }
  EXPECT_GT(lost, 0) << "nothing was ever lost: this file system does not forget, so the test proves nothing";
  RecordProperty("unsynced_batches_lost", std::to_string(lost));
}

}  // namespace
}  // namespace iolab::storage
