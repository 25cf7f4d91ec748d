#include "clients/histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

namespace iolab::clients {
namespace {

// 1,024 buckets for each doubling: a bucket is at most 1/1024 of its values wide. Below 2,048 every value has its own.
constexpr std::uint64_t kPerDoubling = 1024;
constexpr std::uint64_t kExact = 2 * kPerDoubling;
constexpr int kExactBits = 11;
constexpr std::size_t kBuckets = kExact + (42 - kExactBits) * kPerDoubling;

constexpr std::string_view kHeader = "iolab-histogram 1 digits=3";

// Takes `label` and an unsigned number (0.0 to 2^64 for `sum`) from the front of `text`.
template <typename Number>
std::optional<Number> take(std::string_view& text, std::string_view label) {
  if (!text.starts_with(label)) return std::nullopt;
  text.remove_prefix(label.size());
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

}  // namespace

void Histogram::make_room() {
  counts_.resize(kBuckets);
}

std::size_t Histogram::bucket_of(std::uint64_t value) {
  if (value < kExact) return value;
  const int shift = static_cast<int>(std::bit_width(value)) - kExactBits;
  return kExact + static_cast<std::uint64_t>(shift - 1) * kPerDoubling + ((value >> shift) - kPerDoubling);
}

std::uint64_t Histogram::lowest_of(std::size_t bucket) {
  if (bucket < kExact) return bucket;
  const auto shift = (bucket - kExact) / kPerDoubling + 1;
  return (kPerDoubling + (bucket - kExact) % kPerDoubling) << shift;
}

std::uint64_t Histogram::highest_of(std::size_t bucket) {
  return bucket + 1 == kBuckets ? kHighest : lowest_of(bucket + 1) - 1;
}

void Histogram::record(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  if (counts_.size() < kBuckets) make_room();
  if (value > kHighest) {
    value = kHighest;
    clipped_ += times;
  }
  counts_[bucket_of(value)] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

std::span<const std::uint64_t> Histogram::held() const {
  return std::span(counts_).first(count_ == 0 ? 0 : bucket_of(max_) + 1);
}

bool Histogram::operator==(const Histogram& other) const {
  return count_ == other.count_ && clipped_ == other.clipped_ && min_ == other.min_ && max_ == other.max_ &&
         sum_ == other.sum_ && std::ranges::equal(held(), other.held());
}

void Histogram::merge(const Histogram& other) {
  if (counts_.size() < other.counts_.size()) make_room();
  for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
  clipped_ += other.clipped_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

void Histogram::clear() {
  *this = Histogram();
}

double Histogram::mean() const {
  return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

std::uint64_t Histogram::percentile(double fraction) const {
  if (count_ == 0) return 0;
  const double wanted = std::ceil(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = bucket_of(min_); i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen >= rank) return std::min(highest_of(i), max_);
  }
  return max_;
}

std::uint64_t Histogram::count_up_to(std::uint64_t value) const {
  std::uint64_t seen = 0;
  if (count_ == 0) return 0;
  const std::size_t end = std::min(counts_.size(), bucket_of(std::min(value, kHighest)) + 1);
  for (std::size_t i = 0; i < end; ++i) seen += counts_[i];
  return seen;
}

std::string Histogram::serialise() const {
  std::string text =
      fmt::format("{} count={} clipped={} min={} max={} sum={}\n", kHeader, count_, clipped_, min(), max_, sum_);
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] != 0) fmt::format_to(std::back_inserter(text), "{} {}\n", lowest_of(i), counts_[i]);
  }
  return text;
}

std::expected<Histogram, std::string> Histogram::parse(std::string_view text) {
  Histogram read;
  auto header = take_line(text);
  const auto wrong = [&](int line, std::string_view what) {
    return std::unexpected(fmt::format("line {} of a histogram: {}", line, what));
  };
  if (!header.starts_with(kHeader)) return wrong(1, fmt::format("does not start with '{}'", kHeader));
  header.remove_prefix(kHeader.size());
  const auto count = take<std::uint64_t>(header, " count="), clipped = take<std::uint64_t>(header, " clipped="),
             min = take<std::uint64_t>(header, " min="), max = take<std::uint64_t>(header, " max=");
  const auto sum = take<double>(header, " sum=");
  if (!count || !clipped || !min || !max || !sum || !header.empty()) {
    return wrong(1, "needs count=, clipped=, min=, max= and sum=, in this order");
  }
  if (*min > *max || *max > kHighest || *clipped > *count)
    return wrong(1, "min, max and clipped contradict each other");
  int line_number = 1;
  for (std::size_t last = 0; !text.empty();) {
    ++line_number;
    auto line = take_line(text);
    const auto value = take<std::uint64_t>(line, ""), times = take<std::uint64_t>(line, " ");
    if (!value || !times || !line.empty()) return wrong(line_number, "is not 'value count'");
    if (*value > kHighest || lowest_of(bucket_of(*value)) != *value)
      return wrong(line_number, "is no bucket's lowest value");
    if (line_number > 2 && bucket_of(*value) <= last) return wrong(line_number, "is out of order");
    last = bucket_of(*value);
    read.counts_.resize(bucket_of(*max) + 1);
    if (last >= read.counts_.size()) return wrong(line_number, "lies above max");
    read.counts_[last] = *times;
    read.count_ += *times;
  }
  if (read.count_ != *count)
    return wrong(line_number, fmt::format("the counts add up to {}, not {}", read.count_, *count));
  read.clipped_ = *clipped;
  if (*count != 0) read.min_ = *min;
  read.max_ = *max;
  read.sum_ = *sum;
  return read;
}

}  // namespace iolab::clients
