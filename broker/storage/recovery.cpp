#include "broker/storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "broker/storage/segment_swap.h"

namespace iolab::storage {
namespace {

class Recovery {
 public:
  Recovery(const std::filesystem::path& directory, const Segment::Options& options, const OpenMode& mode)
      : directory_(directory), options_(options), mode_(mode) {}

  Expected<RecoveredLog> run(std::int64_t now_ms);

 private:
  Expected<void> open_segments();
  Expected<void> create_first(std::int64_t now_ms);
  Expected<void> take_as_left();
  Expected<void> scan_unsynced();
  Expected<void> accept_sealed(Segment& segment);
  Expected<void> cut(std::size_t i, const SegmentScan& scan, const std::string& damage);
  StorageError corrupt(const std::string& what) const;
  bool is_last(std::size_t i) const { return i + 1 == log_.segments.size(); }

  const std::filesystem::path& directory_;
  const Segment::Options& options_;
  const OpenMode& mode_;
  RecoveredLog log_;
};

StorageError Recovery::corrupt(const std::string& what) const {
  return {StorageFault::corrupt,
          fmt::format("the log in {} is damaged: {}; the partition is offline: restore its files "
                      "from a copy, or delete its directory to give its records up",
                      directory_.string(), what)};
}

Expected<RecoveredLog> Recovery::run(std::int64_t now_ms) {
  if (auto done = open_segments(); !done) return std::unexpected(done.error());
  if (log_.segments.empty()) {
    if (auto done = create_first(now_ms); !done) return std::unexpected(done.error());
    return std::move(log_);
  }
  if (auto done = mode_.after_clean_stop ? take_as_left() : scan_unsynced(); !done)
    return std::unexpected(done.error());
  const Segment& last = *log_.segments.back();
  if (last.end_offset() < mode_.recovery_point)
    return std::unexpected(corrupt(fmt::format("it ends at offset {}, but everything below offset {} was on the disk",
                                               last.end_offset(), mode_.recovery_point)));
  if (auto done = log_.segments.back()->guess_creation(now_ms); !done) return std::unexpected(done.error());
  return std::move(log_);
}

Expected<void> Recovery::open_segments() {
  const auto swapped = finish_swaps(directory_, options_.hooks);
  if (!swapped) return std::unexpected(swapped.error());
  const auto names = list_directory(directory_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {  // sorted, and names have equal lengths: by base offset
    const auto base_offset = Segment::base_offset_of(name);
    if (!base_offset) continue;
    auto segment = Segment::open(directory_, *base_offset, options_);
    if (!segment) return std::unexpected(segment.error());
    log_.segments.push_back(std::move(*segment));
  }
  // Deleted on purpose; a crash of the machine may have brought some of their names back.
  while (log_.segments.size() > 1 && log_.segments[1]->base_offset() <= mode_.log_start_offset) {
    if (auto done = log_.segments.front()->remove(); !done) return done;
    log_.segments.erase(log_.segments.begin());
  }
  for (std::size_t i = 0; i + 1 < log_.segments.size(); ++i)
    log_.segments[i]->expect_end(log_.segments[i + 1]->base_offset());
  return {};
}

Expected<void> Recovery::create_first(std::int64_t now_ms) {
  if (mode_.recovery_point > mode_.log_start_offset)
    return std::unexpected(corrupt(fmt::format("it has no file, but offsets {} to {} were on the disk",
                                               mode_.log_start_offset, mode_.recovery_point - 1)));
  auto segment = Segment::create(directory_, mode_.log_start_offset, options_, now_ms);
  if (!segment) return std::unexpected(segment.error());
  log_.segments.push_back(std::move(*segment));
  log_.is_new = true;
  return {};
}

// A segment that no scan will look into: its index says how long it should be, else its headers do.
Expected<void> Recovery::accept_sealed(Segment& segment) {
  if (segment.index_fits()) return {};
  if (auto done = segment.use_index(); !done) return done;
  segment.seal();
  ++log_.report.rebuilt_indexes;
  return {};
}

Expected<void> Recovery::take_as_left() {
  const std::int64_t first_offset = log_.segments.front()->base_offset();
  if (first_offset > mode_.log_start_offset)
    return std::unexpected(corrupt(fmt::format("it begins at offset {}, but began at {} when it was closed",
                                               first_offset, mode_.log_start_offset)));
  for (std::size_t i = 0; i + 1 < log_.segments.size(); ++i)
    if (auto done = accept_sealed(*log_.segments[i]); !done) return done;
  Segment& last = *log_.segments.back();
  last.expect_end(mode_.recovery_point);
  if (!last.index_fits()) ++log_.report.rebuilt_indexes;
  return last.use_index();
}

Expected<void> Recovery::scan_unsynced() {
  for (std::size_t i = 0; i < log_.segments.size(); ++i) {
    Segment& segment = *log_.segments[i];
    const std::int64_t expected_end = segment.end_offset();
    if (!is_last(i) && expected_end <= mode_.recovery_point) {
      if (auto done = accept_sealed(segment); !done) return done;
      continue;
    }
    const auto scan = segment.scan(mode_.recovery_point);
    if (!scan) return std::unexpected(scan.error());
    log_.report.checked_batches += scan->checked_batches;
    log_.report.checked_bytes += scan->checked_bytes;
    ++log_.report.rebuilt_indexes;
    std::string damage = scan->damage;
    if (damage.empty() && !is_last(i) && !may_follow(scan->end_offset, expected_end, options_.gaps_below))
      damage = fmt::format("the next file begins at offset {}", expected_end);
    if (!damage.empty()) return cut(i, *scan, damage);
    if (is_last(i)) continue;
    segment.expect_end(expected_end);
    segment.seal();
  }
  return {};
}

// Segment `i` is whole as far as `scan` says; the rest of it, and all later segments, go.
Expected<void> Recovery::cut(std::size_t i, const SegmentScan& scan, const std::string& damage) {
  Segment& segment = *log_.segments[i];
  const std::string where = fmt::format("{} at byte {}", segment.file().path().filename().string(), scan.size_bytes);
  if (scan.end_offset < mode_.recovery_point)
    return std::unexpected(corrupt(fmt::format("in {} at offset {}: {}, and everything below offset {} was on the disk",
                                               where, scan.end_offset, damage, mode_.recovery_point)));
  RecoveryReport& report = log_.report;
  report.cut_from_offset = scan.end_offset;
  report.cut_bytes = segment.size_bytes() - scan.size_bytes;
  report.cut_last_offset = segment.last_whole_offset(scan.size_bytes);
  if (auto done = segment.cut_to(scan); !done) return done;
  while (!is_last(i)) {
    Segment& later = *log_.segments.back();
    report.cut_bytes += later.size_bytes();
    report.cut_last_offset = std::max(report.cut_last_offset, later.last_whole_offset(0));
    if (auto done = later.remove(); !done) return done;
    log_.segments.pop_back();
  }
  const std::string to = report.cut_last_offset && *report.cut_last_offset >= scan.end_offset
                             ? fmt::format("to {}", *report.cut_last_offset)
                             : std::string("on (no whole batch was found behind it)");
  report.notes.push_back(
      fmt::format("{}: cut the log in {}: {}; removed offsets from {} {}, {} bytes, none of them known "
                  "to have been on the disk",
                  directory_.filename().string(), where, damage, scan.end_offset, to, report.cut_bytes));
  return {};
}

}  // namespace

Expected<RecoveredLog> recover_log(const std::filesystem::path& directory, const Segment::Options& options,
                                   const OpenMode& mode, std::int64_t now_ms) {
  return Recovery(directory, options, mode).run(now_ms);
}

}  // namespace iolab::storage
