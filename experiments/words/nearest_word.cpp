#include "experiments/words/nearest_word.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace iolab::lab {
namespace {

// Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours, each counting one.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string lower_case(std::string_view word) {
  std::string text(word);
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

std::string nearest_word(std::string_view word, std::span<const std::string> candidates) {
  const std::string wanted = lower_case(word);
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    // A word that is cut short ("idle" for "idle-tax") is a likelier meaning than three changed letters, and so is one
    // that stands inside a longer name ("p99"), but less.
    const bool beginning = wanted.size() >= 3 && candidate.starts_with(wanted);
    const bool inside = wanted.size() >= 3 && candidate.find(wanted) != std::string::npos;
    const std::size_t changed = distance(wanted, candidate);
    const std::size_t d = beginning ? 1 : inside ? std::min<std::size_t>(2, changed) : changed;
    if (d < best_distance && d < std::max(wanted.size(), candidate.size())) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kShortList = 16;
  const bool is_short = !candidates.empty() && candidates.size() <= kShortList;
  return is_short || !nearest_word(word, candidates).empty() ? nearest_or_all(word, candidates) : std::string();
}

std::string nearest_or_all(std::string_view word, std::span<const std::string> candidates) {
  if (const auto near = nearest_word(word, candidates); !near.empty()) return fmt::format("did you mean \"{}\"?", near);
  return fmt::format("known are: {}", fmt::join(candidates, ", "));
}

}  // namespace iolab::lab
