#include "experiments/machine/models.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "experiments/spec/spec.h"

namespace iolab::lab {
namespace {

constexpr std::string_view kBlack = "#000000";
constexpr std::string_view kVermilion = "#D55E00";
constexpr std::string_view kPurple = "#CC79A7";
constexpr std::string_view kOrange = "#E69F00";
constexpr std::string_view kBlue = "#0072B2";
constexpr std::string_view kSky = "#56B4E9";
constexpr std::string_view kGreen = "#009E73";
constexpr std::string_view kGrey = "#999999";

struct Look {
  std::string_view id;
  std::string_view color;  // Okabe and Ito's palette: told apart by colour-blind readers
  std::string_view marker;
  std::string_view dash;  // of matplotlib; empty: `intervals`
  std::string_view hatch;
  double line_width;
  std::array<double, 6> intervals{};  // on, off, ... in points, to the first zero
};

constexpr std::array kLooks{
    Look{"blocking", kBlack, "o", "solid", "", 1.6},
    Look{"blocking-pool", kBlack, "h", "dashed", "..", 1.4},
    Look{"nonblocking", kVermilion, "X", "dotted", "xxxx", 1.8},
    Look{"select", kPurple, "^", "dashdot", "\\\\", 1.6},
    Look{"poll", kOrange, "v", "", "--", 1.6, {9, 3}},
    Look{"epoll", kBlue, "s", "solid", "", 2.4},
    Look{"epoll-et", kBlue, "P", "dashed", "||", 1.4},
    Look{"sigio", kSky, "D", "dashed", "..", 1.6},
    Look{"posix-aio", kGrey, "p", "", "oo", 1.6, {7, 2, 1.5, 2, 1.5, 2}},
    Look{"io_uring", kGreen, "*", "", "//", 1.8, {14, 2, 1.5, 2}},
    Look{"io_uring-multishot", kGreen, "d", "dashed", "++", 1.4},
};

std::vector<std::string> strings_in(const nlohmann::json& list) {
  std::vector<std::string> strings;
  for (const auto& entry : list) {
    if (entry.is_string()) strings.push_back(entry.get<std::string>());
  }
  return strings;
}

// "io_uring:sqpoll=on,taskrun=plain" has what io_uring has and what each of its options adds.
bool has_feature(const std::vector<ModelInfo>& models, std::string_view model, std::string_view feature) {
  const auto id = model_id(model);
  const auto info = std::ranges::find(models, id, &ModelInfo::id);
  if (info == models.end()) return false;
  const auto named = [&](const std::vector<std::string>& features) {
    return std::ranges::find(features, feature) != features.end();
  };
  if (named(info->features)) return true;
  for (auto rest = model.substr(std::min(id.size() + 1, model.size())); !rest.empty();) {
    const auto option = rest.substr(0, rest.find(','));
    const auto added = info->option_features.find(std::string(option));
    if (added != info->option_features.end() && named(added->second)) return true;
    rest.remove_prefix(std::min(option.size() + 1, rest.size()));
  }
  return false;
}

}  // namespace

std::expected<std::vector<ModelInfo>, std::string> parse_models(std::string_view json_text) {
  const auto root = nlohmann::json::parse(json_text, nullptr, false);
  if (root.is_discarded() || !root.contains("models") || !root["models"].is_array()) {
    return std::unexpected("`iolab models --json` did not print a list of models");
  }
  std::vector<ModelInfo> models;
  for (const auto& entry : root["models"]) {
    ModelInfo model{.id = entry.value("id", ""),
                    .family = entry.value("family", ""),
                    .summary = entry.value("summary", ""),
                    .available = entry.value("available", true),
                    .reason = "",
                    .features = strings_in(entry.value("features", nlohmann::json::array()))};
    if (entry.contains("reason") && entry["reason"].is_string()) model.reason = entry["reason"].get<std::string>();
    for (const auto& option : entry.value("options", nlohmann::json::array())) {
      const auto added = option.value("features", nlohmann::json::object());
      for (const auto& [value, features] : added.items()) {
        model.option_features[option.value("key", "") + "=" + value] = strings_in(features);
      }
    }
    if (model.id != "null") models.push_back(std::move(model));
  }
  return models;
}

std::expected<std::vector<ModelInfo>, std::string> ask_for_models(const OwnBinary& binary) {
  constexpr std::chrono::seconds kLimit{20};
  const auto text = run_and_read({.binary = &binary, .arguments = {"iolab", "models", "--json"}}, kLimit);
  if (!text) return std::unexpected(text.error());
  return parse_models(*text);
}

std::vector<std::string> ids_of(const std::vector<ModelInfo>& models) {
  std::vector<std::string> ids;
  for (const auto& model : models) ids.push_back(model.id);
  return ids;
}

std::string complaint_of(const OwnBinary& binary, const std::string& command, const std::vector<std::string>& flags) {
  constexpr std::chrono::seconds kLimit{20};
  std::vector<std::string> arguments{"iolab", command, "--check"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto child = ChildProcess::start({.binary = &binary, .arguments = std::move(arguments)});
  if (!child) return {};
  child->close_input();
  const auto deadline = ChildProcess::Clock::now() + kLimit;
  auto said = child->read_all(deadline).value_or("");
  (void)child->wait(deadline);
  while (said.ends_with('\n')) said.pop_back();
  return said;
}

bool never_sleeps(const std::vector<ModelInfo>& models, std::string_view model) {
  return has_feature(models, model, "never-sleeps");
}

bool kernel_thread_spins(const std::vector<ModelInfo>& models, std::string_view model) {
  return has_feature(models, model, "kernel-thread-spins");
}

bool spins(const std::vector<ModelInfo>& models, std::string_view model) {
  return never_sleeps(models, model) || kernel_thread_spins(models, model);
}

ModelLook look_of(std::string_view model) {
  const auto found = std::ranges::find(kLooks, model_id(model), &Look::id);
  if (found == kLooks.end()) return {std::string(kGrey), "x", "solid", {}, "", 1.0};
  const auto end = std::ranges::find(found->intervals, 0.0);
  return {.color = std::string(found->color),
          .marker = std::string(found->marker),
          .dash = std::string(found->dash),
          .intervals = {found->intervals.begin(), end},
          .hatch = std::string(found->hatch),
          .line_width = found->line_width};
}

ModelLook variant_look(ModelLook look, std::size_t earlier) {
  static constexpr std::array<std::string_view, 4> kMarkers{"<", ">", "8", "H"};
  static const std::array<std::vector<double>, 3> kDashes{{{6, 2, 1, 2}, {8, 3}, {1, 1}}};
  static constexpr std::array<std::string_view, 4> kHatches{"++", "\\\\\\\\", "--", "oo"};
  if (earlier == 0) return look;
  look.marker = kMarkers[(earlier - 1) % kMarkers.size()];
  look.dash.clear();
  look.intervals = kDashes[(earlier - 1) % kDashes.size()];
  look.hatch = kHatches[(earlier - 1) % kHatches.size()];
  return look;
}

int family_number(std::string_view family) {
  static constexpr std::array<std::string_view, 5> kFamilies{"blocking", "non-blocking", "multiplexing",
                                                             "signal-driven", "asynchronous"};
  const auto found = std::ranges::find(kFamilies, family);
  return found == kFamilies.end() ? 0 : static_cast<int>(found - kFamilies.begin()) + 1;
}

}  // namespace iolab::lab
