#include "experiments/commands/command_doctor.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "experiments/command.h"
#include "experiments/commands/command_line.h"
#include "experiments/doctor/doctor.h"
#include "experiments/doctor/inside_look.h"
#include "experiments/machine/models.h"
#include "experiments/spec/spec.h"
#include "experiments/words/nearest_word.h"
#include "experiments/words/terminal.h"

namespace iolab::lab {

namespace {

int show_threads(pid_t process) {
  const auto threads = thread_states(process);
  if (!threads) return fail("doctor", kUsage, threads.error() + ": pgrep -x iolab lists those of iolab");
  fmt::print("{}", to_text(*threads, look_at_terminal(stdout).width));
  return kOk;
}

int show_model(const OwnBinary& binary, const std::string& model) {
  const auto models = ask_for_models(binary);
  if (!models) return fail("doctor", kInternalError, models.error());
  const auto ids = ids_of(*models);
  const std::string id(model_id(model));
  if (std::ranges::find(ids, id) == ids.end()) {
    return fail("doctor", kUsage, fmt::format("--model: no model \"{}\": {}", id, nearest_or_all(id, ids)));
  }
  const auto threads = look_inside(binary, model);
  if (!threads) return fail("doctor", kCannotRunHere, threads.error());
  fmt::print("A broker with the model {}, {} connections, nothing to do:\n{}", model, kSilentConnections,
             to_text(*threads, look_at_terminal(stdout).width));
  return kOk;
}

int examine_all(const OwnBinary& binary, bool as_json) {
  const auto diagnosis = examine(binary);
  if (as_json) {
    fmt::print("{}\n", to_json(diagnosis).dump(2));
  } else {
    fmt::print("{}Next       iolab first-look\n", to_text(diagnosis, look_at_terminal(stdout).width));
  }
  return diagnosis.models.empty() ? kCannotRunHere : kOk;
}

constexpr const char* kDoctorExamples = R"(
Examples
  iolab doctor                    machine, models, limits, ceilings, experiments
  iolab doctor --model sigio      what each thread of a waiting server sleeps in
  iolab doctor --threads 4711     the same of a process that runs already, whatever it is
)";

}  // namespace

void add_doctor_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("doctor", "What this machine can do (3 s, changes nothing)");
  struct Flags {
    bool as_json = false;
    std::string model;
    pid_t process = 0;
  };
  const auto flags = std::make_shared<Flags>();
  command->add_flag("--json", flags->as_json, "for programs");
  auto* model = command->add_option("--model", flags->model, "start a broker of this model, and show its threads");
  command->add_option("--threads", flags->process, "show what the threads of this process id do")->excludes(model);
  command->footer(kDoctorExamples);
  command->callback([&exit_code, flags] {
    if (flags->process != 0) {
      exit_code = show_threads(flags->process);
      return;
    }
    const auto binary = OwnBinary::open();
    if (!binary) {
      exit_code = fail("doctor", kInternalError, binary.error());
    } else {
      exit_code = flags->model.empty() ? examine_all(*binary, flags->as_json) : show_model(*binary, flags->model);
    }
  });
}

}  // namespace iolab::lab
