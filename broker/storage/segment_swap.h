// How a cleaned segment takes the place of those that it was made from, so that a crash at any point leaves either the
// old ones or the new one, whole.
//
//   1  <base>-<end>.cleaned   is written and synced, its indexes beside it
//   2  <base>-<end>.swap      is its new name, synced: from here on it counts, and the old files do not
//   3                         the old files with base offsets from <base> to before <end> are removed
//   4  <base>.log             is its name for good
//
// The broker does 3 and 4 at once, under the log's lock; a start that finds a .swap does them then, and throws every
// .cleaned away. Threads: those of the log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "broker/storage/file.h"

namespace iolab::storage {

inline constexpr std::string_view kCleanedSuffix = ".cleaned";

// The offsets [base_offset, end_offset) that a segment answers for, whether or not each is still there.
struct SegmentRange {
  std::int64_t base_offset = 0;
  std::int64_t end_offset = 0;

  bool operator==(const SegmentRange&) const = default;
};

std::string cleaned_name(const SegmentRange& range);
std::string swap_name(const SegmentRange& range);
// The range in the name of a .swap; nothing: it is the name of something else.
std::optional<SegmentRange> swap_range_of(std::string_view file_name);

// At a start, before the segments are opened: finishes what a crash has interrupted. Returns how many swaps it
// finished.
Expected<int> finish_swaps(const std::filesystem::path& directory, FileHooks hooks);

}  // namespace iolab::storage
