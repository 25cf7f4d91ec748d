// What a careful reader must know before believing a run: what failed, where the client was the limit, what was not
// steady, and what a count leaves out.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "experiments/sentences.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

void note_failures(const Results& results, std::vector<Sentence>& notes) {
  for (const auto& cell : results.cells()) {
    const bool failed =
        cell.status == CellStatus::failed || (cell.status == CellStatus::partial && !cell.reason.empty());
    if (!failed) continue;
    notes.push_back({"failed",
                     fmt::format("{}{}: {}.", results.data().plan.series[cell.series].id, at_level(results, cell.level),
                                 cell.reason),
                     {cell.id}});
  }
  for (const auto& file : results.data().unreadable) notes.push_back({"failed", "Not readable: " + file, {}});
}

// A model that hands its work to the threads of a library looks cheaper in counted calls than it is.
void note_hidden_calls(const Results& results, std::vector<Sentence>& notes) {
  std::map<std::string, double> library_calls;  // of a series, at the first level that it ran at
  for (const auto& cell : results.cells()) {
    const auto& id = results.data().plan.series[cell.series].id;
    double sum = 0;
    for (const auto& [call, value] : cell.calls_per_request) sum += is_system_call(call) ? 0 : value;
    if (sum >= 0.1) library_calls.try_emplace(id, sum);
  }
  for (const auto& [id, calls] : library_calls) {
    notes.push_back({"limit",
                     fmt::format("{} makes {:.2f} calls of the C library per request as well. Threads that the library "
                                 "hides carry them out; their own system calls are not counted, their CPU time is.",
                                 id, calls),
                     {}});
  }
}

// Counts of a model that spins are exact, but of something that is never the same twice.
void note_spinning(const Results& results, std::vector<Sentence>& notes) {
  for (const auto& model : results.data().models) {
    const bool spins = std::ranges::find(model.features, "never-sleeps") != model.features.end();
    const auto is_it = [&](const Cell& cell) {
      return !cell.trials.empty() && model_id(results.data().plan.series[cell.series].model) == model.id;
    };
    if (!spins || std::ranges::none_of(results.cells(), is_it)) continue;
    notes.push_back(
        {"limit",
         fmt::format("{} never sleeps: how often it asks in vain depends on how long it had to wait, so its "
                     "counts differ from run to run, unlike those of the others.",
                     model.id),
         {}});
  }
}

void note_marked(const Results& results, std::string_view mark, std::string_view text, std::vector<Sentence>& notes) {
  Sentence sentence{"limit", "", {}};
  std::size_t cells = 0;
  for (const auto& cell : results.cells()) {
    if (cell.trials.empty() || results.data().plan.series[cell.series].role == Role::ceiling) continue;
    ++cells;
    if (std::ranges::find(cell.marks, mark) != cell.marks.end()) sentence.cells.push_back(cell.id);
  }
  if (sentence.cells.empty()) return;
  sentence.text = fmt::format("In {} of {} {}", sentence.cells.size(), counted(cells, "cell"), text);
  notes.push_back(std::move(sentence));
}

}  // namespace

std::vector<Sentence> what_to_know(const Results& results) {
  std::vector<Sentence> notes;
  note_failures(results, notes);
  note_hidden_calls(results, notes);
  note_spinning(results, notes);
  note_marked(results, "client-limited",
              fmt::format("the load generator ran above {} of its own ceiling: requests/s there say much about the "
                          "client; CPU per request and counts are the server's own.",
                          percent_text(kCeilingLimit)),
              notes);
  note_marked(results, "ceiling-underestimated",
              "the load generator did more than against the server that only answers: with few connections that "
              "server's own wake-ups are the limit, else its trial was disturbed. Whether the client was the limit "
              "there is not known.",
              notes);
  note_marked(results, "not-steady", "the second half of a window was more than 20 % faster or slower than the first.",
              notes);
  note_marked(results, "overloaded",
              "less than 99 % of the requested rate was answered: latency there includes waiting "
              "in line.",
              notes);
  note_marked(results, "steal", "the host took more than 1 % of the time away (steal).", notes);
  if (results.data().cpus.shared()) {
    notes.push_back(
        {"limit", "Server and load shared one CPU: times say as much about the scheduler as about the models.", {}});
  }
  if (results.data().dirty) {
    notes.push_back({"limit", "The binary was built from a tree with changes that no commit holds.", {}});
  }
  return notes;
}

}  // namespace iolab::lab
