#include "experiments/commands/command_trace.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "experiments/commands/command_line.h"
#include "experiments/trace/first_look.h"

namespace iolab::lab {
namespace {

constexpr const char* kTraceExamples = R"(
Examples
  iolab trace --model epoll                        the two phases of a request, and every crossing into the kernel
  iolab trace --model blocking,epoll,io_uring      side by side
  iolab trace --model epoll --record-size 64KiB    a longer copy
  iolab trace --model sigio --udp                  one datagram, echoed: the textbook's own case

Single requests are sent with a pause between them, through a traced server; the one nearest to the median is shown step
by step, and beside it the one nearest to the 99th percentile, or the slowest if fewer than 400 count. The first quarter
never does. A traced server receives with recvmsg, which alone brings the moment of arrival, and reads clocks around
every call: the report says what that costs.

Exit codes  0 ok · 2 wrong flag, model or value · 4 none of the models can run here · 130 interrupted
)";

std::string command_of(const Look& look) {
  auto text = fmt::format("iolab trace --model {}", fmt::join(look.models, ","));
  if (!look.record_size.empty()) text += " --record-size " + look.record_size;
  return text + fmt::format(" --requests {}{}", look.traced.requests, look.traced.udp ? " --udp" : "");
}

}  // namespace

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("trace", "The two phases of single requests in one model, step by step");
  const auto asked = std::make_shared<Look>(Look{.name = "trace", .closely = true});
  const auto no_report = std::make_shared<bool>(false);
  command->add_option("--model", asked->models, "ID or ID:KEY=VALUE, several by commas")->required()->delimiter(',');
  command->add_option("--requests", asked->traced.requests, "how many are traced")
      ->check(CLI::Range(8, 2000))
      ->capture_default_str();
  command->add_option("--record-size", asked->record_size, "of the record that each request carries, such as 64KiB");
  command->add_flag("--udp", asked->traced.udp, "the textbook's own case: one datagram, echoed; no broker takes part");
  command->add_option("--out", asked->out, "directory of the run; default: results/trace-DATE-TIME");
  command->add_flag("--no-report", *no_report, "no pictures: tables, JSON and CSV only");
  command->footer(kTraceExamples);
  command->callback([asked, no_report, command, &exit_code] {
    asked->draw = !*no_report;
    asked->language = chosen_language(*command);
    asked->command = command_of(*asked);
    exit_code = look(*asked);
  });
}

}  // namespace iolab::lab
