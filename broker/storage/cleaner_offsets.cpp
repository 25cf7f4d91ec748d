#include "broker/storage/cleaner_offsets.h"

#include <limits>

#include "broker/storage/directory_texts.h"

namespace iolab::storage {
namespace {

constexpr const char* kName = "cleaner-offset-checkpoint";

}  // namespace

Expected<CleanerOffsets> read_cleaner_offsets(const std::filesystem::path& directory, FileHooks hooks) {
  const auto text = read_file(directory / kName, hooks);
  if (!text && text.error().fault == StorageFault::not_found) return CleanerOffsets{};
  if (!text) return std::unexpected(text.error());
  if (auto offsets = parse_cleaner_offsets(*text)) return *offsets;
  return CleanerOffsets{.cleaned_below = 0, .gaps_below = std::numeric_limits<std::int64_t>::max()};
}

Expected<void> write_cleaner_offsets(const std::filesystem::path& directory, const CleanerOffsets& offsets,
                                     FileHooks hooks) {
  return replace_file(directory / kName, cleaner_offsets_text(offsets), hooks);
}

}  // namespace iolab::storage
