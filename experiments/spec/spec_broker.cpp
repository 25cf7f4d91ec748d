#include "experiments/spec/spec_broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

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
  Questions(const AskBroker& ask, const Complain& complain) : ask_(ask), complain_(complain) {}

  // `where`: the path to complain of.
  void property(const std::string& where, const std::string& group, const std::string& name, const Json& value) const {
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

  void model(const std::string& where, const std::string& model) const {
    if (model.find(':') != std::string::npos) say(where, where, ask_({"--model", model}));
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
  const Complain& complain_;
};

}  // namespace

std::string broker_name_of_topic_property(const std::string& name) {
  if (name == "partitions") return "num.partitions";
  if (name == "compression.type" || name == "message.timestamp.type" || name.starts_with("iolab.")) return name;
  if (name == "max.message.bytes") return "message.max.bytes";
  return "log." + name;
}

void check_with_broker(const Json& root, const AskBroker& ask, const Complain& complain) {
  const Questions questions(ask, complain);
  for (const std::string group : {"broker", "topic_config"}) {
    for (const auto& [name, value] : root[group].items()) {
      questions.property(group + "." + name, group, name, value);
    }
    for (const auto& [path, values] : root["matrix"].items()) {
      if (!path.starts_with(group + ".")) continue;
      for (const auto& value : values)
        questions.property("matrix/" + path, group, path.substr(group.size() + 1), value);
    }
  }
  for (const auto& [id, entry] : root["variants"].items()) {
    questions.model("variants", entry["model"].get<std::string>());
    if (!entry.contains("broker")) continue;
    for (const auto& [name, value] : entry["broker"].items()) questions.property("variants", "broker", name, value);
  }
  if (!root.contains("models")) return;
  for (const auto& model : root["models"]) questions.model("models", model.get<std::string>());
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
