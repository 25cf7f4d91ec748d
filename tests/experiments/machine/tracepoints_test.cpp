// A ring of the kernel's records: read whole, around its end, and with what it had no room for.
#include "experiments/machine/tracepoints.h"

#include <gtest/gtest.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <vector>

namespace iolab::lab {
namespace {

constexpr std::size_t kPage = 4096;

// A ring of one page as the kernel would have filled it: a head, and the records behind it.
class MadeUpRing {
 public:
  MadeUpRing() : file_(::memfd_create("ring", MFD_CLOEXEC)) {
    if (::ftruncate(file_, 2 * kPage) != 0) return;
    memory_ = static_cast<char*>(::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0));
  }
  ~MadeUpRing() {
    ::munmap(memory_, 2 * kPage);
    ::close(file_);
  }
  MadeUpRing(const MadeUpRing&) = delete;
  MadeUpRing& operator=(const MadeUpRing&) = delete;
  int file() const { return file_; }

  // Where the next record begins; nothing before it is unread.
  void begin_at(std::uint64_t place) {
    head_ = place;
    head()->data_head = head()->data_tail = place;
  }
  void add_sample(std::uint32_t thread, std::uint64_t at_ns, std::uint16_t tracepoint) {
    struct Sample {
      std::uint32_t process, thread;
      std::uint64_t at_ns;
      std::uint32_t raw_bytes;
      std::uint16_t tracepoint;
      std::array<char, 2> padding;
    } __attribute__((packed));
    const Sample sample{1, thread, at_ns, 4, tracepoint, {}};
    add(PERF_RECORD_SAMPLE, &sample, sizeof sample);
  }
  void add_loss(std::uint64_t records) {
    const std::array<std::uint64_t, 2> loss{77, records};  // of which event, how many
    add(PERF_RECORD_LOST, loss.data(), sizeof loss);
  }

 private:
  perf_event_mmap_page* head() { return reinterpret_cast<perf_event_mmap_page*>(memory_); }
  void add(std::uint32_t type, const void* body, std::size_t bytes) {
    perf_event_header header{};
    header.type = type;
    header.size = static_cast<std::uint16_t>(sizeof header + bytes);
    write(&header, sizeof header);
    write(body, bytes);
    head()->data_head = head_;
  }
  void write(const void* from, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) memory_[kPage + head_++ % kPage] = static_cast<const char*>(from)[i];
  }

  int file_;
  char* memory_ = nullptr;
  std::uint64_t head_ = 0;
};

struct Drained {
  std::vector<EventHead> events;
  std::uint64_t lost = 0;
};
Drained drained(EventRing& ring) {
  Drained all;
  ring.drain([&](const EventHead& head, std::span<const std::byte>) { all.events.push_back(head); }, all.lost);
  return all;
}

TEST(Tracepoints, ARingIsReadAroundItsEndAndOnce) {
  SCOPED_TRACE("a record that lies across the end of a ring is nonsense, or comes twice");
  MadeUpRing made_up;
  made_up.begin_at(kPage - 20);
  made_up.add_sample(41, 1000, 7);
  made_up.add_sample(42, 2000, 8);
  auto ring = EventRing::map(made_up.file(), 1);
  ASSERT_TRUE(ring);
  const auto all = drained(*ring);
  ASSERT_EQ(all.events.size(), 2u);
  EXPECT_EQ(all.events[0].thread, 41);
  EXPECT_EQ(all.events[0].at_ns, 1000);
  EXPECT_EQ(all.events[0].tracepoint, 7);
  EXPECT_EQ(all.events[1].thread, 42);
  EXPECT_EQ(all.lost, 0u);
  EXPECT_TRUE(drained(*ring).events.empty());
}

TEST(Tracepoints, WhatARingHadNoRoomForIsCounted) {
  SCOPED_TRACE("a ring that was full looks as if it had seen everything");
  MadeUpRing made_up;
  made_up.add_sample(41, 1000, 7);
  made_up.add_loss(5);
  made_up.add_sample(41, 9000, 7);
  made_up.add_loss(2);
  auto ring = EventRing::map(made_up.file(), 1);
  ASSERT_TRUE(ring);
  const auto all = drained(*ring);
  EXPECT_EQ(all.events.size(), 2u);
  EXPECT_EQ(all.lost, 7u);
}

class OnOneCpu {
 public:
  OnOneCpu() {
    ::sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(static_cast<unsigned>(cpu), &only);
    ::sched_setaffinity(0, sizeof only, &only);
  }
  ~OnOneCpu() { ::sched_setaffinity(0, sizeof before_, &before_); }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;

  const int cpu = ::sched_getcpu();

 private:
  cpu_set_t before_{};
};

// The kernel itself, where it permits that.
TEST(Tracepoints, WhatIsLostLastIsCountedToo) {
  SCOPED_TRACE("a ring tells of a loss with the next record only, and what was lost at the end is never counted");
  const auto tracepoint = find_tracepoints({"raw_syscalls/sys_enter"}).front();
  if (tracepoint.id == 0) GTEST_SKIP() << "no tracepoints on this machine";
  const OnOneCpu pinned;
  const int event = open_tracepoint(tracepoint.id, ::gettid(), pinned.cpu);
  if (event < 0) GTEST_SKIP() << "no permission for tracepoints";
  if (!lost_records(event)) GTEST_SKIP() << "this kernel does not count what an event loses (it needs Linux 6.0)";
  auto ring = EventRing::map(event, 1);
  ASSERT_TRUE(ring);
  drained(*ring);
  const auto lost_before = *lost_records(event);
  constexpr int kCalls = 2000;  // a page holds about seventy
  for (int i = 0; i < kCalls; ++i) ::syscall(SYS_getppid);
  ::ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
  const auto all = drained(*ring);
  const auto lost = *lost_records(event) - lost_before;
  EXPECT_GT(all.events.size(), 10u);
  EXPECT_LT(all.lost, lost);  // nothing came after it
  EXPECT_GE(all.events.size() + lost, static_cast<std::size_t>(kCalls));
  ::close(event);
}

}  // namespace
}  // namespace iolab::lab
