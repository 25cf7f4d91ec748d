#include "experiments/report/run_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/command.h"
#include "experiments/judging/retold.h"
#include "experiments/machine/interrupt.h"
#include "experiments/report/report.h"
#include "experiments/report/sheets.h"
#include "experiments/run/run.h"
#include "experiments/spec/json_document.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::expected<void, std::string> write_results(const Results& results, const RunDirectory& directory,
                                               nlohmann::ordered_json charts) {
  const Words& words = results.words();
  const auto report = make_report(results, retold(std::move(charts), results.data().spec, words));
  return directory.write(results_file(words.language()), report.dump(1) + "\n");
}

// Every file that is computed from a run, in both languages.
std::expected<void, std::string> write_files(const RunData& data, const RunDirectory& directory,
                                             const nlohmann::ordered_json& charts) {
  for (const Language language : {Language::english, Language::chinese}) {
    const RunData told = retold(data, Words::in(language));
    if (auto done = write_results(Results(told, Words::in(language)), directory, charts); !done) return done;
  }
  return directory.write("data.csv", to_csv(trials_sheet(Results(data))));
}

void print_end(std::FILE* stream, const Words& words, const RunData& data, const std::string& made) {
  const auto line = [stream](const std::string& label, const std::string& text) {
    constexpr std::size_t kIndent = 9;
    fmt::print(stream, "{}{}\n", padded(label, kIndent), text);
  };
  fmt::print(stream, "\n");
  line(words.say("terminal.report"), made);
  const auto next = next_commands(data.spec);
  for (std::size_t i = 0; i < next.size(); ++i) line(i == 0 ? words.say("terminal.next") : "", next[i]);
}

}  // namespace

int write_report(const RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts,
                 const ReportOptions& options) {
  if (auto done = write_files(data, directory, extra_charts); !done) {
    fmt::print(stderr, "iolab: {}\n", done.error());
    return kInternalError;
  }
  const Words& words = Words::in(options.language);
  const RunData told = retold(data, words);
  const Results results(told, words);
  const auto summary = [&] { return terminal_summary(results, look_at_terminal(stdout)); };
  fmt::print("{}", options.plain ? to_plain(cells_sheet(results)) : summary());
  std::fflush(stdout);
  std::FILE* const beside = options.plain ? stderr : stdout;  // nothing but records where a program reads
  std::string made = directory.file(results_file(options.language));
  if (options.draw) {
    if (auto drawn = draw_report(directory); drawn) {
      made = directory.file("report.html");
    } else {
      fmt::print(beside, "\n{}\n", words.say("terminal.no_pictures", {{"reason", drawn.error()}}));
    }
  }
  print_end(beside, words, told, made);
  if (data.status == "interrupted") return kInterrupted;
  const bool failed = results.failed_trials() > 0 || std::ranges::count(data.duets, false, &DuetRecord::ok) > 0;
  return failed ? kSomeCellsFailed : kOk;
}

std::expected<void, std::string> write_report_quietly(const RunData& data, const RunDirectory& directory) {
  if (auto done = write_files(data, directory, nlohmann::ordered_json::array()); !done) return done;
  return draw_report(directory);
}

int conclude(RunData& data, const RunDirectory& directory, nlohmann::ordered_json extra_charts,
             const ReportOptions& options) {
  const InterruptScope drawing;  // the first Ctrl-C ended the trials, not the report of what is there
  const int code = write_report(data, directory, std::move(extra_charts), options);
  data.reported = utc_now();
  if (auto done = write_environment(data, directory); !done) {
    fmt::print(stderr, "iolab: {}\n", done.error());
    return kInternalError;
  }
  const Left left = what_is_left(data);
  if (left.empty()) return code;
  const auto all = data.plan.trials.size() + data.plan.duets.size();
  const auto done = all - left.trials.size() - left.duets.size();
  fmt::print(stderr, "{}\n",
             Words::in(options.language)
                 .say("terminal.stopped", {{"done", done},
                                           {"planned", all},
                                           {"trials", data.plan.trials.size()},
                                           {"duets", data.plan.duets.size()},
                                           {"command", "iolab resume " + directory.path()}}));
  return code;
}

nlohmann::ordered_json traced_charts(const RunDirectory& directory) {
  const auto text = read_text_file(directory.file("traces/charts.json"));
  auto charts = text ? nlohmann::ordered_json::parse(*text, nullptr, false) : nlohmann::ordered_json();
  return charts.is_array() ? charts : nlohmann::ordered_json::array();
}

}  // namespace iolab::lab
