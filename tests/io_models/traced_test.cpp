// The traced pass: the same conversation through every model, with a trace attached. The bytes must be the same, and
// the border between waiting and the rest must lie where it can: after the sending, before the answer.
#include <gmock/gmock.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "io_models/system_calls.h"
#include "tests/io_models/contract.h"

namespace iolab::io::contract {
namespace {

class Collector final : public sys::TraceSink {
 public:
  Collector() { sys::attach_trace(this); }
  ~Collector() override { sys::attach_trace(nullptr); }
  void record(const sys::TraceRecord& record) override {
    const std::lock_guard lock(mutex_);
    records_.push_back(record);
  }
  std::vector<sys::TraceRecord> records() {
    const std::lock_guard lock(mutex_);
    return records_;
  }

 private:
  std::mutex mutex_;
  std::vector<sys::TraceRecord> records_;
};

struct Asked {
  std::int64_t sent_ns;
  std::int64_t answered_ns;
};

}  // namespace

// Lives until the process ends: a thread of the host may be inside a traced call while the fixture is taken down.
Collector& collector() {
  static Collector all;
  return all;
}

class Traced : public Contract {
 protected:
  Traced() { collector(); }
  bool brings_stamps() const { return id() != "posix-aio"; }  // its helpers call read()
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Traced);
INSTANTIATE_TEST_SUITE_P(Models, Traced, testing::ValuesIn(socket_models_with_options()), test_name);

TEST_P(Traced, EveryRequestArrivesBetweenItsSendingAndItsAnswer) {
  // Failure: the picture draws the border between the two phases where it was not, or has none.
  start();
  Client client = connect();
  std::vector<Asked> asked;
  for (int i = 0; i < 20; ++i) {
    Asked one{sys::detail::now_ns(), 0};
    ASSERT_EQ(client.ask(kEcho, std::to_string(i)), std::to_string(i));
    one.answered_ns = sys::detail::now_ns();
    constexpr int kUntilTheKernelStamps = 5;  // it begins a little after it was asked to
    if (i >= kUntilTheKernelStamps) asked.push_back(one);
    wait_a_moment();
  }
  stop();
  const auto records = collector().records();
  for (const Asked& one : asked) {
    const auto stamps = std::ranges::count_if(records, [&](const sys::TraceRecord& record) {
      return record.arrived_ns >= one.sent_ns && record.arrived_ns <= one.answered_ns;
    });
    EXPECT_EQ(stamps >= 1, brings_stamps());
  }
}

TEST_P(Traced, TheBytesAreTheSame) {
  // Failure: a receive that brings a stamp brings other bytes than one that does not, or loses the end of them.
  start();
  Client client = connect();
  const std::string large(300'000, 'x');
  EXPECT_EQ(client.ask(kEcho, large.substr(0, 60'000)), large.substr(0, 60'000));
  EXPECT_EQ(client.ask(kBig, "1000000"), pattern(1'000'000));
  EXPECT_EQ(client.ask(kLater, "later"), "later");
  client.half_close();
  EXPECT_EQ(client.discard_until_end(), 0u);
}

TEST_P(Traced, ACallsCpuTimeIsWithinItsTime) {
  // Failure: a thread that slept is said to have worked, or all calls to have cost nothing.
  start();
  Client client = connect();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(client.ask(kEcho, "there"), "there");
    wait_a_moment();
  }
  stop();
  // Between two readings of the clocks a virtual machine may stand still, and charge that to the thread: now and then.
  constexpr std::int64_t kOfTheClock = 50'000;
  std::size_t calls = 0;
  std::size_t beyond = 0;
  std::int64_t cpu_ns = 0;
  for (const auto& record : collector().records()) {
    EXPECT_LE(record.entered_ns, record.returned_ns);
    EXPECT_GE(record.cpu_ns, 0);
    if (record.is_order) continue;
    ++calls;
    cpu_ns += record.cpu_ns;
    beyond += record.cpu_ns > record.returned_ns - record.entered_ns + kOfTheClock;
  }
  ASSERT_GT(calls, 10u);  // five requests, received and answered
  EXPECT_GT(cpu_ns, 0);
  EXPECT_LE(beyond, 1 + calls / 10) << "of " << calls;
}

}  // namespace iolab::io::contract
