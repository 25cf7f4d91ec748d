#include "experiments/run/trial.h"

#include <fmt/format.h>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "experiments/machine/environment.h"
#include "experiments/run/both_counts.h"
#include "experiments/run/cold_client.h"
#include "experiments/run/level_load.h"
#include "experiments/run/load_json.h"
#include "experiments/run/observer.h"
#include "experiments/spec/json_document.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using Clock = ChildProcess::Clock;

constexpr auto kStartLimit = 10s;
constexpr auto kSlack = 15s;  // on top of what a step takes by itself, on a machine that is busy with other things

// The last line that a process wrote to its stderr: its own sentence about what went wrong.
std::string last_words(const std::string& file) {
  auto text = read_text_file(file).value_or("");
  while (text.ends_with('\n')) text.pop_back();
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

void pause_for(std::chrono::milliseconds time) {
  const timespec left{time.count() / 1000, time.count() % 1000 * 1'000'000};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, nullptr);
}

// What was asked for and not delivered; empty if all was.
std::string shortfall(const clients::LoadSpec& spec, const clients::LoadResult& load) {
  const auto because = load.note.empty() ? "" : fmt::format(" ({})", load.note);
  if (load.connections_served < spec.connections) {
    return fmt::format("only {} of {} busy connections were served{}", load.connections_served, spec.connections,
                       because);
  }
  if (load.idle_connections_served < spec.idle_connections) {
    return fmt::format("only {} of {} idle connections were served{}", with_thousands(load.idle_connections_served),
                       with_thousands(spec.idle_connections), because);
  }
  for (std::size_t i = 0; i < clients::kLoadErrors; ++i) {
    if (load.errors[i] == 0) continue;
    return fmt::format("{} x {}{}", load.errors[i], clients::name(static_cast<clients::LoadError>(i)), because);
  }
  if (load.requests == 0) return "no request was answered inside the window";
  if (spec.kind == clients::LoadKind::produce && !load.end_offsets_checked) {
    return "the log did not grow by what was acknowledged" + because;
  }
  return {};
}

class Trial {
 public:
  Trial(const TrialSetup& setup, const Spec& spec, const Plan& plan, const PlannedTrial& planned)
      : setup_(setup), spec_(spec), level_(spec.levels[planned.level]), series_(plan.series[planned.series]) {
    record_.index = planned.index;
    record_.block = planned.block;
    record_.cell = cell_id(series_, level_);
    record_.series = series_.id;
    record_.model = series_.model;
    record_.level = level_.id;
    load_spec_ = load_spec_for(level_, spec.timing, plan.seed * 1'000'003 + static_cast<std::uint64_t>(planned.block));
  }

  std::expected<TrialRecord, std::string> run() {
    record_.started = utc_now();
    const double load_at_start = load_average();
    const auto problem = !spec_.probe.empty()            ? run_probe()
                         : series_.role == Role::ceiling ? measure_ceiling()
                         : series_.role == Role::target  ? measure_target()
                                                         : measure();
    if (problem == "interrupted") return std::unexpected(problem);
    record_.machine.load_average = load_at_start;
    record_.ok = problem.empty();
    if (!problem.empty()) record_.reason = problem;
    return std::move(record_);
  }

 private:
  // Each step returns an empty text, or why the trial failed.
  std::string measure() {
    auto server =
        start_server(setup_, series_.model, serving_threads(series_, spec_), broker_properties(series_, level_));
    if (!server) return server.error();
    record_.server.listen_ms = server->listen_ms;
    load_spec_.target = server->address;
    auto observer = Observer::attach(server->process.pid(), setup_.scratch + "/counters");
    if (!observer) return observer.error();
    const pid_t pid = server_pid_ = server->process.pid();
    glance_ = [this, pid] { return over_memory_ = over_memory(pid, spec_.limits.memory_bytes); };
    if (level_.workload.cold_readers > 0) {
      auto client = ColdClient::start(setup_, server->address, spec_.timing, level_.workload.cold_readers);
      if (!client) return client.error();
      cold_client_.emplace(std::move(*client));
    }
    auto problem = drive_load(&*observer);
    if (problem == "interrupted") return problem;
    if (!over_memory_.empty()) {
      server->process.kill_now();  // what grows is not asked to stop
      return over_memory_;
    }
    const auto state = server->process.stop(kStopLimit);
    if (!problem.empty()) return server_ended_itself(state) ? with_last_words(problem, stderr_of("server")) : problem;
    if (!state)
      record_.reason = fmt::format("the server did not stop within {} and was killed", duration_text(kStopLimit));
    if (state && !state->ok()) return with_last_words("the server ended with " + state->text(), stderr_of("server"));
    if (auto less = shortfall(load_spec_, record_.load); !less.empty()) return less;
    // A cold reader's requests are not the load's. A stalled client that was served makes it another experiment.
    if (level_.workload.cold_readers > 0) return {};
    const auto unlike = unlike_counts(load_spec_, record_.load.requests, record_.server.counts["requests"]);
    if (load_spec_.stalled_connections > 0) return unlike;
    if (record_.reason.empty()) record_.reason = unlike;
    return {};
  }

  static bool server_ended_itself(const std::optional<ExitState>& state) { return state && !state->ok(); }

  // One process, on the server's CPU; its peer is a thread of its own on the load's.
  std::string run_probe() {
    std::vector<std::string> arguments{"iolab",
                                       "probe",
                                       spec_.probe,
                                       "--for",
                                       std::to_string(spec_.timing.measure.count()),
                                       "--peer-cpu",
                                       std::to_string(setup_.cpus.load)};
    if (series_.model != spec_.probe) arguments.insert(arguments.end(), {"--model", series_.model});
    for (const auto& [key, value] : level_.probe) arguments.insert(arguments.end(), {"--set", key + "=" + value});
    auto probe = ChildProcess::start({.binary = setup_.binary,
                                      .arguments = std::move(arguments),
                                      .cpu = setup_.cpus.server,
                                      .stderr_file = stderr_of("probe")});
    if (!probe) return probe.error();
    probe->close_input();
    const MachineLook before = look_at_machine(setup_.cpus.server, probe->pid());
    const auto limit = Clock::now() + spec_.timing.measure + kSlack;
    const auto text = probe->read_all(limit);
    const MachineLook after = look_at_machine(setup_.cpus.server, probe->pid());
    if (!text) return text.error();
    const auto state = probe->wait(limit);
    const auto figures = nlohmann::json::parse(*text, nullptr, false);
    if (!state || !state->ok() || !figures.is_object()) {
      return with_last_words("the probe gave no figures", stderr_of("probe"));
    }
    record_.probe = figures.get<std::map<std::string, double>>();
    record_.machine = reading_between(before, after, 0);
    std::erase_if(record_.machine.flags, [](const Flag& flag) { return flag.word == "other-processes"; });
    return {};
  }

  // A broker that runs already: it has a topic of this trial's own, and loses it again.
  std::string measure_target() {
    load_spec_.target = {series_.target->host, series_.target->port};
    load_spec_.topic = fmt::format("iolab-{}-{}-{}", spec_.name, getpid(), record_.index);
    auto problem = drive_load(nullptr);
    if (!delete_topic(setup_, *series_.target, load_spec_.topic)) {
      record_.reason = fmt::format("topic {} could not be deleted again", load_spec_.topic);
    }
    if (problem.empty()) problem = shortfall(load_spec_, record_.load);
    return problem;
  }

  // Without an observer: of a server that is not ours.
  std::string drive_load(const Observer* observer) {
    auto load = start_load({});
    if (!load) return load.error();
    auto answer = expect(*load, "ready", kConnectLimit + kSlack);
    if (!answer.empty()) return answer;
    const Rest rest_before = observer == nullptr ? Rest{} : observer->look_at_rest();
    load->write("go\n");
    if (cold_client_) cold_client_->go();
    if (answer = expect(*load, "window-start", spec_.timing.warmup + kSlack); !answer.empty()) return answer;
    const Border start = observer == nullptr ? Border{} : observer->look_at_border();
    const MachineLook machine_start = look_at_machine(setup_.cpus.server, load->pid());
    const auto stalling = stall_in_the_middle();
    if (answer = expect(*load, "window-end", spec_.timing.measure + kSlack); !answer.empty()) return answer;
    const Border end = observer == nullptr ? Border{} : observer->look_at_border();
    const MachineLook machine_end = look_at_machine(setup_.cpus.server, load->pid());
    if (answer = expect(*load, "answered", load_spec_.answer_deadline + kSlack); !answer.empty()) return answer;
    if (observer != nullptr) note(start, end, rest_before, observer->look_at_rest());
    load->write("close\n");
    auto problem = read_result(*load, kSlack);
    double cold_cpu_s = 0;
    if (problem.empty() && cold_client_) {
      auto reads = cold_client_->finish();
      if (!reads) return reads.error();
      record_.probe = std::move(reads->figures);
      cold_cpu_s = reads->cpu_s;
    }
    note(machine_start, machine_end, start, end, cold_cpu_s);
    return problem;
  }

  // Stops the server once, and lets it go on.
  std::jthread stall_in_the_middle() const {
    if (level_.workload.stall == 0ms || server_pid_ <= 0) return {};
    return std::jthread([pid = server_pid_, before = spec_.timing.measure / 2, stall = level_.workload.stall] {
      pause_for(before);
      ::kill(pid, SIGSTOP);
      pause_for(stall);
      ::kill(pid, SIGCONT);
    });
  }

  std::string measure_ceiling() {
    auto load = start_load({"--ceiling", std::to_string(setup_.cpus.server)});
    if (!load) return load.error();
    auto problem = read_result(*load, kConnectLimit + spec_.timing.warmup + spec_.timing.measure + kSlack);
    if (problem.empty() && record_.load.requests == 0) problem = "no request was answered inside the window";
    return problem;
  }

  std::expected<ChildProcess, std::string> start_load(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"iolab", "load", "--spec", "-"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto load = ChildProcess::start({.binary = setup_.binary,
                                     .arguments = std::move(arguments),
                                     .cpu = setup_.cpus.load,
                                     .stderr_file = stderr_of("load"),
                                     .network_namespace = setup_.load_namespace()});
    if (load) load->write(to_json(load_spec_).dump() + "\n");
    return load;
  }

  std::string expect(ChildProcess& load, std::string_view word, std::chrono::milliseconds limit) const {
    const auto line = load.read_line(Clock::now() + limit, glance_);
    if (line && line->starts_with(word)) return {};
    if (!line && line.error() == "interrupted") return line.error();
    const auto what = line ? fmt::format("the load generator said \"{}\" instead of \"{}\"", *line, word)
                           : fmt::format("no \"{}\" from the load generator: {}", word, line.error());
    const auto words = last_words(stderr_of("load"));
    return words.empty() ? what : words;
  }

  std::string read_result(ChildProcess& load, std::chrono::milliseconds limit) {
    constexpr std::string_view kWord = "result ";
    const auto line = load.read_line(Clock::now() + limit, glance_);
    if (!line && line.error() == "interrupted") return line.error();
    if (!line) return with_last_words("no result from the load generator", stderr_of("load"));
    if (!line->starts_with(kWord)) return "the load generator's result cannot be read";
    auto result = load_result_from_json(std::string_view(*line).substr(kWord.size()));
    if (!result) return result.error();
    record_.load = std::move(*result);
    return {};
  }

  void note(const Border& start, const Border& end, const Rest& rest_before, const Rest& rest_after) {
    auto& server = record_.server;
    server.cpu_s = end.cpu_s - start.cpu_s;
    const auto user = static_cast<double>(end.user_ticks - start.user_ticks);
    const auto system = static_cast<double>(end.system_ticks - start.system_ticks);
    if (user + system > 0) {
      server.user_s = server.cpu_s * user / (user + system);
      server.system_s = server.cpu_s * system / (user + system);
    }
    io::CounterTotals window = end.counters;
    window -= start.counters;
    for (std::size_t i = 0; i < io::kCalls; ++i) {
      if (window.calls[i] > 0) server.calls[std::string(io::name(static_cast<io::Call>(i)))] = window.calls[i];
    }
    for (std::size_t i = 0; i < io::kCounts; ++i) {
      if (window.counts[i] > 0) server.counts[std::string(io::name(static_cast<io::Count>(i)))] = window.counts[i];
    }
    // A thread that ended in between has taken its own along: then this is too little, and never less than nothing.
    const auto since = [](std::uint64_t after, std::uint64_t before) { return after > before ? after - before : 0; };
    server.voluntary_switches = since(rest_after.voluntary_switches, rest_before.voluntary_switches);
    server.involuntary_switches = since(rest_after.involuntary_switches, rest_before.involuntary_switches);
    server.switches_requests = rest_after.counters[io::Count::requests] - rest_before.counters[io::Count::requests];
    server.threads = rest_after.threads;
    server.rss_bytes = rest_after.rss_bytes;
    server.pss_bytes = rest_after.pss_bytes;
    for (const auto& [name, seconds] : rest_after.cpu_by_thread_name) {
      const auto before = rest_before.cpu_by_thread_name.find(name);
      const double used = seconds - (before == rest_before.cpu_by_thread_name.end() ? 0 : before->second);
      if (used > 0) server.cpu_by_thread_name[name] = used;
    }
  }

  // What the load and the cold client used is known only from their results.
  void note(const MachineLook& machine_start, const MachineLook& machine_end, const Border& start, const Border& end,
            double cold_cpu_s) {
    const double ours = record_.server.cpu_s + record_.load.cpu_user_s + record_.load.cpu_system_s + cold_cpu_s;
    record_.machine = reading_between(machine_start, machine_end, ours);
    record_.machine.minor_faults = end.minor_faults - start.minor_faults;
    record_.machine.major_faults = end.major_faults - start.major_faults;
    record_.machine.flags = flags_of(record_.machine);
    // A broker that is not ours may run on this machine: then it is among the others. Waiting for the disk is what is
    // measured where a cold client reads.
    const bool cold = level_.workload.cold_readers > 0;
    std::erase_if(record_.machine.flags, [&](const Flag& flag) {
      return (flag.word == "other-processes" && series_.role == Role::target) || (flag.word == "major-faults" && cold);
    });
  }

  std::string stderr_of(std::string_view who) const { return fmt::format("{}/{}.stderr", setup_.scratch, who); }

  const TrialSetup& setup_;
  const Spec& spec_;
  const Level& level_;
  const Series& series_;
  clients::LoadSpec load_spec_;
  std::optional<ColdClient> cold_client_;
  pid_t server_pid_ = -1;
  TrialRecord record_;
  Glance glance_;            // at the server, while the load is waited for
  std::string over_memory_;  // what it saw
};

}  // namespace

void empty_directory(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) fs::remove_all(entry.path(), error);
}

bool delete_topic(const TrialSetup& setup, const Target& target, const std::string& topic) {
  const auto broker = fmt::format("{}:{}", target.host, target.port);
  auto child =
      ChildProcess::start({.binary = setup.binary,
                           .arguments = {"iolab", "topics", "--bootstrap-server", broker, "--delete", "--topic", topic},
                           .quiet_stderr = true});
  const auto state = child ? child->wait(ChildProcess::Clock::now() + kStopLimit) : std::nullopt;
  return state && state->ok();
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string with_last_words(std::string what, const std::string& file) {
  const auto words = last_words(file);
  return words.empty() ? what : fmt::format("{}: {}", what, words);
}

std::expected<RunningServer, std::string> start_server(const TrialSetup& setup, const std::string& model, int threads,
                                                       const Properties& properties) {
  const std::string host = setup.path == nullptr ? "127.0.0.1" : setup.path->server_host();
  std::vector<std::string> arguments{"iolab",       "broker",
                                     "--model",     model,
                                     "--threads",   std::to_string(threads),
                                     "--listeners", fmt::format("PLAINTEXT://{}:0", host),
                                     "--log-dirs",  setup.scratch + "/data",
                                     "--counters",  setup.scratch + "/counters"};
  if (setup.server_namespace() >= 0) arguments.emplace_back("--allow-insecure-network");  // nobody else is in there
  if (!setup.trace_file.empty()) arguments.insert(arguments.end(), {"--trace", setup.trace_file});
  for (const auto& [key, value] : properties) arguments.insert(arguments.end(), {"--override", key + "=" + value});
  const std::string errors = setup.scratch + "/server.stderr";
  const auto started = Clock::now();
  auto process = ChildProcess::start({.binary = setup.binary,
                                      .arguments = std::move(arguments),
                                      .cpu = setup.cpus.server,
                                      .stderr_file = errors,
                                      .network_namespace = setup.server_namespace()});
  if (!process) return std::unexpected(process.error());
  process->close_input();
  const auto line = process->read_line(started + kStartLimit);
  if (!line && line.error() == "interrupted") return std::unexpected(line.error());
  if (!line) return std::unexpected(with_last_words("the server did not start", errors));
  const double listen_ms = std::chrono::duration<double, std::milli>(Clock::now() - started).count();
  const auto colon = line->rfind(':');
  const int port = colon == std::string::npos ? 0 : std::atoi(line->c_str() + colon + 1);
  if (!line->starts_with("listening ") || port <= 0) {
    return std::unexpected(fmt::format("the server's first line was \"{}\"", *line));
  }
  return RunningServer{std::move(*process), {host, static_cast<std::uint16_t>(port)}, listen_ms};
}

std::expected<TrialRecord, std::string> run_trial(const TrialSetup& setup, const Spec& spec, const Plan& plan,
                                                  const PlannedTrial& planned) {
  empty_directory(setup.scratch);
  auto record = Trial(setup, spec, plan, planned).run();
  empty_directory(setup.scratch);
  return record;
}

}  // namespace iolab::lab
