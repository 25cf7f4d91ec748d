#include "experiments/spec/levels.h"

namespace iolab::lab {
namespace {

// "32 busy connections", "1 busy connection", "64 KiB records", "acks all"
std::string one_label(const Words& words, const Axis& axis, std::size_t at) {
  const auto key = "level." + axis.path;
  if (words.knows(key)) return words.say(key, {{"value", axis.labels[at]}});
  return words.say("level.other", {{"axis", axis_label(words, axis.path)}, {"value", axis.labels[at]}});
}

}  // namespace

std::string axis_label(const Words& words, std::string_view path) {
  const auto key = "axis." + std::string(path);
  if (words.knows(key)) return words.say(key);
  const auto dot = path.find('.');
  return std::string(dot == std::string_view::npos ? path : path.substr(dot + 1));
}

std::string level_label(const Words& words, const std::vector<Axis>& axes, const std::vector<std::size_t>& at) {
  if (axes.empty()) return words.say("level.all");
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (is_said(axes, axes[i])) parts.push_back(one_label(words, axes[i], at[i]));
  }
  return words.comma_parted(parts);
}

}  // namespace iolab::lab
