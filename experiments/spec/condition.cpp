// "workload.connections + workload.idle_connections > 1000": when an exclusion holds.
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <optional>

#include "experiments/spec/spec.h"
#include "experiments/words/nearest_word.h"

namespace iolab::lab {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Which names a probe knows, only it can say: one that it does not is refused with the axis of that name.
std::optional<double> quantity(std::string_view name, const Workload& work, const Properties& probe) {
  constexpr std::string_view kProbe = "probe_config.";
  if (name.starts_with(kProbe)) {
    for (const auto& [key, value] : probe) {
      if (key == name.substr(kProbe.size())) return std::atof(value.c_str());
    }
    return 0;
  }
  constexpr std::string_view kGroup = "workload.";  // may be left out, as with --set
  if (name.starts_with(kGroup)) name.remove_prefix(kGroup.size());
  if (name == "connections") return work.connections;
  if (name == "idle_connections") return work.idle_connections;
  if (name == "in_flight") return work.in_flight;
  if (name == "record_size") return static_cast<double>(work.record_bytes);
  return std::nullopt;
}

std::expected<double, std::string> sum_of(std::string_view names, const Workload& work, const Properties& probe) {
  static const std::vector<std::string> kNames{"workload.connections", "workload.idle_connections",
                                               "workload.in_flight", "workload.record_size", "probe_config.KEY"};
  double sum = 0;
  while (!names.empty()) {
    const auto plus = names.find('+');
    const auto name = trimmed(names.substr(0, plus));
    const auto value = quantity(name, work, probe);
    if (!value) {
      const auto path = name.find('.') == std::string_view::npos ? fmt::format("workload.{}", name) : std::string(name);
      return std::unexpected(fmt::format("unknown path \"{}\": {}", name, suggestion(path, kNames)));
    }
    sum += *value;
    names = plus == std::string_view::npos ? std::string_view{} : names.substr(plus + 1);
  }
  return sum;
}

std::expected<bool, std::string> compare(double left, std::string_view sign, double right) {
  if (sign == ">") return left > right;
  if (sign == ">=") return left >= right;
  if (sign == "<") return left < right;
  if (sign == "<=") return left <= right;
  if (sign == "==") return left == right;
  return std::unexpected(fmt::format("unknown comparison \"{}\": known are >, >=, <, <= and ==", sign));
}

}  // namespace

std::expected<bool, std::string> condition_holds(std::string_view condition, const Workload& work,
                                                 const Properties& probe) {
  if (condition.empty()) return true;
  const auto border = condition.find_first_of("<>=");
  if (border == std::string_view::npos) {
    return std::unexpected(
        fmt::format("\"{}\" compares nothing: write \"workload.idle_connections > 1000\"", condition));
  }
  const auto sum = sum_of(condition.substr(0, border), work, probe);
  if (!sum) return std::unexpected(sum.error());
  const auto end = condition.find_first_not_of("<>=", border);
  const auto right = end == std::string_view::npos ? std::string_view{} : trimmed(condition.substr(end));
  double limit = 0;
  const auto [stop, error] = std::from_chars(right.data(), right.data() + right.size(), limit);
  if (error != std::errc{} || stop != right.data() + right.size()) {
    return std::unexpected(fmt::format("\"{}\" is not a number", right));
  }
  return compare(*sum, condition.substr(border, end - border), limit);
}

}  // namespace iolab::lab
