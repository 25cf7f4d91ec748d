#include "experiments/sentences.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "experiments/judgement.h"
#include "experiments/metrics.h"
#include "experiments/units.h"

namespace iolab::lab {
namespace {

bool is_model(const Results& results, std::size_t series) {
  return results.data().plan.series[series].role == Role::model;
}

// "3.31 to 3.72 times", or "3.50 times" where both ends print alike.
std::string ratio_range(std::vector<double> ratios) {
  std::ranges::sort(ratios);
  const auto low = ratio_text(ratios.front());
  const auto high = ratio_text(ratios.back());
  return low == high ? low + " times" : fmt::format("{} to {} times", low, high);
}

std::string capital(std::string text) {
  if (!text.empty()) text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  return text;
}

// Models by the printed value of a count at one level, in the order of first appearance.
struct Group {
  std::string value;
  std::vector<std::string> models;
};
std::vector<Group> grouped(const Results& results, std::size_t level, const Metric& metric,
                           std::vector<std::string>& cells, const std::function<bool(std::size_t)>& wanted) {
  std::vector<Group> groups;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    const auto& cell = results.cell(series, level);
    const auto value = cell.median_of(metric.id);
    if (!is_model(results, series) || !value || !wanted(series)) continue;
    const auto text = metric_text(metric, *value);
    auto group = std::ranges::find(groups, text, &Group::value);
    if (group == groups.end()) group = groups.insert(groups.end(), Group{text, {}});
    group->models.push_back(results.data().plan.series[series].id);
    cells.push_back(cell.id);
  }
  std::ranges::stable_sort(groups, {}, [](const Group& g) { return std::strtod(g.value.c_str(), nullptr); });
  return groups;
}

// "2.00 in blocking; 3.00 in select and epoll"
std::string groups_text(const std::vector<Group>& groups) {
  std::string text;
  for (const auto& group : groups) {
    text += fmt::format("{}{} in {}", text.empty() ? "" : "; ", group.value, listed(group.models));
  }
  return text;
}

// At the first level all models, at the last only those whose count is another one there.
void say_counts(const Results& results, std::vector<Sentence>& found) {
  const Metric& metric = *find_metric("syscalls_per_request");
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return;
  Sentence all{"exact", "", {}};
  const auto groups = grouped(results, levels.front(), metric, all.cells, [](std::size_t) { return true; });
  if (groups.empty()) return;
  all.text = fmt::format("System calls per request{}: {}.", at_level(results, levels.front()), groups_text(groups));
  found.push_back(std::move(all));
  if (levels.size() < 2) return;
  Sentence changed{"exact", "", {}};
  const auto differs = [&](std::size_t series) {
    constexpr double kChange = 0.02;
    const auto before = results.cell(series, levels.front()).median_of(metric.id);
    const auto now = results.cell(series, levels.back()).median_of(metric.id);
    return before && now && std::abs(*now / *before - 1) > kChange;
  };
  const auto others = grouped(results, levels.back(), metric, changed.cells, differs);
  auto where = at_level(results, levels.back()).substr(1);
  changed.text = others.empty() ? fmt::format("{} the same.", capital(where))
                                : fmt::format("{} instead: {}.", capital(where), groups_text(others));
  if (others.empty()) changed.cells.push_back(results.cell(0, levels.back()).id);
  found.push_back(std::move(changed));
}

void say_in_vain(const Results& results, std::vector<Sentence>& found) {
  constexpr double kWorthSaying =
      1.5;  // one EAGAIN per request is how an edge-triggered loop knows that it has drained
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    if (!is_model(results, series)) continue;
    std::vector<std::string> parts;
    Sentence sentence{"exact", "", {}};
    for (const auto level : telling_levels(results, 3)) {
      const auto& cell = results.cell(series, level);
      const auto value = cell.median_of("would_block_per_request");
      if (!value || *value < kWorthSaying) continue;
      parts.push_back(three_digits(*value) + at_level(results, level));
      sentence.cells.push_back(cell.id);
    }
    if (parts.empty()) continue;
    sentence.text = fmt::format("{} asks sockets in vain (EAGAIN), per request: {}.",
                                results.data().plan.series[series].id, listed(parts));
    found.push_back(std::move(sentence));
  }
}

void say_threads(const Results& results, std::vector<Sentence>& found) {
  const auto levels = telling_levels(results, 2);
  if (levels.empty()) return;
  Sentence sentence{"exact", "", {}};
  const auto groups =
      grouped(results, levels.back(), *find_metric("threads"), sentence.cells, [](std::size_t) { return true; });
  if (groups.size() < 2) return;
  sentence.text = fmt::format("Threads of the server{}: {}.", at_level(results, levels.back()), groups_text(groups));
  found.push_back(std::move(sentence));
}

// A cause is named only if a counter supports it: more switches between threads, or as many calls and more time, which
// means dearer calls.
std::string cause(const Results& results, std::size_t series, std::size_t baseline, std::size_t level) {
  constexpr double kAsMany = 0.05;
  constexpr double kMoreSwitches = 0.2;  // per request
  const auto switches = results.cell(series, level).median_of("voluntary_switches_per_request");
  const auto few = results.cell(baseline, level).median_of("voluntary_switches_per_request");
  if (switches && few && *switches - *few > kMoreSwitches) {
    return fmt::format(" It goes to sleep and is woken {} times per request, {} {}.", three_digits(*switches),
                       results.data().spec.baseline, three_digits(*few));
  }
  const auto calls = results.cell(series, level).median_of("syscalls_per_request");
  const auto reference = results.cell(baseline, level).median_of("syscalls_per_request");
  if (!calls || !reference || std::abs(*calls / *reference - 1) > kAsMany) return {};
  return fmt::format(
      " Both make about as many system calls ({} and {} per request): it is the single call that costs "
      "more, not their number.",
      three_digits(*calls), three_digits(*reference));
}

// One model against the baseline, level by level: what the question asks.
void say_focus(const Results& results, const Metric& metric, std::vector<Sentence>& found) {
  const auto baseline = results.baseline();
  for (const auto& model : results.data().spec.focus) {
    const auto series = results.find_series(model);
    if (!series || !baseline || series == baseline) continue;
    Sentence sentence{"measured", "", {}};
    std::vector<std::string> told;
    std::vector<std::string> untold;
    std::optional<std::size_t> last_above;
    for (const auto level : telling_levels(results, 5)) {
      const auto ratios = results.block_ratios(*series, *baseline, level, metric.id);
      if (ratios.empty()) continue;
      sentence.cells.push_back(results.cell(*series, level).id);
      sentence.cells.push_back(results.cell(*baseline, level).id);
      const auto where = at_level(results, level);
      const auto told_direction = direction(ratios, results.noise(metric.id, level).value_or(0));
      if (told_direction == Direction::above) last_above = level;
      if (told_direction == Direction::not_told) {
        untold.push_back(fmt::format("{} ({})", where.empty() ? " here" : where.substr(1), ratio_range(ratios)));
      } else {
        told.push_back(ratio_range(ratios) + where);
      }
    }
    if (told.empty() && untold.empty()) continue;
    const auto& reference = results.data().spec.baseline;
    if (!told.empty()) {
      sentence.text = fmt::format("{} against {}, {}: {}.", capital(model), reference, metric.label, listed(told));
    }
    const bool dearer = last_above && metric.id.starts_with("server_");
    if (dearer) sentence.text += cause(results, *series, *baseline, *last_above);
    if (!untold.empty()) {
      sentence.text += fmt::format("{}{} and {} cannot be told apart {}.", told.empty() ? "" : " ", capital(model),
                                   reference, listed(untold));
    }
    found.push_back(std::move(sentence));
  }
}

// Everyone else against the baseline, at one level.
void say_level(const Results& results, const Metric& metric, std::size_t level, std::vector<Sentence>& found) {
  const auto baseline = results.baseline();
  if (!baseline) return;
  Sentence sentence{"measured", "", {results.cell(*baseline, level).id}};
  std::vector<std::string> more;
  std::vector<std::string> less;
  std::vector<std::string> untold;
  for (std::size_t series = 0; series < results.data().plan.series.size(); ++series) {
    if (!is_model(results, series) || series == *baseline) continue;
    const auto ratios = results.block_ratios(series, *baseline, level, metric.id);
    if (ratios.empty()) continue;
    const auto& id = results.data().plan.series[series].id;
    sentence.cells.push_back(results.cell(series, level).id);
    switch (direction(ratios, results.noise(metric.id, level).value_or(0))) {
      case Direction::above: more.push_back(fmt::format("{} {}", id, ratio_range(ratios))); break;
      case Direction::below: less.push_back(fmt::format("{} {}", id, ratio_range(ratios))); break;
      case Direction::not_told: untold.push_back(id); break;
    }
  }
  if (more.empty() && less.empty() && untold.empty()) return;
  std::vector<std::string> parts;
  if (!more.empty()) parts.push_back("more in " + listed(more));
  if (!less.empty()) parts.push_back("less in " + listed(less));
  if (!untold.empty()) parts.push_back("not to be told from it: " + listed(untold));
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : "; ") + part;
  sentence.text = fmt::format("{} against {}{}: {}.", capital(std::string(metric.label)), results.data().spec.baseline,
                              at_level(results, level), text);
  found.push_back(std::move(sentence));
}

// Whether the baseline itself moved from the first level to the last.
void say_growth(const Results& results, const Metric& metric, double floor, std::vector<Sentence>& found) {
  const auto baseline = results.baseline();
  if (!baseline || results.data().spec.axes.size() != 1 || results.data().spec.levels.size() < 2) return;
  const auto& first = results.cell(*baseline, 0);
  const auto& last = results.cell(*baseline, results.data().spec.levels.size() - 1);
  const auto from = first.median_of(metric.id);
  const auto to = last.median_of(metric.id);
  if (!from || !to || *from <= 0) return;
  const double change = *to / *from;
  const bool moved = std::max(change, 1 / change) > 1 + floor;
  found.push_back(
      {"measured",
       fmt::format("{} itself{}: {}{} and {}{} (medians of different blocks).", capital(results.data().spec.baseline),
                   moved ? "" : " did not move by more than the noise", metric_phrase(metric, *from),
                   at_level(results, first.level), metric_phrase(metric, *to), at_level(results, last.level)),
       {first.id, last.id}});
}

// " with 900 and 5,000 idle connections" where one axis varies.
std::string at_levels(const Results& results, const std::vector<std::size_t>& levels) {
  const auto& spec = results.data().spec;
  std::vector<std::string> where;
  for (const auto level : levels) where.push_back(spec.levels[level].label);
  if (spec.axes.size() == 1) {
    const auto& axis = spec.axes.front();
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) where[i] = axis.labels[spec.levels[levels[i]].at.front()];
  }
  return " with " + listed(where);
}

void say_not_run(const Results& results, std::vector<Sentence>& found) {
  struct Missing {
    std::string reason;
    std::map<std::size_t, std::vector<std::size_t>> levels_by_series;
    std::vector<std::string> cells;
  };
  std::vector<Missing> list;
  for (const auto& cell : results.cells()) {
    const bool missing = cell.status == CellStatus::not_run;
    if (!missing || !is_model(results, cell.series)) continue;
    auto entry = std::ranges::find(list, cell.reason, &Missing::reason);
    if (entry == list.end()) entry = list.insert(list.end(), Missing{cell.reason, {}, {}});
    entry->levels_by_series[cell.series].push_back(cell.level);
    entry->cells.push_back(cell.id);
  }
  for (const auto& missing : list) {
    std::vector<std::string> who;
    for (const auto& [series, levels] : missing.levels_by_series) {
      std::string text = results.data().plan.series[series].id;
      if (levels.size() < results.data().spec.levels.size()) {
        text += at_levels(results, levels);
      }
      who.push_back(std::move(text));
    }
    found.push_back({"not-run", fmt::format("Not run: {}: {}.", listed(who), missing.reason), missing.cells});
  }
}

void say_noise(const Results& results, const Metric& metric, std::optional<double> floor,
               std::vector<Sentence>& found) {
  const auto& baseline = results.data().spec.baseline;
  if (!floor && results.data().spec.timing.repeat == 1) return;  // say_preview() says it
  if (!floor) {
    found.push_back(
        {"noise",
         fmt::format("Too few pairs of {} against itself to say how large no difference is: times are shown "
                     "and not compared.",
                     baseline),
         {}});
    return;
  }
  found.push_back(
      {"noise",
       fmt::format("The same model entered twice ({}) differed by up to {} in {}: at each level nothing is called a "
                   "difference that is not larger than what it showed there.",
                   baseline, percent_text(*floor), metric.label),
       {}});
}

std::size_t trials_per_cell(const Results& results) {
  std::size_t most = 0;
  for (const auto& cell : results.cells()) most = std::max(most, cell.trials.size());
  return most;
}

void say_preview(const Results& results, std::vector<Sentence>& found) {
  const auto trials = trials_per_cell(results);
  constexpr std::size_t kEnough = 6;
  if (trials == 0 || trials >= kEnough) return;
  const auto& spec = results.data().spec;
  if (spec.timing.repeat == 1) {
    found.push_back({"preview", "A glance: one trial for each figure, so times are shown and not compared.", {}});
    return;
  }
  auto text =
      fmt::format("A preview: {} per cell show a direction; an interval needs {}", counted(trials, "trial"), kEnough);
  // A run of a file of one's own is repeated in another way.
  const bool named = results.data().command.starts_with(fmt::format("iolab run {} ", spec.name));
  if (named && spec.profile == "quick") text += fmt::format(": iolab run {} --profile standard", spec.name);
  found.push_back({"preview", text + ".", {}});
}

}  // namespace

std::string at_level(const Results& results, std::size_t level) {
  if (results.data().spec.axes.empty()) return {};
  return " with " + results.data().spec.levels[level].label;
}

std::vector<std::size_t> telling_levels(const Results& results, std::size_t most) {
  // Only levels at which something ran.
  std::vector<std::size_t> levels;
  for (std::size_t level = 0; level < results.data().spec.levels.size(); ++level) {
    const bool ran = std::ranges::any_of(results.cells(), [&](const Cell& cell) {
      return cell.level == level && !cell.trials.empty() && is_model(results, cell.series);
    });
    if (ran) levels.push_back(level);
  }
  if (levels.size() <= most || most < 2) return levels;
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(levels[i * (levels.size() - 1) / (most - 1)]);
  return chosen;
}

std::vector<Sentence> what_was_found(const Results& results) {
  std::vector<Sentence> found;
  const Metric& metric = *find_metric(results.data().spec.watch.front());
  const auto floor = results.noise(metric.id);
  const bool compared = floor && trials_per_cell(results) >= kFewestBlocks;
  say_counts(results, found);
  const auto judgement = judgement_of(results);
  const auto judged = judgement ? judgement_in_words(results, *judgement) : std::vector<Sentence>();
  found.insert(found.end(), judged.begin(), judged.end());
  say_in_vain(results, found);
  say_threads(results, found);
  if (compared) {
    say_focus(results, metric, found);
    for (const auto level : telling_levels(results, 2)) say_level(results, metric, level, found);
    say_growth(results, metric, *floor, found);
  }
  say_noise(results, metric, floor, found);
  say_not_run(results, found);
  if (judged.empty()) say_preview(results, found);
  return found;
}

namespace {

// Of the models that the question names, or of all.
std::string largest_difference(const Results& results, std::string_view metric, bool of_focus) {
  const auto& focus = results.data().spec.focus;
  const auto baseline = results.baseline();
  double farthest = 1;
  std::string text;
  for (const auto& cell : results.cells()) {
    const auto& id = results.data().plan.series[cell.series].id;
    if (!is_model(results, cell.series) || cell.series == *baseline) continue;
    if (of_focus && std::ranges::find(focus, id) == focus.end()) continue;
    const auto ratios = results.block_ratios(cell.series, *baseline, cell.level, metric);
    if (direction(ratios, *results.noise(metric, cell.level)) == Direction::not_told) continue;
    const double middle = median(ratios);
    const double distance = std::max(middle, 1 / middle);
    if (distance <= farthest) continue;
    farthest = distance;
    text = fmt::format("{}: {} {}{}", id, ratio_range(ratios), results.data().spec.baseline,
                       at_level(results, cell.level));
  }
  return text;
}

}  // namespace

std::string largest_difference(const Results& results, std::string_view metric) {
  if (!results.baseline() || !results.noise(metric)) return {};
  const auto named = largest_difference(results, metric, true);
  return named.empty() ? largest_difference(results, metric, false) : named;
}

}  // namespace iolab::lab
