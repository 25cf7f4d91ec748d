// What every case of the contract test stands on: one model, serving a ScriptedHost in a thread of its own.
//
// A case is a process of its own (tests/CMakeLists.txt), because limits, signal masks and glibc's AIO pool belong to
// the process; the fixture refuses to run a second one. A model that cannot run here is skipped with its reason, unless
// IOLAB_REQUIRE_ALL_MODELS is set, as it is in CI: there a skip is a failure.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "io_models/counters.h"
#include "io_models/frontend.h"
#include "io_models/registry.h"
#include "io_models/socket.h"
#include "tests/io_models/contract_client.h"
#include "tests/io_models/contract_host.h"

namespace iolab::io::contract {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// The id of every socket model; with_options() adds one row for each other value of each listed option.
std::vector<std::string> socket_models();
std::vector<std::string> socket_models_with_options();
std::string test_name(const testing::TestParamInfo<std::string>& info);

class Contract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Serves until stop(). Options of the case go before those of the model's name.
  void start(FrontendSettings settings = {}, std::size_t input_bytes = 64 * 1024);
  void stop();  // returns when serve() has returned; ends the process if it does not in time
  void stop_before_it_starts() { stop_.request_stop(); }
  void discard();  // stop(), then everything that the server owned
  Client connect() { return Client(listening_.address); }
  const Address& address() const { return listening_.address; }
  ScriptedHost& host() { return *host_; }

  std::string id() const { return std::string(model_->id); }
  bool has(std::string_view feature) const;
  bool asks_all_the_time() const { return has("never-sleeps"); }
  // How many connections it serves at the same time with these settings, if that is bounded by design.
  std::size_t connections_at_once(const FrontendSettings& settings = {}) const;
  // Settings under which it holds so many connections at once.
  FrontendSettings room_for(std::size_t connections) const;

  // What all threads of the server did since the last call.
  CounterTotals counted();
  // Nothing arrives at `client` for so long, and the server sleeps meanwhile: it waits fewer times than this.
  void expect_rest(Client& client, int window_ms, std::size_t waits_below);

 private:
  const ModelEntry* model_ = nullptr;
  OptionValues options_;
  std::unique_ptr<Frontend> frontend_;
  std::unique_ptr<ScriptedHost> host_;
  ListeningSockets listening_;
  std::stop_source stop_;
  std::future<void> served_;
  CounterTotals last_;
};

std::size_t waits(const CounterTotals& totals);  // calls in which a thread may sleep for the network
std::size_t all_calls(const CounterTotals& totals);
std::size_t threads_of_this_process();
std::size_t descriptors_of_this_process();
void limit(int resource, std::size_t value);  // soft limit of this process
std::size_t queued_signals();                 // SigQ of /proc/self/status

}  // namespace iolab::io::contract
