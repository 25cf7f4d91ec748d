#include "io_models/command_udp_echo.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "experiments/command.h"
#include "io_models/signals.h"
#include "io_models/trace_recorder.h"
#include "io_models/udp_echo.h"

namespace iolab::io {
namespace {

int run(const std::string& model, const std::string& trace_file) {
  block_model_signals();
  std::unique_ptr<TraceRecorder> trace;
  if (!trace_file.empty()) {
    auto opened = TraceRecorder::start(trace_file);
    if (!opened) {
      fmt::print(stderr, "iolab udp-echo: {}\n", opened.error());
      return kCannotRunHere;
    }
    trace = std::move(*opened);
  }
  const CountedThread counted("serve 0");
  const auto served = serve_udp_echo(model);
  if (served) return kOk;
  fmt::print(stderr, "iolab udp-echo: {}\n", served.error());
  return kCannotRunHere;
}

}  // namespace

void add_udp_echo_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("udp-echo", "Echo the datagrams of one peer through a model")->group("");
  const auto model = std::make_shared<std::string>();
  const auto trace_file = std::make_shared<std::string>();
  command->add_option("--model", *model, "the I/O model")->required();
  command->add_option("--trace", *trace_file, "write every system call to this file");
  command->callback([model, trace_file, &exit_code] { exit_code = run(*model, *trace_file); });
}

}  // namespace iolab::io
