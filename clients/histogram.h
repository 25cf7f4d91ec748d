// Latencies in fixed memory: a histogram with three significant digits, that is, a value read back is at most 0.1 %
// above what was recorded. Histograms of threads and trials are merged; percentiles are never averaged. The scheme is
// that of HdrHistogram (Gil Tene): buckets double in width whenever the value doubles.
//
// Values are plain integers; the clients record nanoseconds. One writer at a time; copies are values (270 KiB each,
// less of one that was only read).
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::clients {

class Histogram {
 public:
  // Larger values are recorded as this one (73 minutes in nanoseconds), and counted by clipped().
  static constexpr std::uint64_t kHighest = (std::uint64_t{1} << 42) - 1;

  // An empty one holds no memory. Its buckets come with the first value, or before, with make_room(): for a writer
  // that must not be held up by a first touch of 270 KiB.
  void make_room();
  void record(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);
  void clear();

  std::uint64_t count() const { return count_; }
  std::uint64_t clipped() const { return clipped_; }
  std::uint64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  std::uint64_t max() const { return max_; }                    // exact, up to kHighest
  double mean() const;                                          // exact, up to kHighest
  // The smallest recorded value v such that at least `fraction` of all values are <= v, rounded up to the edge of its
  // bucket and never above max(). 0 if nothing was recorded. 0.5 is the median, 1 the maximum.
  std::uint64_t percentile(double fraction) const;
  // How many values were recorded at or below `value` (its whole bucket included).
  std::uint64_t count_up_to(std::uint64_t value) const;

  // A few lines of text, one for each bucket that holds something:
  //   iolab-histogram 1 digits=3 count=3 clipped=0 min=15 max=2100 sum=2131
  //   15 1
  //   2100 1
  std::string serialise() const;
  // The error says which line is wrong, and how.
  static std::expected<Histogram, std::string> parse(std::string_view text);

  bool operator==(const Histogram& other) const;  // the same values; room made for more is no difference

 private:
  static std::size_t bucket_of(std::uint64_t value);
  static std::uint64_t lowest_of(std::size_t bucket);
  static std::uint64_t highest_of(std::size_t bucket);

  std::span<const std::uint64_t> held() const;  // up to the last bucket that holds something

  std::vector<std::uint64_t> counts_;  // as many buckets as are needed so far; all of them in one that is written to
  std::uint64_t count_ = 0;
  std::uint64_t clipped_ = 0;
  std::uint64_t min_ = kHighest;
  std::uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace iolab::clients
