#include "experiments/doctor/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "experiments/machine/assets.h"
#include "experiments/run/plan.h"
#include "experiments/spec/json_document.h"
#include "experiments/spec/spec.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiB = 1 << 30;

void note_what_runs(Diagnosis::Experiment& experiment, const Plan& plan) {
  const auto is_model = [&](std::size_t series) { return plan.series[series].role != Role::ceiling; };
  std::set<std::pair<std::size_t, std::size_t>> running;
  for (const auto& trial : plan.trials) {
    if (is_model(trial.series)) running.emplace(trial.series, trial.level);
  }
  std::size_t not_running = 0;
  for (const auto& entry : plan.not_run) {
    if (!is_model(entry.series)) continue;
    ++not_running;
    const std::pair pair{plan.series[entry.series].id, entry.reason};
    if (std::ranges::find(experiment.not_run, pair) == experiment.not_run.end()) experiment.not_run.push_back(pair);
  }
  experiment.cells = running.size() + not_running;
  experiment.runs = !running.empty();
  if (not_running == 0) return;
  experiment.remark =
      experiment.runs ? fmt::format("{} of {} cells", running.size(), experiment.cells) : "nothing of it";
  std::vector<std::pair<std::string, std::vector<std::string>>> by_reason;
  for (const auto& [series, reason] : experiment.not_run) {
    auto one = std::ranges::find(by_reason, reason, &std::pair<std::string, std::vector<std::string>>::first);
    if (one == by_reason.end()) one = by_reason.insert(one, {reason, {}});
    one->second.push_back(series);
  }
  for (const auto& [reason, series] : by_reason) {
    experiment.remark += fmt::format("; not {}: {}", listed(series), reason);
  }
}

std::vector<Diagnosis::Experiment> examine_experiments(const Diagnosis& diagnosis) {
  std::vector<Diagnosis::Experiment> list;
  const auto ids = ids_of(diagnosis.models);
  for (const auto& file : find_experiments()) {
    Diagnosis::Experiment experiment{.name = file.name, .remark = "", .runs = true};
    const auto text = read_text_file(file.path);
    const auto spec =
        text ? parse_spec(*text, file.path, {.known_models = ids}) : std::unexpected(std::vector<Problem>{});
    if (!spec) {
      experiment.runs = false;
      experiment.remark = "its file cannot be read: iolab run " + file.name + " --dry-run";
    } else {
      const auto plan = make_plan(*spec, diagnosis.models, diagnosis.limits.descriptors_hard, 1);
      note_what_runs(experiment, plan);
    }
    list.push_back(std::move(experiment));
  }
  return list;
}

std::string ceiling_text(const Ceiling& ceiling) {
  if (!std::isfinite(ceiling.value)) return ceiling.label + " not measurable here";
  if (ceiling.id == "fdatasync" && ceiling.value >= 1000) {
    return fmt::format("{} {} ms", ceiling.label, three_digits(ceiling.value / 1000));
  }
  if (ceiling.unit == "MB/s") return fmt::format("{} {} GB/s", ceiling.label, three_digits(ceiling.value / 1000));
  return fmt::format("{} {} {}", ceiling.label, three_digits(ceiling.value), ceiling.unit);
}

std::string noise_text(const NoiseHint& noise, double load) {
  // A slice of this loop is 20 ms long and a trial some seconds: what moves faster than that is averaged out there.
  return fmt::format(
      "equal work took unequal time by up to {} from one 20 ms to the next · steal {} · load average {:.2f}",
      percent_text(noise.spread), percent_text(noise.steal), load);
}

std::string limits_text(const Limits& limits) {
  const auto number = [](std::uint64_t value) {
    return value > (std::uint64_t{1} << 60) ? std::string("unlimited") : with_thousands(static_cast<double>(value));
  };
  return fmt::format("open files {} (may be raised to {}) · queued signals {} of {} in use · {} ports · somaxconn {}",
                     number(limits.descriptors_soft), number(limits.descriptors_hard), number(limits.signals_queued),
                     number(limits.signals_limit), with_thousands(limits.ports), with_thousands(limits.somaxconn));
}

}  // namespace

std::vector<std::string> cannot_answer_with(std::size_t cpus) {
  std::vector<std::string> list;
  if (cpus < 2) {
    list.emplace_back("how fast a model is: server and load take turns on one CPU, so every time is half scheduler");
  }
  if (cpus < 4) {
    list.emplace_back(
        "what more serving threads gain (--threads, the threads of blocking and blocking-pool): they share "
        "the server's one CPU");
    list.emplace_back(
        "what a thread of the kernel or of a library takes off a model (SQPOLL, posix-aio's helpers): it "
        "runs on the server's CPU and is paid there");
  }
  if (cpus < 8) list.emplace_back("how anything scales over many cores, caches or sockets");
  return list;
}

std::vector<std::string> advice_for(const Diagnosis& d) {
  std::vector<std::string> advice;
  if (d.cpus.shared()) {
    advice.emplace_back(
        "one CPU only: server and load share it, so times say as much about the scheduler as about a "
        "model; the counts stay exact");
  }
  if (d.machine.on_battery) advice.emplace_back("on battery: plug in the charger, or the clock frequency will wander");
  if (d.machine.governor == "powersave")
    advice.emplace_back("frequency governor is powersave: expect slow first milliseconds");
  if (d.machine.virtualisation == "virtual machine") {
    advice.emplace_back(
        "a virtual machine: neighbours change its speed within minutes; believe ratios inside one run, "
        "not figures of different runs");
  }
  constexpr double kMuchSteal = 0.01;
  constexpr double kMuchNoise = 0.1;
  if (d.noise.steal > kMuchSteal) advice.emplace_back("the host takes time away (steal): try again when it is quieter");
  if (d.noise.spread > kMuchNoise) advice.emplace_back("noisy right now: use --profile standard, not quick, for times");
  if (d.load > static_cast<double>(d.machine.cpus.size()) * 0.5) {
    advice.emplace_back("other programs are busy (load average): stop them before measuring");
  }
  constexpr std::uint64_t kManyDescriptors = 11'000;
  if (d.limits.descriptors_hard < kManyDescriptors) {
    advice.push_back(fmt::format("open files are limited to {}: 10,000 idle connections need `ulimit -Hn {}`",
                                 with_thousands(static_cast<double>(d.limits.descriptors_hard)), 20'000));
  }
  if (d.machine.available_bytes < kGiB)
    advice.emplace_back("less than 1 GiB of memory is free: keep to --profile quick");
  if (d.disk.used_share() > 0.8) advice.emplace_back("the disk is more than 80 % full: a run would stop at once");
  if (d.disk.type == "9p")
    advice.emplace_back("this directory lies on the host (9p): run in your home directory instead");
  if (d.disk.type == "tmpfs")
    advice.emplace_back("this directory is tmpfs: fdatasync costs nothing here, so say nothing about disks");
  if (!d.python_error.empty()) advice.push_back(d.python_error);
  return advice;
}

Diagnosis examine(const OwnBinary& binary) {
  Diagnosis d;
  d.machine = read_machine();
  d.cpus = choose_cpus(d.machine.cpus);
  d.limits = read_limits();
  const auto here = std::filesystem::current_path().string();
  d.disk = disk_space(here);
  d.load = load_average();
  if (auto models = ask_for_models(binary)) {
    d.models = std::move(*models);
  } else {
    d.models_error = models.error();
  }
  if (auto python = find_python()) {
    d.python = *python;
  } else {
    d.python_error = python.error();
  }
  d.ceilings = measure_ceilings(d.cpus, here, 150ms);
  d.noise = measure_noise(1000ms);
  d.experiments = examine_experiments(d);
  d.cannot_answer = cannot_answer_with(d.machine.cpus.size());
  d.advice = advice_for(d);
  return d;
}

std::string to_text(const Diagnosis& d, int width) {
  std::string text;
  constexpr std::size_t kIndent = 11;
  const auto line = [&](std::string_view label, std::string_view content) {
    text += padded(label, kIndent) + folded(content, static_cast<std::size_t>(width), kIndent, kIndent) + "\n";
  };
  line("Machine",
       one_line(d.machine) + fmt::format(" ({:.1f} free)", static_cast<double>(d.machine.available_bytes) / kGiB));
  std::string runnable;
  std::string missing;
  for (const auto& model : d.models) {
    if (model.available)
      runnable += (runnable.empty() ? "" : " ") + model.id;
    else
      missing += fmt::format("{}{}: {}", missing.empty() ? "" : "; ", model.id, model.reason);
  }
  line("Models", d.models.empty() ? "cannot be listed: " + d.models_error
                                  : runnable + (missing.empty() ? " (all can run here)" : ""));
  if (!missing.empty()) line("", "not here: " + missing);
  line("CPUs", d.cpus.shared() ? fmt::format("server and load share CPU {}", d.cpus.server)
                               : fmt::format("server on CPU {}, load on CPU {}", d.cpus.server, d.cpus.load));
  line("Limits", limits_text(d.limits));
  std::string ceilings;
  for (const auto& ceiling : d.ceilings) ceilings += (ceilings.empty() ? "" : " · ") + ceiling_text(ceiling);
  line("Ceilings", ceilings);
  line("Noise", noise_text(d.noise, d.load));
  line("Disk", fmt::format("{} · {} free · {} used", d.disk.type, size_text(d.disk.available),
                           percent_text(d.disk.used_share())));
  line("Pictures", d.python.empty() ? "no: tables only" : d.python + " with matplotlib");
  std::string whole = "first-look";
  for (const auto& experiment : d.experiments) whole += experiment.remark.empty() ? " · " + experiment.name : "";
  line("Can run", d.experiments.empty() ? whole + "; no experiments/*.json found here" : whole);
  for (const auto& experiment : d.experiments) {
    if (experiment.runs && !experiment.remark.empty()) line("", experiment.name + ": " + experiment.remark);
  }
  for (const auto& experiment : d.experiments) {
    if (!experiment.runs) line("Cannot run", experiment.name + ": " + experiment.remark);
  }
  for (std::size_t i = 0; i < d.cannot_answer.size(); ++i) line(i == 0 ? "Cannot say" : "", d.cannot_answer[i]);
  for (std::size_t i = 0; i < d.advice.size(); ++i) line(i == 0 ? "Advice" : "", d.advice[i]);
  return text;
}

nlohmann::ordered_json to_json(const Diagnosis& d) {
  using Json = nlohmann::ordered_json;
  Json models = Json::array();
  for (const auto& model : d.models) {
    models.push_back(
        {{"id", model.id}, {"family", model.family}, {"available", model.available}, {"reason", model.reason}});
  }
  Json ceilings = Json::array();
  for (const auto& ceiling : d.ceilings) {
    ceilings.push_back({{"id", ceiling.id},
                        {"label", ceiling.label},
                        {"unit", ceiling.unit},
                        {"value", std::isfinite(ceiling.value) ? Json(ceiling.value) : Json()}});
  }
  Json experiments = Json::array();
  for (const auto& experiment : d.experiments) {
    Json not_run = Json::array();
    for (const auto& [series, reason] : experiment.not_run) not_run.push_back({{"series", series}, {"reason", reason}});
    experiments.push_back({{"name", experiment.name},
                           {"runs", experiment.runs},
                           {"cells", experiment.cells},
                           {"remark", experiment.remark},
                           {"not_run", not_run}});
  }
  return {{"machine",
           {{"processor", d.machine.cpu_model},
            {"cpus", d.machine.cpus},
            {"memory_bytes", d.machine.memory_bytes},
            {"available_bytes", d.machine.available_bytes},
            {"kernel", d.machine.kernel},
            {"kind", d.machine.virtualisation},
            {"on_battery", d.machine.on_battery},
            {"governor", d.machine.governor}}},
          {"cpus", {{"server", d.cpus.server}, {"load", d.cpus.load}}},
          {"models", models},
          {"limits",
           {{"open_files", d.limits.descriptors_soft},
            {"open_files_hard", d.limits.descriptors_hard},
            {"queued_signals", d.limits.signals_queued},
            {"queued_signals_limit", d.limits.signals_limit},
            {"ports", d.limits.ports},
            {"somaxconn", d.limits.somaxconn}}},
          {"ceilings", ceilings},
          {"noise", {{"spread", d.noise.spread}, {"steal_share", d.noise.steal}, {"load_average", d.load}}},
          {"disk", {{"type", d.disk.type}, {"available_bytes", d.disk.available}, {"used_share", d.disk.used_share()}}},
          {"python", d.python},
          {"experiments", experiments},
          {"cannot_answer", d.cannot_answer},
          {"advice", d.advice}};
}

}  // namespace iolab::lab
