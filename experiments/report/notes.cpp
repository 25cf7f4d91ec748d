// What a careful reader must know before believing a run: what failed, where the client was the limit, what was not
// steady, and what a count leaves out.
#include <algorithm>
#include <map>
#include <set>

#include "experiments/judging/grade.h"
#include "experiments/judging/judgement.h"
#include "experiments/judging/sentences.h"
#include "experiments/judging/traps.h"
#include "experiments/report/limits_report.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

void note_failures(const Results& results, std::vector<Sentence>& notes) {
  const Words& words = results.words();
  for (const auto& cell : results.cells()) {
    const bool failed =
        cell.status == CellStatus::failed || (cell.status == CellStatus::partial && !cell.reason.empty());
    if (!failed) continue;
    notes.push_back({"failed",
                     words.say("note.failed", {{"model", results.data().plan.series[cell.series].id},
                                               {"where", at_level(results, cell.level)},
                                               {"reason", cell.reason}}),
                     {cell.id}});
  }
  for (const auto& file : results.data().unreadable) {
    notes.push_back({"failed", words.say("note.unreadable", {{"file", file}}), {}});
  }
}

// Duets that gave no ratio, model by model; of several reasons the first.
void note_failed_duets(const Results& results, std::vector<Sentence>& notes) {
  struct Count {
    std::size_t all = 0;
    std::size_t failed = 0;
    std::string reason = {};
  };
  std::map<std::string, Count> by_series;
  for (const auto& duet : results.data().duets) {
    auto& count = by_series[duet.series];
    ++count.all;
    if (duet.ok) continue;
    if (count.failed++ == 0) count.reason = duet.reason;
  }
  for (const auto& [series, count] : by_series) {
    if (count.failed == 0) continue;
    notes.push_back({"failed",
                     results.words().say(
                         "note.failed_duets",
                         {{"model", series}, {"failed", count.failed}, {"all", count.all}, {"reason", count.reason}}),
                     {}});
  }
}

// Duets are sharp, and may be sharp about something else: in their slices a server with many threads or much memory
// finds its caches cold at every turn. The trials of the judged level say whether a long load shows the same.
void note_disagreement(const Results& results, std::vector<Sentence>& notes) {
  const auto judgement = judgement_of(results);
  if (!judgement || !judgement->by_duets) return;
  const Words& words = results.words();
  const Judge& rules = *results.data().spec.judge;
  const auto range = [&](const Verdict& verdict) {
    return words.say("judged.range", {{"ratio", ratio_text(verdict.ratio)},
                                      {"low", ratio_text(verdict.interval->low)},
                                      {"high", ratio_text(verdict.interval->high)}});
  };
  for (const Verdict& by_duets : judgement->verdicts) {
    if (!by_duets.interval) continue;
    const auto series = *results.find_series(by_duets.of);
    const Comparison of_trials{by_duets.of,
                               results.block_ratios(series, *results.baseline(), judgement->level, judgement->metric)};
    const Verdict by_trials = judge({&of_trials, 1}, judgement->floor, rules.confidence).front();
    if (!by_trials.interval) continue;
    const bool apart =
        by_trials.interval->high < by_duets.interval->low || by_duets.interval->high < by_trials.interval->low;
    if (!apart) continue;
    notes.push_back({"limit",
                     words.say("note.disagreement", {{"model", by_duets.of},
                                                     {"metric", metric_label(words, *find_metric(judgement->metric))},
                                                     {"where", at_level(results, judgement->level)},
                                                     {"duets", range(by_duets)},
                                                     {"trials", range(by_trials)},
                                                     {"slice", duration_text(rules.slice)}}),
                     {results.cell(series, judgement->level).id}});
  }
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
    const auto number = with_thousands(calls, 2);
    notes.push_back({"limit", results.words().say("note.hidden_calls", {{"model", id}, {"calls", number}}), {}});
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
    notes.push_back({"limit", results.words().say("note.spinning", {{"model", model.id}}), {}});
  }
}

// Blocks whose trials lie on both sides of a border: some of their ratios are missing.
std::size_t divided_blocks(const RunData& data) {
  std::map<int, std::set<int>> sessions;
  for (const auto& trial : data.trials) sessions[trial.block].insert(trial.session);
  return static_cast<std::size_t>(
      std::ranges::count_if(sessions, [](const auto& entry) { return entry.second.size() > 1; }));
}

std::string part_of_session(const Words& words, const RunData& data, int session) {
  const std::string& since = data.sessions[static_cast<std::size_t>(session)].started;
  std::vector<int> trials;
  for (const auto& trial : data.trials) {
    if (trial.session == session) trials.push_back(trial.index);
  }
  if (trials.empty()) return words.say("note.session_of_duets", {{"since", since}});
  return words.say("note.session", {{"first", trials.front()}, {"last", trials.back()}, {"since", since}});
}

// Where a run was interrupted, and what was no longer the same afterwards.
void note_sessions(const Results& results, std::vector<Sentence>& notes) {
  const Words& words = results.words();
  const RunData& data = results.data();
  std::set<int> used;  // a session that was stopped before its first record leaves no trace
  for (const auto& trial : data.trials) used.insert(trial.session);
  for (const auto& duet : data.duets) used.insert(duet.session);
  std::erase_if(used, [&](int session) { return session >= static_cast<int>(data.sessions.size()); });
  if (used.size() < 2) return;
  std::vector<std::string> parts;
  std::set<std::string> changed;
  const Session* before = nullptr;
  for (const int number : used) {
    parts.push_back(part_of_session(words, data, number));
    const auto& session = data.sessions[static_cast<std::size_t>(number)];
    if (before != nullptr) {
      for (const auto& change : changes(before->fingerprint, session.fingerprint)) changed.insert(words.retold(change));
    }
    before = &session;
  }
  std::vector<std::string> said{
      words.say("note.sessions", {{"sessions", used.size()}, {"parts", words.clauses(parts)}})};
  const std::vector<std::string> list(changed.begin(), changed.end());
  said.push_back(list.empty() ? words.say("note.sessions_same")
                              : words.say("note.sessions_changed", {{"changes", words.listed(list)}}));
  said.push_back(words.say("note.sessions_ratios"));
  if (const auto divided = divided_blocks(data); divided > 0) {
    said.push_back(words.say("note.sessions_divided", {{"blocks", divided}}));
  }
  notes.push_back({"limit", words.sentences(said), {}});
}

void note_marked(const Results& results, std::string_view mark, std::string_view what, std::vector<Sentence>& notes) {
  Sentence sentence{"limit", "", {}};
  std::size_t cells = 0;
  for (const auto& cell : results.cells()) {
    if (cell.trials.empty() || results.data().plan.series[cell.series].role == Role::ceiling) continue;
    ++cells;
    if (std::ranges::find(cell.marks, mark) != cell.marks.end()) sentence.cells.push_back(cell.id);
  }
  if (sentence.cells.empty()) return;
  sentence.text =
      results.words().say("note.marked", {{"marked", sentence.cells.size()}, {"cells", cells}, {"what", what}});
  notes.push_back(std::move(sentence));
}

}  // namespace

std::vector<Sentence> what_to_know(const Results& results) {
  const Words& words = results.words();
  std::vector<Sentence> notes;
  note_failures(results, notes);
  note_failed_duets(results, notes);
  note_disagreement(results, notes);
  note_grade(results, notes);
  note_sessions(results, notes);
  note_hidden_calls(results, notes);
  note_spinning(results, notes);
  note_marked(results, "client-limited", words.say("note.client_limited", {{"limit", percent_text(kCeilingLimit)}}),
              notes);
  note_marked(results, "ceiling-underestimated", words.say("note.ceiling_underestimated"), notes);
  note_marked(results, "not-steady", words.say("note.not_steady"), notes);
  note_marked(results, "client-late", words.say("note.client_late"), notes);
  note_marked(results, "coarse-split", words.say("note.coarse_split"), notes);
  note_marked(results, "steal", words.say("note.steal"), notes);
  note_traps(results, notes);
  note_limits(results, notes);
  if (results.data().cpus.shared()) notes.push_back({"limit", words.say("note.shared_cpu"), {}});
  if (results.data().dirty) notes.push_back({"limit", words.say("note.dirty"), {}});
  return notes;
}

}  // namespace iolab::lab
