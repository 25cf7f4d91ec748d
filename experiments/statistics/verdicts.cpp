#include "experiments/statistics/verdicts.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

Verdict measure(const Comparison& comparison, double confidence) {
  Verdict verdict{.of = comparison.of, .interval = median_interval(comparison.ratios, confidence), .because = {}};
  verdict.ratio = median(comparison.ratios);
  verdict.more = static_cast<int>(std::ranges::count_if(comparison.ratios, [](double ratio) { return ratio > 1; }));
  verdict.less = static_cast<int>(std::ranges::count_if(comparison.ratios, [](double ratio) { return ratio < 1; }));
  verdict.p = sign_test(verdict.more, verdict.less);
  return verdict;
}

}  // namespace

std::string_view name(Word word) {
  static constexpr std::array<std::string_view, 8> kNames{"clearly_more",  "clearly_less", "probably_more",
                                                          "probably_less", "too_close",    "same",
                                                          "cannot_say",    "not_available"};
  return kNames[static_cast<std::size_t>(word)];
}

double sign_test(int more, int less) {
  return std::min(1.0, 2 * binomial_half_cdf(more + less, std::min(more, less)));
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;  // a comparison is never surer than one with a smaller p
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, p[order[rank]] * static_cast<double>(p.size() - rank)));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

int fewest_signs(int n, int comparisons, double confidence) {
  int signs = n + 1;
  while (signs > 0 && 2 * (signs - 1) > n && sign_test(signs - 1, n - signs + 1) * comparisons < 1 - confidence)
    --signs;
  return signs;
}

std::optional<double> floor_of(std::span<const double> ratios_of_the_same, double ignore_below) {
  if (!median_interval(ratios_of_the_same)) return std::nullopt;
  const double middle = median(ratios_of_the_same);
  return std::max({middle - 1, 1 / middle - 1, ignore_below});
}

std::optional<double> reach_of(std::span<const double> ratios_of_the_same, double confidence) {
  const auto interval = median_interval(ratios_of_the_same, confidence);
  if (!interval) return std::nullopt;
  return std::max({interval->high - 1, 1 / interval->low - 1, 0.0});
}

Word word_for(const Verdict& verdict, double floor, double confidence) {
  const auto& [low, high, low_rank, high_rank, coverage] = *verdict.interval;
  const bool signs_agree = verdict.p_holm < 1 - confidence;
  if (low >= 1 / (1 + floor) && high <= 1 + floor) return Word::same;
  if (low > 1) return low > 1 + floor && signs_agree ? Word::clearly_more : Word::probably_more;
  if (high < 1) return high < 1 / (1 + floor) && signs_agree ? Word::clearly_less : Word::probably_less;
  return Word::too_close;
}

std::vector<Verdict> judge(std::span<const Comparison> comparisons, std::optional<double> floor, double confidence) {
  std::vector<Verdict> verdicts;
  std::vector<double> p;  // of what can be judged at all
  for (const Comparison& comparison : comparisons) {
    verdicts.push_back(measure(comparison, confidence));
    if (verdicts.back().interval) p.push_back(verdicts.back().p);
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0, judged = 0; i < verdicts.size(); ++i) {
    Verdict& verdict = verdicts[i];
    if (verdict.interval) verdict.p_holm = adjusted[judged++];
    if (!verdict.interval) {
      verdict.because = recorded("verdict.few_ratios", {{"ratios", comparisons[i].ratios.size()}});
    } else if (!floor) {
      verdict.because = recorded("verdict.no_floor");
    } else {
      verdict.word = word_for(verdict, *floor, confidence);
    }
  }
  return verdicts;
}

}  // namespace iolab::lab
