// How far a log was cleaned, in a small text of its own in the partition's directory: FORMAT.md shows one.
//
// `gaps_below` is written before the first segment with a gap comes into being, so that an offset that is missing is
// known to have been left out on purpose; at or above it a gap is damage, as in every other log.
#pragma once

#include <cstdint>
#include <filesystem>

#include "broker/storage/file.h"

namespace iolab::storage {

struct CleanerOffsets {
  std::int64_t cleaned_below = 0;  // no key occurs twice below it
  std::int64_t gaps_below = 0;     // offsets may be missing below it

  bool operator==(const CleanerOffsets&) const = default;
};

// Of a log that was never cleaned: zeros. Of one whose file is damaged: gaps may be anywhere, and all is to be cleaned
// again.
Expected<CleanerOffsets> read_cleaner_offsets(const std::filesystem::path& directory, FileHooks hooks);
// Durable when it returns.
Expected<void> write_cleaner_offsets(const std::filesystem::path& directory, const CleanerOffsets& offsets,
                                     FileHooks hooks);

}  // namespace iolab::storage
