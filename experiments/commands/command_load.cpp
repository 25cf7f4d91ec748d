#include "experiments/commands/command_load.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <semaphore>
#include <stop_token>
#include <string>
#include <thread>

#include "clients/load.h"
#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/run/load_json.h"

namespace iolab::lab {
namespace {

struct Options {
  std::string spec;
  bool no_handshake = false;
  std::optional<int> ceiling_cpu;
};

void say(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data() + done, text.size() - done);
    if (written < 0 && errno != EINTR) return;  // nobody listens any more: the end of stdin will tell
    if (written > 0) done += static_cast<std::size_t>(written);
  }
}

// Lines of stdin, unbuffered, so that the thread that waits for "stop" later misses none.
std::optional<std::string> read_line() {
  std::string line;
  for (char c = 0;;) {
    const ssize_t got = ::read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return line.empty() ? std::nullopt : std::optional(line);
    if (c == '\n') return line;
    line += c;
  }
}

// Ends the load on "stop" or at the end of stdin, and its connections on "close", until it is destroyed.
class StopListener {
 public:
  explicit StopListener(std::stop_source stop)
      : done_(::eventfd(0, EFD_CLOEXEC)), thread_([this, stop] { listen(stop); }) {}
  void wait_for_close() { close_.acquire(); }
  ~StopListener() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(done_, &one, sizeof one);
    thread_.join();
    ::close(done_);
  }
  StopListener(const StopListener&) = delete;
  StopListener& operator=(const StopListener&) = delete;

 private:
  void listen(std::stop_source stop) {
    for (;;) {
      pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {done_, POLLIN, 0}};
      if (::poll(watched, 2, -1) < 0) continue;
      if (watched[1].revents != 0) return;
      const auto line = read_line();
      if (line && *line == "close") close_.release();
      if (line && *line != "stop") continue;
      stop.request_stop();
      close_.release();
      return;
    }
  }
  int done_;
  std::counting_semaphore<> close_{0};
  std::thread thread_;
};

std::expected<std::string, std::string> read_spec(const std::string& where) {
  if (where == "-") {
    auto line = read_line();
    if (!line) return std::unexpected("no spec on stdin");
    return *line;
  }
  std::ifstream file(where);
  if (!file) return std::unexpected(fmt::format("cannot read the spec {}", where));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

int run(const Options& options) {
  const auto text = read_spec(options.spec);
  if (!text) return fail("load", kInvalidSpec, text.error());
  const auto spec = load_spec_from_json(*text);
  if (!spec) return fail("load", kInvalidSpec, spec.error());
  const auto report = [&](const std::expected<clients::LoadResult, std::string>& result) {
    if (!result) return fail("load", kCannotRunHere, result.error());
    say("result " + to_json(*result).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return static_cast<int>(kOk);
  };
  if (options.ceiling_cpu) return report(clients::measure_ceiling(*spec, *options.ceiling_cpu));

  std::stop_source stop;
  std::optional<StopListener> listener;
  clients::LoadEvents events;
  events.stop = stop.get_token();
  events.on_ready = [&](const clients::LoadResult& so_far) {
    say(fmt::format("ready {} {}", so_far.connections_served, so_far.idle_connections_served));
    if (options.no_handshake) return true;
    const auto line = read_line();
    if (!line || *line != "go") return false;
    listener.emplace(stop);
    return true;
  };
  events.on_window_start = [] { say("window-start"); };
  events.on_window_end = [] { say("window-end"); };
  events.on_answered = [&] {
    say("answered");
    if (listener) listener->wait_for_close();
  };
  const auto result = clients::run_load(*spec, events);
  listener.reset();
  return report(result);
}

}  // namespace

void add_load_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("load", "The load generator as a process: for the lab");
  command->group("");  // hidden
  auto options = std::make_shared<Options>();
  command->add_option("--spec", options->spec, "JSON file, or - for a line on stdin")->required();
  command->add_flag("--no-handshake", options->no_handshake, "Do not wait for \"go\" on stdin");
  command->add_option("--ceiling", options->ceiling_cpu, "Against a trivial server of its own on this CPU");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace iolab::lab
