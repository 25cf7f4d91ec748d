#include "broker/session/command_broker.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "broker/base/log.h"
#include "broker/core/properties.h"
#include "broker/handlers/dispatch.h"
#include "broker/session/broker_host.h"
#include "broker/session/cold_readers.h"
#include "broker/session/listener.h"
#include "broker/session/properties_file.h"
#include "broker/session/stop_signals.h"
#include "io_models/arrival_stamp.h"
#include "io_models/counters.h"
#include "io_models/registry.h"
#include "io_models/signals.h"
#include "io_models/socket.h"
#include "io_models/trace_recorder.h"

namespace iolab::session {
namespace {

struct Flags {
  std::string model = "epoll";
  int threads = 0;
  std::string listeners;
  std::string log_dirs;
  std::vector<std::string> overrides;
  std::string properties_file;
  std::string counters_file;
  std::string trace_file;
  std::string script;
  std::string answers;
  bool allow_insecure_network = false;
  bool describe_protocol = false;
  bool check = false;
};

// Why the broker does not start: the exit code, and one sentence.
struct Refusal {
  ExitCode code;
  std::string message;
};
using Checked = std::expected<void, Refusal>;

std::unexpected<Refusal> refuse(ExitCode code, std::string message) {
  return std::unexpected(Refusal{code, std::move(message)});
}

std::expected<core::BrokerSettings, Refusal> read_settings(const Flags& flags) {
  core::BrokerSettings settings = core::default_settings();
  std::expected<void, std::string> done;
  if (!flags.properties_file.empty()) done = load_properties(flags.properties_file, settings);
  for (const std::string& override_text : flags.overrides) {
    if (done) done = apply_override(override_text, settings);
  }
  if (done && !flags.listeners.empty()) done = core::set_property(settings, "listeners", flags.listeners);
  if (done && !flags.log_dirs.empty()) done = core::set_property(settings, "log.dirs", flags.log_dirs);
  if (done) done = core::settle(settings);
  if (!done) return refuse(kInvalidSpec, done.error());
  return settings;
}

std::expected<std::unique_ptr<io::Frontend>, Refusal> make_frontend(const io::ModelChoice& choice, const Flags& flags) {
  if (const std::string reason = choice.entry->unavailable(); !reason.empty()) {
    return refuse(kCannotRunHere, fmt::format("model {} cannot run here: {}", choice.entry->id, reason));
  }
  io::FrontendSettings settings{.threads = flags.threads, .limits = {}, .options = choice.options};
  if (choice.entry->listeners == io::Listeners::none) {
    if (flags.script.empty()) {
      return refuse(kUsage,
                    fmt::format("model {} has no network; name its requests with --script FILE", choice.entry->id));
    }
    settings.options["script"] = flags.script;
    if (!flags.answers.empty()) settings.options["answers"] = flags.answers;
  } else if (!flags.script.empty() || !flags.answers.empty()) {
    return refuse(kUsage, "--script and --answers are for --model null");
  }
  auto frontend = choice.entry->make(settings);
  if (!frontend) return refuse(kCannotRunHere, frontend.error());
  return std::move(*frontend);
}

struct Endpoints {
  Listener listener;
  Listener advertised;
};

std::expected<Endpoints, Refusal> read_endpoints(const core::BrokerSettings& settings, bool insecure_allowed) {
  const auto listener = parse_listener("listeners", settings.listeners, false);
  if (!listener) return refuse(kInvalidSpec, listener.error());
  Endpoints endpoints{*listener, *listener};
  if (!settings.advertised_listeners.empty()) {
    const auto advertised = parse_listener("advertised.listeners", settings.advertised_listeners, true);
    if (!advertised) return refuse(kInvalidSpec, advertised.error());
    endpoints.advertised = *advertised;
  } else if (listener->is_any()) {
    return refuse(kInvalidSpec, fmt::format("listeners={}: clients cannot connect to all addresses; say which one with "
                                            "advertised.listeners=PLAINTEXT://address:port",
                                            settings.listeners));
  }
  if (!listener->is_loopback() && !insecure_allowed) {
    return refuse(kUsage, fmt::format("listeners={}: anyone who reaches this address could read and write everything; "
                                      "listen on 127.0.0.1, or permit it with --allow-insecure-network",
                                      settings.listeners));
  }
  return endpoints;
}

// Most models need a descriptor for each connection; the soft limit is only a habit of login shells. Returns the limit.
std::int64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur != limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 30));
}

// A partition has a descriptor for each segment and two for the index that is being written; connections need some,
// too.
std::int64_t partitions_for(std::int64_t descriptors) {
  constexpr std::int64_t kDescriptorsEach = 4;
  return std::max<std::int64_t>(1, descriptors / kDescriptorsEach);
}

std::expected<io::ListeningSockets, Refusal> listen(const io::ModelEntry& model, const Listener& where, int threads) {
  if (model.listeners == io::Listeners::none) return io::ListeningSockets{};
  const int wanted = threads > 0 ? threads : model.default_threads;
  const int sockets = model.listeners == io::Listeners::one_shared ? 1 : wanted;
  auto listening = io::listen_on({where.host, where.port}, sockets, io::Limits{}.backlog);
  if (!listening) return refuse(kCannotRunHere, listening.error());
  return std::move(*listening);
}

void serve(io::Frontend& frontend, const io::ListeningSockets& listening, BrokerHost& host, std::stop_token stop) {
  std::vector<int> descriptors;
  for (const io::Fd& socket : listening.sockets) descriptors.push_back(socket.get());
  host.start();
  frontend.serve(descriptors, host, std::move(stop));
  host.stop();
}

void announce(const Flags& flags, const io::ListeningSockets& listening, const Listener& listener,
              const core::Broker& broker) {
  if (!listening.sockets.empty()) {
    fmt::print("listening {}\n", listener.text());
    std::fflush(stdout);
  }
  base::log::info("broker started", {{"model", flags.model},
                                     {"listener", listener.text()},
                                     {"log.dirs", broker.settings().log_dirs},
                                     {"topics", broker.topics().all().size()}});
}

std::expected<void, Refusal> run(const Flags& flags) {
  auto settings = read_settings(flags);
  if (!settings) return std::unexpected(settings.error());
  const auto choice = io::choose_model(flags.model);
  if (!choice) return refuse(kUsage, choice.error());
  auto endpoints = read_endpoints(*settings, flags.allow_insecure_network);
  if (!endpoints) return std::unexpected(endpoints.error());
  if (!flags.counters_file.empty()) {
    if (auto page = io::create_counter_page(flags.counters_file); !page) return refuse(kCannotRunHere, page.error());
  }
  settings->most_partitions = partitions_for(raise_descriptor_limit());
  auto frontend = make_frontend(*choice, flags);
  if (!frontend) return std::unexpected(frontend.error());
  std::unique_ptr<io::TraceRecorder> trace;
  if (!flags.trace_file.empty()) {
    auto opened = io::TraceRecorder::start(flags.trace_file);
    if (!opened) return refuse(kCannotRunHere, opened.error());
    trace = std::move(*opened);
  }

  SystemClock clock;
  SystemRandom random;
  auto broker = core::Broker::open(std::move(*settings), random, clock.now(), counting_file_hooks());
  if (!broker) return refuse(kCannotRunHere, broker.error());
  const auto listening = listen(*choice->entry, endpoints->listener, flags.threads);
  if (!listening) {
    (void)(*broker)->close();  // a busy port is no reason for the next start to scan the logs
    return std::unexpected(listening.error());
  }
  for (const io::Fd& socket : listening->sockets) {
    if (trace) io::ask_for_arrival_stamps(socket.get());
  }
  endpoints->listener.port = listening->address.port;
  if (endpoints->advertised.port == 0) endpoints->advertised.port = endpoints->listener.port;
  (*broker)->set_endpoint({endpoints->advertised.host, endpoints->advertised.port});
  {
    // Before and after, a signal ends the process at once: recovery and the closing of logs survive that, as they
    // survive kill -9, and whoever asked need not wait for the disk.
    StopSignals signals(kInterrupted);
    BrokerHost host(**broker, clock, &signals);
    const auto cold_reader = make_cold_reader((*broker)->settings().fetch_cold);
    if (!cold_reader) {
      (void)(*broker)->close();
      return refuse(kCannotRunHere, cold_reader.error());
    }
    (*broker)->set_cold_reader(cold_reader->get());
    announce(flags, *listening, endpoints->listener, **broker);
    serve(**frontend, *listening, host, signals.token());
  }
  if (!(*broker)->close())
    return refuse(kCannotRunHere, "not everything could be closed cleanly; the next start checks the logs");
  base::log::info("broker stopped, every log is closed");
  return {};
}

// For whoever writes a configuration: the sentence about the first thing that is wrong with it. Nothing is opened.
int check(const Flags& flags) {
  const auto settings = read_settings(flags);
  const auto choice = io::choose_model(flags.model);
  const auto endpoints =
      settings ? read_endpoints(*settings, flags.allow_insecure_network) : std::unexpected(settings.error());
  if (settings && choice && endpoints) return kOk;
  fmt::print("{}\n", !settings ? settings.error().message : !choice ? choice.error() : endpoints.error().message);
  return kInvalidSpec;
}

int run_command(const Flags& flags) {
  if (flags.describe_protocol) {
    fmt::print("{}", handlers::describe_support());
    return kOk;
  }
  if (flags.check) return check(flags);
  io::block_model_signals();
  const auto done = run(flags);
  if (done) return kOk;
  fmt::print(stderr, "iolab broker: {}\n", done.error().message);
  return done.error().code;
}

}  // namespace

void add_broker_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("broker", "Serve Kafka clients through one I/O model.");
  command->add_option("properties", flags->properties_file, "a properties file with Kafka's names");
  command->add_option("--model", flags->model, "the I/O model, as id or id:key=value,... (see iolab models)")
      ->capture_default_str();
  command->add_option("--threads", flags->threads, "serving threads; 0: the model's default")
      ->check(CLI::Range(0, 1024));
  command->add_option("--listeners", flags->listeners, "PLAINTEXT://address:port; port 0 lets the kernel choose");
  command->add_option("--log-dirs", flags->log_dirs, "the data directory");
  command->add_option("--override", flags->overrides, "key=value; beats the properties file; may be repeated")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command->add_option("--counters", flags->counters_file, "map the counters of what the server does to this file");
  command->add_option("--trace", flags->trace_file, "write every system call of the front-end to this file (slow)");
  command->add_option("--script", flags->script, "for --model null: a file of request frames");
  command->add_option("--answers", flags->answers, "for --model null: where the answers go");
  command->add_flag("--allow-insecure-network", flags->allow_insecure_network,
                    "permit a listener that is not on this machine's loopback, without authentication");
  command->add_flag("--describe-protocol", flags->describe_protocol, "print docs/PROTOCOL_SUPPORT.md and end");
  command->add_flag("--check", flags->check, "say what is wrong with model and properties, start nothing, and end");
  command->callback([flags, &exit_code] { exit_code = run_command(*flags); });
}

}  // namespace iolab::session
