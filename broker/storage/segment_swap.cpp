#include "broker/storage/segment_swap.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "broker/storage/segment.h"

namespace iolab::storage {
namespace {

constexpr std::string_view kSwapSuffix = ".swap";
constexpr std::size_t kDigits = 20;

std::optional<std::int64_t> offset_of(std::string_view digits) {
  std::int64_t offset = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  if (error != std::errc() || end != digits.data() + digits.size() || offset < 0) return std::nullopt;
  return offset;
}

// The log of `range` has the name of a .swap: removes what it replaces, and names it for good.
Expected<void> finish(const std::filesystem::path& directory, const SegmentRange& range,
                      const std::vector<std::string>& names, FileHooks hooks) {
  for (const std::string& name : names) {
    const auto base_offset = Segment::base_offset_of(name);
    if (!base_offset || *base_offset < range.base_offset || *base_offset >= range.end_offset) continue;
    const std::filesystem::path log = directory / name;
    for (const char* extension : {".index", ".timeindex", ".log"}) {
      const auto file = std::filesystem::path(log).replace_extension(extension);
      if (auto done = remove_file(file, hooks); !done) return done;
    }
  }
  return rename_path(directory / swap_name(range), directory / Segment::file_name(range.base_offset), hooks);
}

}  // namespace

std::string cleaned_name(const SegmentRange& range) {
  return fmt::format("{:020}-{:020}{}", range.base_offset, range.end_offset, kCleanedSuffix);
}

std::string swap_name(const SegmentRange& range) {
  return fmt::format("{:020}-{:020}{}", range.base_offset, range.end_offset, kSwapSuffix);
}

std::optional<SegmentRange> swap_range_of(std::string_view file_name) {
  if (file_name.size() != 2 * kDigits + 1 + kSwapSuffix.size() || !file_name.ends_with(kSwapSuffix) ||
      file_name[kDigits] != '-') {
    return std::nullopt;
  }
  const auto base_offset = offset_of(file_name.substr(0, kDigits));
  const auto end_offset = offset_of(file_name.substr(kDigits + 1, kDigits));
  if (!base_offset || !end_offset || *end_offset <= *base_offset) return std::nullopt;
  return SegmentRange{*base_offset, *end_offset};
}

Expected<int> finish_swaps(const std::filesystem::path& directory, FileHooks hooks) {
  const auto names = list_directory(directory);
  if (!names) return std::unexpected(names.error());
  int finished = 0;
  for (const std::string& name : *names) {
    if (name.ends_with(kCleanedSuffix)) {
      if (auto done = remove_file(directory / name, hooks); !done) return std::unexpected(done.error());
    }
    const auto range = swap_range_of(name);
    if (!range) continue;
    if (auto done = finish(directory, *range, *names, hooks); !done) return std::unexpected(done.error());
    ++finished;
  }
  // Else a power cut could bring the old files back beside what is appended from now on.
  if (finished > 0) {
    if (auto done = sync_directory(directory, hooks); !done) return std::unexpected(done.error());
  }
  return finished;
}

}  // namespace iolab::storage
