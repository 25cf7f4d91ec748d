#include "experiments/spec/spec_broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "experiments/spec/spec_settings.h"
#include "experiments/spec/spec_values.h"

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

constexpr std::string_view kFlag = "--override ";  // which its sentence begins with

// What the lab gives on the server's command line, where it would win over the experiment in silence.
constexpr std::array<std::string_view, 4> kOfTheLab{"listeners", "advertised.listeners", "log.dirs", "log.dir"};

class Questions {
 public:
  Questions(const AskBroker& ask, const std::vector<std::string>& known_models, const Complain& complain)
      : ask_(ask), known_models_(known_models), complain_(complain) {}

  void properties(const std::string& where, const std::string& group, const Json& block) const {
    if (!block.is_object()) return;
    for (const auto& [name, value] : block.items()) {
      property(where.empty() ? group + "." + name : where, group, name, value);
    }
  }

  // `where`: the path to complain of.
  void property(const std::string& where, const std::string& group, const std::string& name, const Json& value) const {
    if (!is_plain(value)) return;
    const bool of_topic = group == "topic_config";
    if (!of_topic && std::ranges::find(kOfTheLab, name) != kOfTheLab.end()) {
      return complain_(Severity::error, where, fmt::format("{}: {} is set by the lab", group, name),
                       "leave it out: every trial has a free port and an empty directory of its own");
    }
    const auto asked = of_topic ? broker_name_of_topic_property(name) : name;
    auto said = ask_({"--override", fmt::format("{}={}", asked, value_text(value))});
    if (said.starts_with(kFlag)) said.erase(0, kFlag.size());
    if (of_topic) said = replaced(replaced(std::move(said), asked, name), "did you mean log.", "did you mean ");
    say(where, group, said);
  }

  // Options of a model; whether there is such a model has been checked.
  void model(const std::string& where, const Json& entry) const {
    if (!entry.is_string()) return;
    const auto model = entry.get<std::string>();
    if (model.find(':') == std::string::npos) return;
    const bool known = std::ranges::find(known_models_, model_id(model)) != known_models_.end();
    if (known) say(where, where, ask_({"--model", model}));
  }

 private:
  // "what; remedy" or "what (remedy)" of the broker.
  void say(const std::string& where, const std::string& block, const std::string& said) const {
    if (said.empty()) return;
    const auto bracket = said.find(" (");
    const auto end = std::min(said.find("; "), bracket);
    auto remedy = end == std::string::npos ? "" : said.substr(end + 2);
    if (end == bracket && remedy.ends_with(')')) remedy.pop_back();
    complain_(Severity::error, where, fmt::format("{}: {}", block, said.substr(0, end)), std::move(remedy));
  }

  const AskBroker& ask_;
  const std::vector<std::string>& known_models_;
  const Complain& complain_;
};

}  // namespace

std::string broker_name_of_topic_property(const std::string& name) {
  if (name == "partitions") return "num.partitions";
  if (name == "compression.type" || name == "message.timestamp.type" || name.starts_with("iolab.")) return name;
  if (name == "max.message.bytes") return "message.max.bytes";
  return "log." + name;
}

void check_with_broker(const Json& root, const AskBroker& ask, const std::vector<std::string>& known_models,
                       const Complain& complain) {
  const Questions questions(ask, known_models, complain);
  const auto block = [&](const char* path) {
    const Json* found = look_up(root, path);
    return found != nullptr && found->is_object() ? *found : Json::object();
  };
  for (const std::string group : {"broker", "topic_config"}) questions.properties("", group, block(group.c_str()));
  const Json matrix = block("matrix");
  for (const auto& [path, values] : matrix.items()) {
    const auto dot = path.find('.');
    const auto group = path.substr(0, dot);
    if (group != "broker" && group != "topic_config") continue;
    for (const auto& value : values) questions.property("matrix/" + path, group, path.substr(dot + 1), value);
  }
  for (const auto& variant : block("variants")) {
    if (!variant.is_object()) continue;
    questions.model("variants", variant.value("model", Json()));
    questions.properties("variants", "broker", variant.value("broker", Json()));
  }
  if (const Json* models = look_up(root, "models")) {
    for (const auto& model : *models) questions.model("models", model);
  }
}

void check_with_probe(const Spec& spec, const AskBroker& ask, const Complain& complain) {
  std::vector<std::string> models = spec.models;
  if (models.empty()) models.emplace_back();
  std::set<std::string> said;
  for (const auto& level : spec.levels) {
    for (const auto& model : models) {
      std::vector<std::string> flags{spec.probe};
      if (!model.empty()) flags.insert(flags.end(), {"--model", model});
      for (const auto& [name, value] : level.probe) flags.insert(flags.end(), {"--set", name + "=" + value});
      const auto answer = ask(flags);
      if (answer.empty() || !said.insert(answer).second) continue;
      const auto end = answer.find("; ");
      complain(Severity::error, "probe", "probe: " + answer.substr(0, end),
               end == std::string::npos ? "iolab probe lists what there is" : answer.substr(end + 2));
    }
  }
}

}  // namespace iolab::lab
