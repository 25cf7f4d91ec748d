#include "experiments/judging/retold.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/spec/levels.h"

namespace iolab::lab {
namespace {

void retell_spec(Spec& spec, const Words& words) {
  if (words.language() == Language::chinese) {
    if (!spec.question_zh.empty()) spec.question = spec.question_zh;
    if (!spec.background_zh.empty()) spec.background = spec.background_zh;
    if (!spec.expected_zh.empty()) spec.expected = spec.expected_zh;
    if (!spec.refuted_by_zh.empty()) spec.refuted_by = spec.refuted_by_zh;
    for (Prediction& one : spec.predict) {
      if (!one.text_zh.empty()) one.text = one.text_zh;
    }
  }
  for (Axis& axis : spec.axes) axis.label = axis_label(words, axis.path);
  for (Level& level : spec.levels) level.label = level_label(words, spec.axes, level.at);
}

// Why something was not run: as the spec says it, in its other language, or as the plan recorded it.
std::string reason(const Spec& spec, const std::string& recorded, const Words& words) {
  const auto said = std::ranges::find(spec.exclusions, recorded, &Exclusion::because);
  const bool both = said != spec.exclusions.end() && !said->because_zh.empty();
  return both && words.language() == Language::chinese ? said->because_zh : words.retold(recorded);
}

void retell_ceilings(std::vector<Ceiling>& ceilings, const Words& words) {
  for (Ceiling& ceiling : ceilings) {
    ceiling.label = words.retold(ceiling.label);
    ceiling.meaning = words.retold(ceiling.meaning);
  }
}

}  // namespace

RunData retold(RunData data, const Words& words) {
  retell_spec(data.spec, words);
  for (NotRun& entry : data.plan.not_run) entry.reason = reason(data.spec, entry.reason, words);
  for (ModelInfo& model : data.models) {
    model.summary = words.retold(model.summary);
    model.reason = words.retold(model.reason);
  }
  for (TrialRecord& trial : data.trials) trial.reason = words.retold(trial.reason);
  for (DuetRecord& duet : data.duets) duet.reason = words.retold(duet.reason);
  for (CallCount& count : data.counts) count.reason = words.retold(count.reason);
  for (Fact& fact : data.facts) {
    fact.label = words.retold(fact.label);
    fact.text = words.retold(fact.text);
  }
  retell_ceilings(data.ceilings_before, words);
  retell_ceilings(data.ceilings_after, words);
  data.machine = words.retold(data.machine);
  return data;
}

nlohmann::ordered_json retold(nlohmann::ordered_json charts, const Spec& spec, const Words& words) {
  constexpr std::array<std::string_view, 8> kRead{"title", "subtitle", "alt",     "label",
                                                  "note",  "text",     "missing", "threads"};
  for (const auto& [key, value] : charts.items()) {
    const bool is_read = std::ranges::find(kRead, key) != kRead.end();
    if (value.is_string() && is_read) {
      value = reason(spec, value.get<std::string>(), words);
    } else if (value.is_array() && is_read) {
      for (auto& each : value) each = reason(spec, each.get<std::string>(), words);
    } else if (value.is_structured()) {
      value = retold(std::move(value), spec, words);
    }
  }
  return charts;
}

}  // namespace iolab::lab
