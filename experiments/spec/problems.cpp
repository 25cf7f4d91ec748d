#include "experiments/spec/problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

struct Excerpt {
  std::string line;
  std::string below;  // spaces, then the underline
};

// One character of UTF-8 each. What would move the cursor of a terminal becomes visible instead.
std::vector<std::string> characters_of(std::string_view line) {
  std::vector<std::string> characters;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 && !characters.empty()) {
      characters.back() += c;
    } else {
      characters.emplace_back(1, c == '\t' ? ' ' : byte < 0x20 || byte == 0x7F ? '?' : c);
    }
  }
  return characters;
}

// Of a long line only the part around the place.
Excerpt excerpt_of(const Problem& problem) {
  constexpr std::size_t kWidest = 100;
  constexpr std::size_t kBefore = 40;
  const auto characters = characters_of(problem.source_line);
  const auto place = std::min(static_cast<std::size_t>(problem.position.column - 1), characters.size());
  const bool fits = characters.size() <= kWidest;
  const std::size_t first = fits || place < kBefore ? 0 : place - kBefore;
  const std::size_t last = fits ? characters.size() : std::min(first + kWidest, characters.size());
  Excerpt excerpt;
  if (first > 0) excerpt.line = "... ";
  for (std::size_t i = first; i < place; ++i) excerpt.line += characters[i];
  excerpt.below = std::string(display_width(excerpt.line), ' ');
  std::string underlined;
  const auto end = std::min(place + static_cast<std::size_t>(std::max(problem.width, 1)), last);
  for (std::size_t i = place; i < end; ++i) underlined += characters[i];
  excerpt.below += std::string(std::max<std::size_t>(display_width(underlined), 1), '^');
  excerpt.line += underlined;
  for (std::size_t i = end; i < last; ++i) excerpt.line += characters[i];
  if (last < characters.size()) excerpt.line += " ...";
  return excerpt;
}

std::string shown(const Problem& problem, const Terminal& terminal) {
  const bool is_error = problem.severity == Severity::error;
  auto text = fmt::format("{} {}", bold(terminal, is_error ? "error:" : "warning:"), problem.what);
  if (problem.file.empty()) return text + (problem.remedy.empty() ? "\n" : ": " + problem.remedy + "\n");
  text += fmt::format("\n  --> {}:{}:{}\n", problem.file, problem.position.line, problem.position.column);
  if (!problem.source_line.empty()) {
    const auto excerpt = excerpt_of(problem);
    text += fmt::format("  {:>3} | {}\n      | {}", problem.position.line, excerpt.line, excerpt.below);
    text += problem.remedy.empty() ? "\n" : "  " + problem.remedy + "\n";
  } else if (!problem.remedy.empty()) {
    text += "  " + problem.remedy + "\n";
  }
  const auto explain = problem.explains.empty() ? "" : "iolab spec explain " + problem.explains;
  if (!problem.pointer.empty()) {
    text += fmt::format("  path {}{}{}\n", problem.pointer, explain.empty() ? "" : " · ", explain);
  }
  return text;
}

}  // namespace

std::string to_text(const Problem& problem) {
  const auto place = problem.file.empty()
                         ? std::string()
                         : fmt::format("{}:{}:{}: ", problem.file, problem.position.line, problem.position.column);
  const auto* warning = problem.severity == Severity::warning ? "warning: " : "";
  return place + warning + problem.what + (problem.remedy.empty() ? "" : ": " + problem.remedy);
}

std::string to_text(std::span<const Problem> problems, const Terminal& terminal, std::string_view ending) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (const auto& problem : problems.first(std::min(problems.size(), kMost))) text += shown(problem, terminal);
  if (problems.size() > kMost) text += fmt::format("... and {} more\n", problems.size() - kMost);
  const auto errors = static_cast<std::uint64_t>(std::ranges::count(problems, Severity::error, &Problem::severity));
  std::vector<std::string> counts;
  if (errors > 0) counts.push_back(counted(errors, "error"));
  if (errors < problems.size()) counts.push_back(counted(problems.size() - errors, "warning"));
  return fmt::format("{}{}.{}{}\n", text, fmt::join(counts, ", "), ending.empty() ? "" : " ", ending);
}

bool has_errors(std::span<const Problem> problems) {
  return std::ranges::find(problems, Severity::error, &Problem::severity) != problems.end();
}

bool has_errors_in_a_file(std::span<const Problem> problems) {
  return std::ranges::any_of(problems,
                             [](const Problem& one) { return one.severity == Severity::error && !one.file.empty(); });
}

void sort_by_place(std::vector<Problem>& problems) {
  std::ranges::stable_sort(problems, {}, [](const Problem& one) { return std::tuple(one.file.empty(), one.position); });
}

}  // namespace iolab::lab
