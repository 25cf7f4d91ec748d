#include "broker/storage/segment_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <span>
#include <system_error>
#include <utility>

#include "broker/base/bytes.h"
#include "broker/base/crc32c.h"

namespace iolab::storage {
namespace {

constexpr std::int64_t kOffsetBytes = 8;  // relative offset 4, position 4
constexpr std::int64_t kTimeBytes = 12;   // timestamp 8, relative offset 4
constexpr std::size_t kPendingEntries = 128;
constexpr std::uint32_t kOffsetsMark = 0x494c4f31;             // "ILO1": what a footer begins with
constexpr std::uint64_t kTimesMark = 0x494c543100000000;       // "ILT1"
constexpr std::uint32_t kNoBatch = 0xffffffff;                 // in place of a relative offset
constexpr std::size_t kReadBytes = std::size_t{12} * 8 * 512;  // whole entries of both kinds

using base::load_big_endian;
using base::store_big_endian;

std::uint32_t seed_of(std::int64_t base_offset) {
  std::array<std::byte, 8> bytes;
  store_big_endian(bytes.data(), base_offset);
  return base::crc32c(bytes);  // an index copied from another segment is a wrong index
}

void encode(const IndexEntry& entry, std::int64_t base_offset, std::byte* offsets, std::byte* times) {
  store_big_endian(offsets, static_cast<std::uint32_t>(entry.place.offset - base_offset));
  store_big_endian(offsets + 4, static_cast<std::uint32_t>(entry.place.position));
  store_big_endian(times, entry.max_timestamp_ms);
  const bool none = entry.max_timestamp_offset < 0;
  store_big_endian(times + 8, none ? kNoBatch : static_cast<std::uint32_t>(entry.max_timestamp_offset - base_offset));
}

IndexPlace decode_place(std::int64_t base_offset, const std::byte* offsets) {
  return {.offset = base_offset + load_big_endian<std::uint32_t>(offsets),
          .position = load_big_endian<std::uint32_t>(offsets + 4)};
}

IndexEntry decode(std::int64_t base_offset, const std::byte* offsets, const std::byte* times) {
  const auto batch = load_big_endian<std::uint32_t>(times + 8);
  return {.place = decode_place(base_offset, offsets),
          .max_timestamp_ms = load_big_endian<std::int64_t>(times),
          .max_timestamp_offset = batch == kNoBatch ? -1 : base_offset + batch};
}

bool read_whole(const File& file, std::int64_t position, std::span<std::byte> into) {
  const auto got = file.read_at(position, into);
  return got && *got == into.size();
}

// The last of the `count` entries of a file that satisfies `wanted`, which a prefix of them does; its bytes are left in
// `found`. -1: none, or the file cannot be read. `hint` is a guess, and is set for the next one: a consumer asks for
// what follows its last answer, and then a single read finds it.
template <std::size_t EntryBytes, class Wanted>
std::int64_t find_last(const File& file, std::int64_t count, std::array<std::byte, EntryBytes>& found,
                       std::int64_t& hint, const Wanted& wanted) {
  constexpr std::int64_t kWindow = 256;
  constexpr auto kEntryBytes = static_cast<std::int64_t>(EntryBytes);
  std::array<std::byte, kWindow * EntryBytes> window;
  const auto read_window = [&](std::int64_t first, std::int64_t end) {
    return read_whole(file, first * kEntryBytes,
                      std::span(window).first(static_cast<std::size_t>((end - first) * kEntryBytes)));
  };
  // Entries before `low` satisfy, entries from `high` on do not; the window holds [low, window_end).
  std::int64_t low = std::min(hint, count - 1);
  std::int64_t high = std::min(low + kWindow, count);
  if (!read_window(low, high)) return -1;
  const bool begins_right = low == 0 || wanted(window.data());
  if (!begins_right || (high < count && wanted(window.data() + (high - 1 - low) * kEntryBytes))) {
    for (low = 0, high = count; high - low > kWindow;) {
      const std::int64_t middle = low + (high - low) / 2;
      if (!read_whole(file, middle * kEntryBytes, found)) return -1;
      (wanted(found.data()) ? low : high) = middle;
    }
    if (!read_window(low, high)) return -1;
  }
  const std::byte* entry = window.data();
  std::int64_t i = low;
  for (; i < high && wanted(entry); ++i) entry += kEntryBytes;
  if (i == low) return -1;
  std::copy_n(entry - kEntryBytes, kEntryBytes, found.begin());
  hint = i - 1;
  return i - 1;
}

// The checksum of the first `bytes` of a file; nothing if it has fewer.
std::optional<std::uint32_t> checksum_of(const File& file, std::int64_t bytes, std::uint32_t seed) {
  std::vector<std::byte> buffer(static_cast<std::size_t>(std::min<std::int64_t>(bytes, kReadBytes)));
  for (std::int64_t position = 0; position < bytes;) {
    const auto wanted = std::min(static_cast<std::size_t>(bytes - position), buffer.size());
    if (!read_whole(file, position, std::span(buffer).first(wanted))) return std::nullopt;
    seed = base::crc32c(std::span(buffer).first(wanted), seed);
    position += static_cast<std::int64_t>(wanted);
  }
  return seed;
}

}  // namespace

SegmentIndex::SegmentIndex(const std::filesystem::path& directory, std::int64_t base_offset, FileHooks hooks)
    : offsets_path_(directory / fmt::format("{:020}.index", base_offset)),
      times_path_(directory / fmt::format("{:020}.timeindex", base_offset)),
      base_offset_(base_offset),
      hooks_(hooks) {}

bool SegmentIndex::open_files() {
  if (!offsets_.is_open()) {
    if (auto file = File::open(offsets_path_, File::Mode::create, hooks_)) offsets_ = std::move(*file);
  }
  if (!times_.is_open()) {
    if (auto file = File::open(times_path_, File::Mode::create, hooks_)) times_ = std::move(*file);
  }
  if (!offsets_.is_open() || !times_.is_open()) return false;
  // If this fails, old bytes stay behind the new ones, and the footer's place tells that they do not belong there.
  if (std::exchange(forget_files_, false)) (void)(offsets_.truncate(0) && times_.truncate(0));
  return true;
}

void SegmentIndex::reset() {
  written_ = 0;
  pending_.clear();
  offsets_checksum_ = times_checksum_ = seed_of(base_offset_);
  forget_files_ = true;
}

void SegmentIndex::add(const IndexEntry& entry) {
  if (pending_.capacity() == 0) pending_.reserve(kPendingEntries);
  // When nothing can be written the index becomes sparser: this entry is left out, and the next one tries again.
  if (pending_.size() == kPendingEntries && !flush()) return;
  pending_.push_back(entry);
}

bool SegmentIndex::flush() {
  if (pending_.empty()) return true;
  if (!open_files()) return false;
  std::array<std::byte, kPendingEntries * kOffsetBytes> offsets;
  std::array<std::byte, kPendingEntries * kTimeBytes> times;
  for (std::size_t i = 0; i < pending_.size(); ++i)
    encode(pending_[i], base_offset_, offsets.data() + i * kOffsetBytes, times.data() + i * kTimeBytes);
  const auto offset_bytes = std::span(offsets).first(pending_.size() * kOffsetBytes);
  const auto time_bytes = std::span(times).first(pending_.size() * kTimeBytes);
  if (!offsets_.write_at(written_ * kOffsetBytes, offset_bytes)) return false;
  if (!times_.write_at(written_ * kTimeBytes, time_bytes)) return false;
  offsets_checksum_ = base::crc32c(offset_bytes, offsets_checksum_);
  times_checksum_ = base::crc32c(time_bytes, times_checksum_);
  written_ += static_cast<std::int64_t>(pending_.size());
  pending_.clear();
  return true;
}

void SegmentIndex::seal(const IndexEntry& end) {
  if (flush() && open_files()) {
    std::array<std::byte, 2 * kOffsetBytes> offsets;
    std::array<std::byte, 2 * kTimeBytes> times;
    encode(end, base_offset_, offsets.data(), times.data());
    store_big_endian(offsets.data() + 8, kOffsetsMark);
    store_big_endian(times.data() + 12, kTimesMark);
    store_big_endian(offsets.data() + 12, base::crc32c(std::span(offsets).first(12), offsets_checksum_));
    store_big_endian(times.data() + 20, base::crc32c(std::span(times).first(20), times_checksum_));
    (void)(offsets_.write_at(written_ * kOffsetBytes, offsets) && times_.write_at(written_ * kTimeBytes, times) &&
           offsets_.truncate((written_ + 2) * kOffsetBytes) && times_.truncate((written_ + 2) * kTimeBytes));
  }
  pending_ = {};
  offsets_.close();
  times_.close();
}

std::optional<IndexPlace> SegmentIndex::peek_end() {
  std::error_code error;
  const auto offset_bytes = static_cast<std::int64_t>(std::filesystem::file_size(offsets_path_, error));
  if (error) return std::nullopt;
  const auto time_bytes = static_cast<std::int64_t>(std::filesystem::file_size(times_path_, error));
  if (error) return std::nullopt;
  const std::int64_t entries = offset_bytes / kOffsetBytes - 2;
  if (entries < 0 || offset_bytes != (entries + 2) * kOffsetBytes || time_bytes != (entries + 2) * kTimeBytes)
    return std::nullopt;
  const auto offsets = File::open(offsets_path_, File::Mode::read_only, hooks_);
  std::array<std::byte, kOffsetBytes> end;
  if (!offsets || !read_whole(*offsets, entries * kOffsetBytes, end)) return std::nullopt;
  return decode_place(base_offset_, end.data());
}

std::optional<IndexEntry> SegmentIndex::check() {
  written_ = 0;
  pending_.clear();
  forget_files_ = false;
  if (!peek_end() || !open_files()) return std::nullopt;
  const auto bytes = offsets_.size();
  if (!bytes) return std::nullopt;
  const std::int64_t entries = *bytes / kOffsetBytes - 2;
  const auto offsets_checksum = checksum_of(offsets_, entries * kOffsetBytes, seed_of(base_offset_));
  const auto times_checksum = checksum_of(times_, entries * kTimeBytes, seed_of(base_offset_));
  std::array<std::byte, 2 * kOffsetBytes> offsets;
  std::array<std::byte, 2 * kTimeBytes> times;
  if (!offsets_checksum || !times_checksum || !read_whole(offsets_, entries * kOffsetBytes, offsets) ||
      !read_whole(times_, entries * kTimeBytes, times))
    return std::nullopt;
  const bool right =
      load_big_endian<std::uint32_t>(offsets.data() + 8) == kOffsetsMark &&
      load_big_endian<std::uint64_t>(times.data() + 12) == kTimesMark &&
      load_big_endian<std::uint32_t>(offsets.data() + 12) ==
          base::crc32c(std::span(offsets).first(12), *offsets_checksum) &&
      load_big_endian<std::uint32_t>(times.data() + 20) == base::crc32c(std::span(times).first(20), *times_checksum);
  if (!right) return std::nullopt;
  written_ = entries;
  offsets_checksum_ = *offsets_checksum;
  times_checksum_ = *times_checksum;
  return decode(base_offset_, offsets.data(), times.data());
}

std::optional<IndexPlace> SegmentIndex::read_place(std::int64_t i) {
  std::array<std::byte, kOffsetBytes> place;
  if (!open_files() || !read_whole(offsets_, i * kOffsetBytes, place)) return std::nullopt;
  return decode_place(base_offset_, place.data());
}

std::optional<IndexPlace> SegmentIndex::last_place() {
  if (!pending_.empty()) return pending_.back().place;
  return written_ == 0 ? std::nullopt : read_place(written_ - 1);
}

std::int64_t SegmentIndex::size_bytes() const {
  return (written_ + static_cast<std::int64_t>(pending_.size())) * kOffsetBytes;
}

std::optional<IndexPlace> SegmentIndex::find_offset(std::int64_t offset) {
  const auto later =
      std::ranges::upper_bound(pending_, offset, {}, [](const auto& entry) { return entry.place.offset; });
  if (later != pending_.begin()) return std::prev(later)->place;
  if (written_ == 0 || !open_files()) return std::nullopt;
  std::array<std::byte, kOffsetBytes> found;
  const std::int64_t i = find_last(offsets_, written_, found, offset_hint_, [&](const std::byte* entry) {
    return decode_place(base_offset_, entry).offset <= offset;
  });
  return i < 0 ? std::nullopt : std::optional(decode_place(base_offset_, found.data()));
}

std::optional<IndexEntry> SegmentIndex::last_entry_before(std::int64_t end_offset) {
  const auto later =
      std::ranges::lower_bound(pending_, end_offset, {}, [](const auto& entry) { return entry.place.offset; });
  if (later != pending_.begin()) return *std::prev(later);
  if (written_ == 0 || !open_files()) return std::nullopt;
  std::array<std::byte, kOffsetBytes> place;
  std::array<std::byte, kTimeBytes> time;
  std::int64_t hint = 0;
  const std::int64_t i = find_last(offsets_, written_, place, hint, [&](const std::byte* entry) {
    return decode_place(base_offset_, entry).offset < end_offset;
  });
  if (i < 0 || !read_whole(times_, i * kTimeBytes, time)) return std::nullopt;
  return decode(base_offset_, place.data(), time.data());
}

std::optional<IndexPlace> SegmentIndex::find_timestamp(std::int64_t timestamp_ms) {
  const auto later = std::ranges::lower_bound(pending_, timestamp_ms, {}, &IndexEntry::max_timestamp_ms);
  if (later != pending_.begin()) return std::prev(later)->place;
  if (written_ == 0 || !open_files()) return std::nullopt;
  std::array<std::byte, kTimeBytes> found;
  std::int64_t hint = 0;
  const std::int64_t i = find_last(times_, written_, found, hint, [&](const std::byte* entry) {
    return load_big_endian<std::int64_t>(entry) < timestamp_ms;
  });
  return i < 0 ? std::nullopt : read_place(i);
}

std::optional<IndexPlace> SegmentIndex::find_position(std::int64_t position) {
  if (written_ > 0 && open_files()) {
    std::array<std::byte, kOffsetBytes> before;
    std::int64_t hint = 0;
    const std::int64_t i = find_last(offsets_, written_, before, hint, [&](const std::byte* entry) {
      return decode_place(base_offset_, entry).position < position;
    });
    if (i + 1 < written_) return read_place(i + 1);
  }
  const auto found =
      std::ranges::lower_bound(pending_, position, {}, [](const auto& entry) { return entry.place.position; });
  return found == pending_.end() ? std::nullopt : std::optional(found->place);
}

Expected<void> SegmentIndex::remove() {
  offsets_.close();
  times_.close();
  if (auto done = remove_file(offsets_path_, hooks_); !done) return done;
  return remove_file(times_path_, hooks_);
}

}  // namespace iolab::storage
