#include "broker/storage/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace iolab::storage {
namespace {

// A look-up reads from an index entry on: the batch it wants begins at most one index interval later.
constexpr std::size_t kLookUpBytes = 4096 + kBatchHeaderBytes;
constexpr std::int64_t kMostScanBytes = 256 * 1024;
constexpr std::size_t kNameDigits = 20;

// For reading a whole file: no larger than the file, because most segments of most brokers are small.
std::vector<std::byte> scan_buffer(std::int64_t file_bytes) {
  const auto least = static_cast<std::int64_t>(kBatchHeaderBytes);
  return std::vector<std::byte>(static_cast<std::size_t>(std::clamp(file_bytes, least, kMostScanBytes)));
}

}  // namespace

Segment::Segment(const std::filesystem::path& directory, std::int64_t base_offset, const Options& options)
    : options_(options),
      index_(directory, base_offset, options.hooks),
      base_offset_(base_offset),
      end_offset_(base_offset) {}

void Segment::take(File file) {
  file_ = std::move(file);
  if (!options_.read_ahead) file_.do_not_read_ahead();
}

std::string Segment::file_name(std::int64_t base_offset) {
  return fmt::format("{:020}.log", base_offset);
}

std::optional<std::int64_t> Segment::base_offset_of(std::string_view file_name) {
  if (file_name.size() != kNameDigits + 4 || !file_name.ends_with(".log")) return std::nullopt;
  std::int64_t offset = -1;
  const char* digits_end = file_name.data() + kNameDigits;
  const auto [end, error] = std::from_chars(file_name.data(), digits_end, offset);
  if (error != std::errc() || end != digits_end || offset < 0) return std::nullopt;
  return offset;
}

Expected<std::shared_ptr<Segment>> Segment::create(const std::filesystem::path& directory, std::int64_t base_offset,
                                                   const Options& options, std::int64_t now_ms) {
  auto file = File::open(directory / file_name(base_offset), File::Mode::create, options.hooks);
  if (!file) return std::unexpected(file.error());
  const auto bytes = file->size();
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes != 0)
    return std::unexpected(
        StorageError{StorageFault::corrupt,
                     fmt::format("{} should be new but holds {} bytes; another process may be writing to this "
                                 "directory: stop it, then start the broker again",
                                 file->path().string(), *bytes)});
  std::shared_ptr<Segment> segment(new Segment(directory, base_offset, options));
  segment->take(std::move(*file));
  segment->created_ms_ = now_ms;
  segment->index_.reset();
  segment->index_usable_ = true;
  return segment;
}

Expected<std::shared_ptr<Segment>> Segment::open(const std::filesystem::path& directory, std::int64_t base_offset,
                                                 const Options& options) {
  auto file = File::open(directory / file_name(base_offset), File::Mode::read_write, options.hooks);
  if (!file) return std::unexpected(file.error());
  const auto bytes = file->size();
  if (!bytes) return std::unexpected(bytes.error());
  std::shared_ptr<Segment> segment(new Segment(directory, base_offset, options));
  segment->take(std::move(*file));
  segment->size_bytes_ = segment->checked_from_ = *bytes;
  return segment;
}

void Segment::note_batch(const BatchHeader& header, std::int64_t position) {
  if (header.max_timestamp_ms > max_timestamp_.timestamp_ms)
    max_timestamp_ = {.timestamp_ms = header.max_timestamp_ms, .base_offset = header.base_offset};
  if (position >= next_index_position_) {
    index_.add({.place = {.offset = header.base_offset, .position = position},
                .max_timestamp_ms = max_timestamp_.timestamp_ms,
                .max_timestamp_offset = max_timestamp_.base_offset});
    next_index_position_ = position + options_.index_interval_bytes;
  }
}

Expected<SegmentScan> Segment::scan(std::int64_t check_from_offset) {
  std::vector<std::byte> buffer = scan_buffer(size_bytes_);
  BatchScanner scanner(file_, 0, size_bytes_, base_offset_, options_.leader_epoch, buffer);
  SegmentScan result{.end_offset = base_offset_, .checked_from = size_bytes_};
  index_.reset();
  next_index_position_ = 0;
  max_timestamp_ = {};
  for (;;) {
    const auto step = scanner.next();
    if (!step) return std::unexpected(step.error());
    if (*step != BatchScanner::Step::batch) break;
    const BatchHeader header = scanner.header();
    if (header.base_offset < check_from_offset && header.next_offset() > check_from_offset) {
      result.damage = "the batch goes on behind the offset that was synced, where batches ended";
      break;
    }
    if (header.base_offset >= check_from_offset) {
      const auto right = scanner.checksum_matches();
      if (!right) return std::unexpected(right.error());
      if (!*right) {
        result.damage = "the checksum is wrong";
        break;
      }
      if (result.checked_batches++ == 0) result.checked_from = scanner.position();
      result.checked_bytes += header.bytes();
    }
    note_batch(header, scanner.position());
    result.size_bytes = scanner.next_position();
    result.end_offset = header.next_offset();
  }
  if (scanner.damage() != nullptr) result.damage = scanner.damage();
  if (result.damage.empty()) {
    end_offset_ = result.end_offset;
    checked_from_ = result.checked_from;
    index_usable_ = true;
  }
  return result;
}

std::optional<std::int64_t> Segment::last_whole_offset(std::int64_t position) {
  std::vector<std::byte> buffer = scan_buffer(size_bytes_);
  std::optional<std::int64_t> last;
  BatchScanner scanner(file_, position, size_bytes_, kAnyOffset, std::numeric_limits<std::int32_t>::max(), buffer);
  for (;;) {
    const auto step = scanner.next();
    if (!step || *step != BatchScanner::Step::batch) return last;
    const std::int64_t offset = scanner.header().last_offset();
    const auto right = scanner.checksum_matches();
    if (!right) return last;
    if (*right) last = offset;
  }
}

bool Segment::index_fits() {
  const auto end = index_.peek_end();
  return end && end->position == size_bytes_ && end->offset == end_offset_;
}

Expected<void> Segment::use_index() {
  if (index_usable_) return {};
  const auto end = index_.check();
  if (end && end->place.position == size_bytes_ && end->place.offset == end_offset_) {
    max_timestamp_ = {.timestamp_ms = end->max_timestamp_ms, .base_offset = end->max_timestamp_offset};
    const auto last = index_.last_place();
    next_index_position_ = last ? last->position + options_.index_interval_bytes : 0;
    index_usable_ = true;
    return {};
  }
  const std::int64_t expected_end = end_offset_;
  const std::int64_t checked_from = checked_from_;
  const auto found = scan(std::numeric_limits<std::int64_t>::max());
  if (!found) return std::unexpected(found.error());
  index_usable_ = false;
  end_offset_ = expected_end;
  checked_from_ = checked_from;
  if (!found->damage.empty()) return std::unexpected(damaged(found->size_bytes, found->damage));
  if (found->end_offset != expected_end)
    return std::unexpected(damaged(found->size_bytes, fmt::format("its last batch ends before offset {}, not before {}",
                                                                  found->end_offset, expected_end)));
  index_usable_ = true;
  return {};
}

Expected<void> Segment::cut_to(const SegmentScan& scan) {
  if (auto done = file_.truncate(scan.size_bytes); !done) return done;
  size_bytes_ = scan.size_bytes;
  end_offset_ = scan.end_offset;
  checked_from_ = std::min(scan.checked_from, scan.size_bytes);
  index_usable_ = true;
  return {};
}

Expected<void> Segment::guess_creation(std::int64_t now_ms) {
  created_ms_ = now_ms;
  if (size_bytes_ == 0) return {};
  std::array<std::byte, kBatchHeaderBytes> bytes;
  const auto got = file_.read_at(0, bytes);
  if (!got) return std::unexpected(got.error());
  if (*got < bytes.size()) return {};
  const std::int64_t first_ms = decode_batch_header(bytes).max_timestamp_ms;
  if (first_ms >= 0) created_ms_ = std::min(now_ms, first_ms);
  return {};
}

Expected<void> Segment::append(const BatchHeader& header, std::span<const std::byte> start,
                               std::span<const std::byte> rest) {
  const auto written = start.empty() ? file_.write_at(size_bytes_, rest) : file_.write_at(size_bytes_, start, rest);
  if (!written) {
    auto error = written.error();
    if (const auto cut = file_.truncate(size_bytes_); !cut) {
      error.fault = StorageFault::io;
      error.message += fmt::format("; and then {}", cut.error().message);
    }
    return std::unexpected(std::move(error));
  }
  note_batch(header, size_bytes_);
  size_bytes_ += header.bytes();
  end_offset_ = header.next_offset();
  return {};
}

void Segment::seal() {
  if (!index_usable_) return;
  index_.seal({.place = {.offset = end_offset_, .position = size_bytes_},
               .max_timestamp_ms = max_timestamp_.timestamp_ms,
               .max_timestamp_offset = max_timestamp_.base_offset});
}

Expected<FoundBatch> Segment::find_offset(std::int64_t offset) {
  if (auto usable = use_index(); !usable) return std::unexpected(usable.error());
  const IndexPlace beginning{.offset = base_offset_, .position = 0};
  auto found = search(index_.find_offset(offset).value_or(beginning), offset);
  if (found || found.error().fault != StorageFault::corrupt) return found;
  // Perhaps the index changed behind our back. The headers from the beginning on tell the truth.
  return search(beginning, offset);
}

Expected<std::int64_t> Segment::offset_behind(std::int64_t position) {
  if (auto usable = use_index(); !usable) return std::unexpected(usable.error());
  const auto place = index_.find_position(position);
  if (!place || place->position < position) return end_offset_;
  // Whoever asks passes over what lies behind: the batch itself has to say so, not the index alone.
  std::array<std::byte, kBatchHeaderBytes> buffer;
  BatchScanner scanner(file_, place->position, size_bytes_, place->offset, options_.leader_epoch, buffer);
  const auto step = scanner.next();
  if (!step) return std::unexpected(step.error());
  return *step == BatchScanner::Step::batch ? place->offset : end_offset_;
}

Expected<FoundBatch> Segment::search(IndexPlace from, std::int64_t offset) {
  std::array<std::byte, kLookUpBytes> buffer;
  BatchScanner scanner(file_, from.position, size_bytes_, from.offset, options_.leader_epoch, buffer);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return std::unexpected(step.error());
    if (*step == BatchScanner::Step::damage) return std::unexpected(damaged(scanner.position(), scanner.damage()));
    if (*step == BatchScanner::Step::end)
      return std::unexpected(damaged(size_bytes_, fmt::format("the batch with offset {} is missing", offset)));
    if (scanner.header().last_offset() >= offset) break;
  }
  return FoundBatch{.position = scanner.position(), .header = scanner.header()};
}

Expected<std::optional<FoundBatch>> Segment::find_timestamp(std::int64_t timestamp_ms, std::int64_t from_offset) {
  if (auto usable = use_index(); !usable) return std::unexpected(usable.error());
  if (max_timestamp_.timestamp_ms < timestamp_ms || from_offset >= end_offset_) return std::nullopt;
  const IndexPlace beginning{.offset = base_offset_, .position = 0};
  const std::int64_t indexed = index_.find_timestamp(timestamp_ms).value_or(beginning).offset;
  const auto first = find_offset(std::max(from_offset, indexed < end_offset_ ? indexed : base_offset_));
  if (!first) return std::unexpected(first.error());
  std::array<std::byte, kLookUpBytes> buffer;
  BatchScanner scanner(file_, first->position, size_bytes_, first->header.base_offset, options_.leader_epoch, buffer);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return std::unexpected(step.error());
    if (*step == BatchScanner::Step::damage) return std::unexpected(damaged(scanner.position(), scanner.damage()));
    if (*step == BatchScanner::Step::end) return std::nullopt;
    if (scanner.header().max_timestamp_ms >= timestamp_ms)
      return FoundBatch{.position = scanner.position(), .header = scanner.header()};
  }
}

Expected<Segment::MaxTimestamp> Segment::max_timestamp(std::int64_t before_offset) {
  if (auto usable = use_index(); !usable) return std::unexpected(usable.error());
  if (max_timestamp_.base_offset < before_offset) return max_timestamp_;
  MaxTimestamp largest;
  std::int64_t from_offset = base_offset_;
  if (const auto entry = index_.last_entry_before(before_offset)) {
    largest = {.timestamp_ms = entry->max_timestamp_ms, .base_offset = entry->max_timestamp_offset};
    from_offset = entry->place.offset;
  }
  const auto done = for_each_batch(from_offset, [&](const BatchHeader& header) {
    if (header.base_offset >= before_offset) return false;
    if (header.max_timestamp_ms > largest.timestamp_ms)
      largest = {.timestamp_ms = header.max_timestamp_ms, .base_offset = header.base_offset};
    return true;
  });
  if (!done) return std::unexpected(done.error());
  return largest;
}

Expected<void> Segment::for_each_batch(std::int64_t from_offset, const std::function<bool(const BatchHeader&)>& visit) {
  if (from_offset >= end_offset_) return {};
  const auto first = find_offset(std::max(from_offset, base_offset_));
  if (!first) return std::unexpected(first.error());
  std::array<std::byte, kLookUpBytes> buffer;
  BatchScanner scanner(file_, first->position, size_bytes_, first->header.base_offset, options_.leader_epoch, buffer);
  for (;;) {
    const auto step = scanner.next();
    if (!step) return std::unexpected(step.error());
    if (*step == BatchScanner::Step::damage) return std::unexpected(damaged(scanner.position(), scanner.damage()));
    if (*step == BatchScanner::Step::end || !visit(scanner.header())) return {};
  }
}

std::span<const std::byte> Segment::mapped(std::int64_t position, std::size_t bytes) const {
  // A file that someone else cut would be sent as zeros up to the end of its last page.
  const auto file_bytes = file_.size();
  if (!file_bytes || *file_bytes - position < static_cast<std::int64_t>(bytes)) return {};
  std::call_once(map_once_, [&] { mapping_ = FileMapping(file_, std::max(*file_bytes, options_.segment_bytes)); });
  return mapping_.in_memory(position, bytes);
}

Expected<void> Segment::remove() {
  if (auto done = remove_file(file_.path(), options_.hooks); !done) return done;
  return index_.remove();
}

StorageError Segment::damaged(std::int64_t position, std::string_view what) const {
  return {StorageFault::corrupt,
          fmt::format("{} is damaged at byte {}: {}; the partition is offline: restore the file from a copy, or delete "
                      "the partition's directory to give its records up",
                      file_.path().string(), position, what)};
}

}  // namespace iolab::storage
