#include "experiments/judging/grade.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/judging/judgement.h"
#include "experiments/spec/metrics.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::optional<std::size_t> again(const Results& results) {
  return results.find_series(again_id(results.data().spec.baseline));
}

std::vector<double> self_ratios(const Results& results, std::size_t level, std::string_view metric) {
  const auto first = results.baseline();
  const auto second = again(results);
  if (!first || !second) return {};
  return results.block_ratios(*second, *first, level, metric);
}

// What the grade rests on: the ratios that a verdict rests on, too, where there is one.
std::vector<double> graded_ratios(const Results& results) {
  const RunData& data = results.data();
  if (!data.spec.judge) {
    std::vector<double> all;
    for (std::size_t level = 0; level < data.spec.levels.size(); ++level) {
      const auto some = self_ratios(results, level, data.spec.watch.front());
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }
  const Judge& rules = *data.spec.judge;
  if (judges_by_duets(rules)) {
    return duet_ratios(data, again_id(data.spec.baseline), rules.metric);
  }
  const auto level = judged_level(data.plan, data.spec);
  return level ? self_ratios(results, *level, rules.metric) : std::vector<double>();
}

// On average over the trials and duets during which somebody looked: not over those of the ceiling, or that failed.
double stolen_share(const RunData& data) {
  double sum = 0;
  std::size_t looks = 0;
  for (const auto& trial : data.trials) {
    if (trial.model.empty() || !trial.ok) continue;
    sum += trial.machine.steal_share;
    ++looks;
  }
  for (const auto& duet : data.duets) {
    if (!duet.ok) continue;
    sum += duet.machine.steal_share;
    ++looks;
  }
  return looks == 0 ? 0 : sum / static_cast<double>(looks);
}

// Repetitions of what is compared: trials of a cell, or duets of a model.
std::size_t repetitions(const Results& results, std::size_t ratios) {
  if (results.data().spec.judge) return ratios;
  std::size_t most = 0;
  for (const auto& cell : results.cells()) most = std::max(most, cell.trials.size());
  return std::min(most, ratios);
}

}  // namespace

Grade grade_of(const Results& results) {
  constexpr double kNoSteal = 0.001;
  constexpr std::size_t kMany = 10;
  constexpr std::size_t kFewest = 6;  // below it there is no interval
  const Words& words = results.words();
  const auto ratios = graded_ratios(results);
  const auto noise = reach_of(ratios);
  const std::size_t n = repetitions(results, ratios.size());
  const double steal = stolen_share(results.data());
  Grade grade;
  if (noise && n >= kFewest) {
    const bool best = *noise < 0.02 && steal < kNoSteal && n >= kMany;
    grade.letter = best ? 'A' : *noise < 0.05 ? 'B' : *noise < 0.15 ? 'C' : 'D';
  }
  grade.why.push_back(noise ? words.say("grade.noise", {{"noise", percent_text(*noise)}})
                            : words.say("grade.noise_unknown"));
  // That the host took nothing is a reason for the best grade, and none for any other.
  if (steal >= kNoSteal) grade.why.push_back(words.say("grade.steal", {{"steal", percent_text(steal)}}));
  if (grade.letter == 'A') grade.why.push_back(words.say("grade.no_steal"));
  grade.why.push_back(words.say("grade.repetitions", {{"n", n}}));
  return grade;
}

std::string grade_text(const Results& results, const Grade& grade) {
  const Words& words = results.words();
  return words.say("grade.line", {{"letter", std::string(1, grade.letter)}, {"why", words.comma_parted(grade.why)}});
}

Table self_table(const Results& results) {
  const Words& words = results.words();
  const auto& spec = results.data().spec;
  Table table;
  table.id = "self";
  table.title = words.say("self.title", {{"baseline", spec.baseline}});
  table.caption = words.say("self.caption");
  table.columns.push_back({"metric", words.say("self.metric"), "", false});
  for (const auto& axis : spec.axes) table.columns.push_back({axis.path, axis.label, "", true});
  for (const auto* id : {"blocks", "median", "farthest", "floor"}) {
    table.columns.push_back({id, words.say(std::string("self.") + id), "", true});
  }
  std::vector<std::string> ids = spec.watch;
  if (spec.judge && std::ranges::find(ids, spec.judge->metric) == ids.end()) ids.push_back(spec.judge->metric);
  for (const auto& id : ids) {
    for (std::size_t level = 0; level < spec.levels.size(); ++level) {
      const auto ratios = self_ratios(results, level, id);
      Table::Row row{spec.baseline, {{metric_label(words, *find_metric(id)), {}, {}, Quality::ok}}, ""};
      for (std::size_t axis = 0; axis < spec.axes.size(); ++axis) {
        row.cells.push_back({spec.axes[axis].labels[spec.levels[level].at[axis]], {}, {}, Quality::ok});
      }
      const auto floor = results.noise(id, level);
      const auto farthest = noise_floor(ratios);
      row.cells.push_back({with_thousands(static_cast<double>(ratios.size())), {}, {}, Quality::ok});
      row.cells.push_back({ratios.empty() ? "-" : ratio_text(median(ratios)), {}, {}, Quality::ok});
      row.cells.push_back({farthest ? percent_text(*farthest) : "-", farthest, {}, Quality::ok});
      row.cells.push_back({floor ? percent_text(*floor) : "-", floor, {}, Quality::ok});
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

void note_grade(const Results& results, std::vector<Sentence>& notes) {
  if (!results.data().spec.judge) return;
  const Grade grade = grade_of(results);
  if (grade.letter != 'D') return;
  const Words& words = results.words();
  notes.push_back({"noise", words.say("grade.no_verdict", {{"why", words.comma_parted(grade.why)}}), {}});
}

}  // namespace iolab::lab
