#include "io_models/command_models.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "experiments/command.h"
#include "io_models/registry.h"

namespace iolab::io {
namespace {

nlohmann::ordered_json to_json(const ModelEntry& model) {
  using Json = nlohmann::ordered_json;
  Json options = Json::array();
  for (const auto& option : model.options) {
    options.push_back({{"key", option.key},
                       {"values", option.values},
                       {"default", option.default_value},
                       {"summary", option.summary}});
    for (const auto& [value, feature] : option.features) {
      options.back()["features"][std::string(value)].push_back(feature);
    }
  }
  const std::string reason = model.unavailable();
  return {{"id", model.id},
          {"family", model.family},
          {"summary", model.summary},
          {"available", reason.empty()},
          {"reason", reason.empty() ? Json() : Json(reason)},
          {"features", model.features},
          {"options", options}};
}

void print_as_json() {
  auto list = nlohmann::ordered_json::array();
  for (const auto& model : models()) list.push_back(to_json(model));
  fmt::print("{}\n", nlohmann::ordered_json{{"models", list}}.dump(2));
}

void print_for_people() {
  std::string_view family;
  for (const auto& model : models()) {
    if (model.family != family) fmt::print("{}{}\n", family.empty() ? "" : "\n", model.family);
    family = model.family;
    fmt::print("  {:<20}{}\n", model.id, model.summary);
    if (const auto reason = model.unavailable(); !reason.empty()) fmt::print("{:22}not here: {}\n", "", reason);
    for (const auto& option : model.options) {
      fmt::print("{:22}{}:{}={}  [{}]  {}\n", "", model.id, option.key, option.values, option.default_value,
                 option.summary);
    }
  }
  fmt::print("\nNext: iolab broker --model epoll\n      iolab first-look\n");
}

}  // namespace

void add_models_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("models", "The I/O models, their options, and which of them can run here");
  const auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "for programs");
  command->callback([&exit_code, as_json] {
    *as_json ? print_as_json() : print_for_people();
    exit_code = kOk;
  });
}

}  // namespace iolab::io
