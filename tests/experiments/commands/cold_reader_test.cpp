// A client that reads old records beside the load: that they come from the disk, and that a lab which cannot see to
// that says so.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "experiments/run/cold_files.h"
#include "experiments/run/plan.h"
#include "tests/experiments/program_test.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ColdReaderTest : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    struct statfs where{};
    if (::statfs(root_.c_str(), &where) != 0 || where.f_type == TMPFS_MAGIC) {
      GTEST_SKIP() << "temporary files lie in memory here: nothing is cold";
    }
  }

  // By all processes that were started here and have ended, and by theirs.
  static double bytes_from_the_disk() {
    rusage ended{};
    getrusage(RUSAGE_CHILDREN, &ended);
    return static_cast<double>(ended.ru_inblock) * 512;
  }
};

TEST_F(ColdReaderTest, ReadsFromTheDiskBesideTheLoad) {
  SCOPED_TRACE("a run with a cold reader measures none, or its records were in memory, or an answer is wrong");
  std::ofstream("cold.json") << R"({"version": 1, "name": "mine", "question": "Who waits?", "models": ["epoll"],
    "variants": {"pool": {"model": "epoll", "broker": {"iolab.fetch.cold": "pool"}},
                 "ring": {"model": "epoll", "broker": {"iolab.fetch.cold": "io_uring"}}},
    "workload": {"connections": 2, "cold_readers": 1},
    "timing": {"warmup": "20ms", "measure": "200ms", "repeat": 1}})";
  const double before = bytes_from_the_disk();
  const auto ended = run({"run", "cold.json", "--no-report", "--out", "out"});
  ASSERT_EQ(ended.code, 0) << ended.err << ended.out;
  int readers = 0;
  double reads = 0;
  for (const auto& trial : fs::directory_iterator("out/trials")) {
    const auto record = json_file("out/trials/" + trial.path().filename().string());
    EXPECT_EQ(record["status"], "ok") << record["reason"];
    if (!record.contains("probe")) continue;
    const double per_s = record["probe"].value("cold_reads_per_s", 0.0);
    EXPECT_GT(per_s, 10) << record["series"];
    readers += 1;
    reads += per_s * 0.2;
    for (const auto& flag : record["machine"]["flags"]) EXPECT_NE(flag["word"], "major-faults") << record["series"];
  }
  EXPECT_EQ(readers, 4);  // epoll, epoll again, and the two variants
  if (!fs::exists("/proc/self/io")) GTEST_SKIP() << "this kernel does not count what is read from the disk";
  EXPECT_GT(bytes_from_the_disk() - before, 0.8 * reads * 256 * 1024) << reads << " reads";
}

TEST_F(ColdReaderTest, TheKernelIsToldNotToReadAhead) {
  SCOPED_TRACE("most reads of a cold reader are warm, because the kernel has read on");
  Level level;
  EXPECT_TRUE(broker_properties({}, level).empty());
  level.workload.cold_readers = 1;
  level.broker = {{"iolab.fetch.read.ahead", "true"}};
  // The last one counts: whoever asks for it can have it.
  EXPECT_EQ(broker_properties({}, level),
            (Properties{{"iolab.fetch.read.ahead", "false"}, {"iolab.fetch.read.ahead", "true"}}));
}

TEST_F(ColdReaderTest, NoFilesAreAnError) {
  SCOPED_TRACE("nothing was dropped, because nothing was found, and the reads are called cold");
  fs::create_directory("load-0");
  std::ofstream("load-0/0.log") << "of another topic";
  EXPECT_THAT(log_files(root_, "cold").error(), HasSubstr("no log of the topic 'cold'"));
  EXPECT_FALSE(log_files(root_ + "/missing", "cold"));
  fs::create_directory("cold-0");
  std::ofstream("cold-0/0.log") << "records";
  std::ofstream("cold-0/0.index") << "entries";
  EXPECT_THAT(log_files(root_, "cold").value(), testing::ElementsAre(root_ + "/cold-0/0.log"));
}

TEST_F(ColdReaderTest, WhatStaysInMemoryIsAnError) {
  SCOPED_TRACE("pages that the kernel keeps are called cold");
  constexpr std::size_t kBytes = 4 << 20;
  std::ofstream("records") << std::string(kBytes, 'r');
  EXPECT_EQ(share_in_memory("records"), 1.0);
  EXPECT_EQ(take_out_of_memory("records"), "");
  EXPECT_LT(share_in_memory("records").value_or(1), 0.1);

  const int file = ::open("records", O_RDONLY | O_CLOEXEC);
  void* const held = ::mmap(nullptr, kBytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
  ::close(file);
  ASSERT_NE(held, MAP_FAILED);
  EXPECT_THAT(take_out_of_memory("records"), HasSubstr("still in memory"));
  ::munmap(held, kBytes);
  EXPECT_EQ(take_out_of_memory("records"), "");
  EXPECT_THAT(take_out_of_memory("missing"), HasSubstr("cannot open"));
}

}  // namespace
}  // namespace iolab::lab
