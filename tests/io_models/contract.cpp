#include "tests/io_models/contract.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "io_models/arrival_stamp.h"
#include "io_models/signals.h"
#include "io_models/system_calls.h"
#include "tests/io_models/required_models.h"

namespace iolab::io::contract {
namespace {

std::size_t entries(const char* directory) {
  const auto all = std::filesystem::directory_iterator(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// "spin|yield|backoff" -> three values; "1..100000" -> none.
std::vector<std::string> enumerated(std::string_view values) {
  std::vector<std::string> list;
  if (values.find('|') == std::string_view::npos) return list;
  for (std::size_t at = 0; at <= values.size();) {
    const std::size_t bar = std::min(values.find('|', at), values.size());
    list.emplace_back(values.substr(at, bar - at));
    at = bar + 1;
  }
  return list;
}

}  // namespace

std::vector<std::string> socket_models() {
  std::vector<std::string> ids;
  for (const ModelEntry& model : models())
    if (model.listeners != Listeners::none) ids.emplace_back(model.id);
  return ids;
}

std::vector<std::string> socket_models_with_options() {
  std::vector<std::string> rows = socket_models();
  for (const ModelEntry& model : models()) {
    if (model.listeners == Listeners::none) continue;
    for (const ModelOption& option : model.options)
      for (const std::string& value : enumerated(option.values))
        if (value != option.default_value)
          rows.push_back(std::string(model.id).append(":").append(option.key).append("=").append(value));
    // So few that they run out at once, in nearly every case.
    if (model.id == "io_uring-multishot") rows.emplace_back("io_uring-multishot:buffers=16,buffer_bytes=1024");
  }
  return rows;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

void Contract::SetUp() {
  static int cases = 0;
  ASSERT_EQ(++cases, 1) << "each case needs a process of its own: run it through ctest, or with a filter for one case";
  auto choice = choose_model(GetParam());
  ASSERT_TRUE(choice.has_value()) << choice.error();
  model_ = choice->entry;
  options_ = choice->options;
  const std::string reason = model_->unavailable();
  if (reason.empty()) return;
  if (must_run_here(model_->id)) FAIL() << GetParam() << " must run here, but: " << reason;
  GTEST_SKIP() << reason;
}

void Contract::TearDown() {
  if (served_.valid()) stop();
}

void Contract::start(FrontendSettings settings, std::size_t input_bytes) {
  settings.options.insert(options_.begin(), options_.end());
  block_model_signals();  // before any other thread: they inherit the mask
  auto made = model_->make(settings);
  ASSERT_TRUE(made.has_value()) << made.error();
  frontend_ = std::move(*made);
  const int threads = settings.threads > 0 ? settings.threads : model_->default_threads;
  auto listening = listen_on({}, model_->listeners == Listeners::one_per_thread ? threads : 1, settings.limits.backlog);
  ASSERT_TRUE(listening.has_value()) << listening.error();
  listening_ = std::move(*listening);
  for (const Fd& socket : listening_.sockets) {
    if (sys::traced()) ask_for_arrival_stamps(socket.get());
  }
  host_ = std::make_unique<ScriptedHost>(input_bytes);
  counted();
  served_ = std::async(std::launch::async, [this, stop = stop_.get_token()] {
    std::vector<int> listeners;
    for (const Fd& socket : listening_.sockets) listeners.push_back(socket.get());
    frontend_->serve(listeners, *host_, stop);
  });
}

void Contract::stop() {
  stop_.request_stop();
  if (served_.wait_for(kDeadline) != std::future_status::ready) {
    std::cerr << "serve() did not return after stop was requested\n";
    std::abort();  // its thread still uses what this object owns
  }
  served_.get();
}

void Contract::discard() {
  if (served_.valid()) stop();
  frontend_.reset();
  host_.reset();
  listening_ = {};
  stop_ = {};
}

bool Contract::has(std::string_view feature) const {
  return std::find(model_->features.begin(), model_->features.end(), feature) != model_->features.end();
}

std::size_t Contract::connections_at_once(const FrontendSettings& settings) const {
  if (has("connections-up-to-threads"))
    return static_cast<std::size_t>(settings.threads > 0 ? settings.threads : model_->default_threads);
  if (id() == "posix-aio") {
    const auto pool = settings.options.find("pool");
    return pool == settings.options.end() ? 256 : std::stoul(pool->second);
  }
  return SIZE_MAX;
}

FrontendSettings Contract::room_for(std::size_t connections) const {
  FrontendSettings settings;
  if (connections <= connections_at_once()) return settings;
  if (has("connections-up-to-threads")) settings.threads = static_cast<int>(connections);
  if (id() == "posix-aio") settings.options["pool"] = std::to_string(connections);
  return settings;
}

CounterTotals Contract::counted() {
  const CounterTotals now = read_counters();
  CounterTotals difference = now;
  difference -= last_;
  last_ = now;
  return difference;
}

void Contract::expect_rest(Client& client, int window_ms, std::size_t waits_below) {
  counted();
  EXPECT_TRUE(client.silent(window_ms)) << "something arrived";
  if (!asks_all_the_time()) {
    EXPECT_LT(waits(counted()), waits_below) << "the server does not sleep";
  }
}

std::size_t waits(const CounterTotals& totals) {
  std::size_t sum = 0;
  for (Call call : {Call::accept4, Call::recv, Call::recvmsg, Call::send, Call::sendmsg, Call::read, Call::select,
                    Call::poll, Call::epoll_wait, Call::rt_sigtimedwait, Call::signalfd, Call::io_uring_enter,
                    Call::aio_read, Call::aio_write, Call::sched_yield, Call::nanosleep, Call::futex_wait})
    sum += totals[call];
  return sum;
}

std::size_t all_calls(const CounterTotals& totals) {
  std::size_t sum = 0;
  for (const std::uint64_t calls : totals.calls) sum += calls;
  return sum;
}

std::size_t threads_of_this_process() {
  return entries("/proc/self/task");
}
std::size_t descriptors_of_this_process() {
  return entries("/proc/self/fd");
}

void limit(int resource, std::size_t value) {
  rlimit limits{};
  ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limits);
  limits.rlim_cur = value;
  ASSERT_EQ(::setrlimit(static_cast<__rlimit_resource_t>(resource), &limits), 0);
}

std::size_t queued_signals() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind("SigQ:", 0) == 0) return std::stoul(line.substr(5));
  return 0;
}

}  // namespace iolab::io::contract
