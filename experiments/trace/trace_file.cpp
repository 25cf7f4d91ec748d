#include "experiments/trace/trace_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace iolab::lab {

std::vector<TracedCall> parse_trace(std::string_view text) {
  std::vector<TracedCall> calls;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) break;
    const auto line = nlohmann::json::parse(text.substr(0, end), nullptr, false);
    text.remove_prefix(end + 1);
    if (!line.is_object() || !line.contains("call")) continue;
    const auto number = [&](const char* key) { return line.value(key, std::int64_t{0}); };
    calls.push_back({.call = line.value("call", ""),
                     .where = line.value("where", ""),
                     .thread_name = line.value("thread_name", ""),
                     .thread = number("thread"),
                     .descriptor = line.value("descriptor", -1),
                     .entered_ns = number("entered_ns"),
                     .returned_ns = number("returned_ns"),
                     .cpu_ns = number("cpu_ns"),
                     .arrived_ns = number("arrived_ns"),
                     .result = number("result"),
                     .is_order = line.value("order", false)});
  }
  std::ranges::stable_sort(calls, {}, &TracedCall::entered_ns);
  return calls;
}

LostCalls lost_calls(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const auto before = text.rfind('\n');
  const auto line =
      nlohmann::json::parse(before == std::string_view::npos ? text : text.substr(before + 1), nullptr, false);
  if (!line.is_object()) return {};
  return {.calls = line.value("lost_calls", std::int64_t{0}), .since_ns = line.value("first_lost_ns", std::int64_t{0})};
}

}  // namespace iolab::lab
