#include "experiments/doctor/inside_look.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "experiments/run/load_json.h"
#include "experiments/run/run.h"
#include "experiments/run/trial.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
using Clock = ChildProcess::Clock;

// The moment after an answer a thread may still be on its way to sleep; one that spins never gets there.
std::vector<ThreadState> settled(pid_t process) {
  std::vector<ThreadState> threads;
  for (int i = 0; i < 20; ++i) {
    threads = thread_states(process).value_or(std::vector<ThreadState>{});
    if (std::ranges::all_of(threads, [](const ThreadState& thread) { return thread.state == 'S'; })) break;
    std::this_thread::sleep_for(10ms);
  }
  return threads;
}

}  // namespace

std::expected<std::vector<ThreadState>, std::string> look_inside(const OwnBinary& binary, const std::string& model) {
  const auto scratch = Scratch::create(std::filesystem::temp_directory_path());
  if (!scratch) return std::unexpected(scratch.error());
  const TrialSetup setup{.binary = &binary, .cpus = {}, .scratch = scratch->path()};
  auto server = start_server(setup, model, 0, {});
  if (!server) return std::unexpected(server.error());
  clients::LoadSpec spec;
  spec.target = server->address;
  spec.connections = kSilentConnections;
  auto load =
      ChildProcess::start({.binary = &binary, .arguments = {"iolab", "load", "--spec", "-"}, .quiet_stderr = true});
  if (!load) return std::unexpected(load.error());
  load->write(to_json(spec).dump() + "\n");
  const auto ready = load->read_line(Clock::now() + 10s);
  if (!ready || !ready->starts_with("ready")) return std::unexpected("its connections were not served");
  auto threads = settled(server->process.pid());
  load->close_input();  // nothing was sent: it ends
  load->wait(Clock::now() + 5s);
  server->process.stop(kStopLimit);
  return threads;
}

}  // namespace iolab::lab
