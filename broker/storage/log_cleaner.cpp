#include "broker/storage/log_cleaner.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/base/crc32c.h"
#include "broker/protocol/batch_rewriter.h"
#include "broker/storage/batch_scanner.h"
#include "broker/storage/segment.h"

namespace iolab::storage {
namespace {

constexpr std::int64_t kReadBytes = 256 * 1024;

std::string_view key_of(const protocol::Record& record) {
  return base::as_text(*record.key);
}

}  // namespace

BatchWalk::BatchWalk(std::vector<std::shared_ptr<const Segment>> segments, std::int64_t from_offset)
    : segments_(std::move(segments)), from_offset_(from_offset) {
  std::erase_if(segments_, [&](const auto& segment) { return segment->end_offset() <= from_offset_; });
}

Expected<std::optional<protocol::BatchView>> BatchWalk::next() {
  for (;;) {
    while (segment_ < segments_.size() && position_ >= segments_[segment_]->size_bytes()) {
      ++segment_;
      position_ = buffer_position_ = 0;
      buffered_ = {};
    }
    if (segment_ == segments_.size()) return std::nullopt;
    const auto batch = read();
    if (!batch) return std::unexpected(batch.error());
    position_ += static_cast<std::int64_t>(batch->size());
    if (batch->next_offset() > from_offset_) return *batch;
  }
}

Expected<protocol::BatchView> BatchWalk::read() {
  const Segment& segment = *segments_[segment_];
  const auto damaged = [&](const char* what) { return std::unexpected(segment.damaged(position_, what)); };
  const std::int64_t left = segment.size_bytes() - position_;
  if (left < static_cast<std::int64_t>(kBatchHeaderBytes)) return damaged("the file ends inside a batch header");
  for (std::int64_t wanted = kReadBytes;;) {
    const std::int64_t skipped = position_ - buffer_position_;
    const std::int64_t present = std::ssize(buffered_) - skipped;
    if (skipped >= 0 && present >= static_cast<std::int64_t>(kBatchHeaderBytes)) {
      const base::Bytes bytes = buffered_.subspan(static_cast<std::size_t>(skipped));
      const BatchHeader header = decode_batch_header(bytes);
      if (const char* fault = fault_of_header(header, kAnyOffset, segment.leader_epoch(), left)) return damaged(fault);
      if (header.bytes() <= present) {
        const auto batch = protocol::first_batch(bytes);
        if (!batch) return damaged(batch.error().reason);
        if (batch->computed_crc() != batch->crc()) return damaged("the checksum is wrong");
        return *batch;
      }
      wanted = std::max(kReadBytes, header.bytes());
    }
    const auto bytes = static_cast<std::size_t>(std::min(wanted, left));
    if (buffer_.size() < bytes) buffer_.resize(bytes);
    const auto got = segment.file().read_at(position_, std::span(buffer_).first(bytes));
    if (!got) return std::unexpected(got.error());
    if (*got < bytes) return damaged("the file became shorter while the broker had it open");
    buffer_position_ = position_;
    buffered_ = base::Bytes(buffer_).first(bytes);
  }
}

void KeyOffsets::note(std::string_view key, std::int64_t offset) {
  constexpr std::int64_t kEntryBytes = 80;  // of the table, beside the key's
  if (const auto known = offsets_.find(key); known != offsets_.end()) {
    known->second = offset;
    return;
  }
  offsets_.emplace(key, offset);
  bytes_ += kEntryBytes + static_cast<std::int64_t>(key.size());
}

bool KeyOffsets::comes_after(std::string_view key, std::int64_t offset) const {
  const auto found = offsets_.find(key);
  return found != offsets_.end() && found->second > offset;
}

LogCleaner::LogCleaner(PartitionLog& log, std::mutex& mutex, PartitionLog::Cleanable work, const Rules& rules)
    : log_(log), mutex_(mutex), work_(std::move(work)), rules_(rules) {
  walk_ = BatchWalk(work_.segments, work_.first_dirty_offset);
  if (work_.segments.empty()) phase_ = Phase::done;
}

LogCleaner::~LogCleaner() {
  if (cleaned_) (void)cleaned_->remove();  // if it cannot be removed, the next start does it
}

Expected<bool> LogCleaner::step(std::int64_t bytes) {
  for (left_bytes_ = bytes; left_bytes_ > 0 && phase_ != Phase::done;) {
    Expected<void> done;
    if (phase_ == Phase::survey)
      done = survey();
    else if (phase_ == Phase::keys)
      done = collect_keys();
    else
      done = rewrite();
    if (!done) {
      phase_ = Phase::done;
      return std::unexpected(done.error());
    }
  }
  return phase_ != Phase::done;
}

// What cannot be read, or is not what was written, is the log's damage and not the cleaner's alone.
Expected<std::optional<protocol::BatchView>> LogCleaner::next_batch() {
  auto batch = walk_.next();
  if (!batch) {
    const std::scoped_lock lock(mutex_);
    log_.take_offline(batch.error());
  } else if (*batch) {
    left_bytes_ -= static_cast<std::int64_t>((*batch)->size());
  }
  return batch;
}

Expected<void> LogCleaner::survey() {
  const auto batch = next_batch();
  if (!batch) return std::unexpected(batch.error());
  if (*batch) {
    transactions_.see(**batch);
    return {};
  }
  end_offset_ = std::min(work_.segments.back()->end_offset(), transactions_.open_from());
  walk_ = BatchWalk(work_.segments, work_.first_dirty_offset);
  phase_ = Phase::keys;
  return {};
}

Expected<void> LogCleaner::collect_keys() {
  const auto next = next_batch();
  if (!next) return std::unexpected(next.error());
  if (!*next || (*next)->base_offset() >= end_offset_) return plan_groups();
  const protocol::BatchView& batch = **next;
  if (may_drop(batch) != Fate::by_key) return {};
  protocol::RecordReader reader(batch);
  while (const protocol::Record* record = reader.next()) {
    if (record->key) keys_.note(key_of(*record), record->offset);
  }
  if (keys_.bytes() <= rules_.key_bytes) return {};
  end_offset_ = batch.next_offset();
  return plan_groups();
}

// Segments that together are no larger than one may be become one, so that their number does not grow for ever.
Expected<void> LogCleaner::plan_groups() {
  constexpr std::int64_t kMostRelative = std::numeric_limits<std::int32_t>::max();
  for (const auto& segment : work_.segments) {
    if (segment->base_offset() >= end_offset_ || end_offset_ <= work_.first_dirty_offset) break;
    const bool fits = !groups_.empty() && groups_.back().bytes + segment->size_bytes() <= rules_.segment_bytes &&
                      segment->end_offset() - groups_.back().segments.front()->base_offset() <= kMostRelative;
    if (!fits) groups_.emplace_back();
    groups_.back().segments.push_back(segment);
    groups_.back().bytes += segment->size_bytes();
  }
  if (groups_.empty()) {
    phase_ = Phase::done;
    return {};
  }
  CleanerOffsets offsets;
  {
    const std::scoped_lock lock(mutex_);
    offsets = log_.cleaner_offsets();
    offsets.gaps_below = std::max(offsets.gaps_below, groups_.back().segments.back()->end_offset());
    log_.set_cleaner_offsets(offsets);
  }
  phase_ = Phase::rewrite;
  work_.segments.clear();  // the groups hold them now
  return write_cleaner_offsets(log_.directory(), offsets, work_.hooks);
}

Expected<void> LogCleaner::begin_group() {
  const Group& group = groups_[group_];
  walk_ = BatchWalk(group.segments, 0);
  changed_ = group.segments.size() > 1;
  report_.bytes_before += group.bytes;
  const std::scoped_lock lock(mutex_);
  auto cleaned = log_.create_cleaned({group.segments.front()->base_offset(), group.segments.back()->end_offset()});
  if (!cleaned) return std::unexpected(cleaned.error());
  cleaned_ = std::move(*cleaned);
  synced_bytes_ = 0;
  return {};
}

Expected<void> LogCleaner::rewrite() {
  if (group_ == groups_.size()) return finish();
  if (!cleaned_) return begin_group();
  const auto batch = next_batch();
  if (!batch) return std::unexpected(batch.error());
  return *batch ? rewrite_batch(**batch) : end_group();
}

// The rule of which batches are looked into, in one place.
LogCleaner::Fate LogCleaner::may_drop(const protocol::BatchView& batch) const {
  if (batch.base_offset() >= end_offset_ || batch.is_control()) return Fate::stays;
  return transactions_.was_aborted(batch) ? Fate::goes : Fate::by_key;
}

bool LogCleaner::stays(const protocol::Record& record, bool tombstones_go) const {
  if (!record.key || (!record.value && tombstones_go)) return false;
  return !keys_.comes_after(key_of(record), record.offset);
}

Expected<void> LogCleaner::rewrite_batch(const protocol::BatchView& batch) {
  const Fate fate = may_drop(batch);
  if (fate == Fate::stays) return put(batch.bytes());
  const bool tombstones_go = batch.has_delete_horizon() && batch.base_timestamp() <= rules_.now_ms;
  std::vector<bool> keep;
  bool tombstone_stays = false;
  if (fate == Fate::by_key) {
    protocol::RecordReader reader(batch);
    while (const protocol::Record* record = reader.next()) {
      keep.push_back(stays(*record, tombstones_go));
      tombstone_stays = tombstone_stays || (keep.back() && !record->value);
    }
    if (reader.fault()) return put(batch.bytes());  // nobody can tell what is in it
  }
  const bool needs_horizon = tombstone_stays && !batch.has_delete_horizon();
  const auto kept = std::ranges::count(keep, true);
  if (fate == Fate::by_key && kept == std::ssize(keep) && !needs_horizon && kept > 0) return put(batch.bytes());
  changed_ = true;
  report_.records_dropped += batch.records_count() - kept;
  if (kept == 0) return {};
  protocol::BatchRewriter rewriter(
      batch, needs_horizon ? std::optional(rules_.now_ms + rules_.delete_retention_ms) : std::nullopt);
  protocol::RecordReader reader(batch);
  for (std::size_t i = 0; const protocol::Record* record = reader.next(); ++i) {
    if (keep[i]) rewriter.keep(*record);
  }
  return put(rewriter.finish());
}

// Synced now and then: one sync of all of a large segment would keep others waiting for the disk.
Expected<void> LogCleaner::put(base::Bytes batch) {
  constexpr std::int64_t kSyncBytes = 16 * 1024 * 1024;
  if (auto done = cleaned_->append(decode_batch_header(batch), {}, batch); !done) return done;
  if (cleaned_->size_bytes() - synced_bytes_ < kSyncBytes) return {};
  synced_bytes_ = cleaned_->size_bytes();
  return cleaned_->file().sync();
}

Expected<void> LogCleaner::end_group() {
  cleaned_->seal();
  report_.bytes_after += cleaned_->size_bytes();
  const std::shared_ptr<Segment> cleaned = cleaned_;
  std::vector<std::shared_ptr<const Segment>> replaced = std::move(groups_[group_++].segments);
  if (!changed_) {
    cleaned_.reset();
    return cleaned->remove();
  }
  if (auto done = cleaned->become_swap(); !done) return done;
  {
    const std::scoped_lock lock(mutex_);
    const auto taken = log_.take_in(cleaned);
    if (!taken && taken.error().fault == StorageFault::not_found) {
      phase_ = Phase::done;  // retention was quicker: what is left is for the next time
      return {};
    }
    cleaned_.reset();  // it is the log's; or else the next start finishes what could not be done here
    if (!taken) return std::unexpected(taken.error());
  }
  walk_ = {};
  replaced.clear();  // without the lock: closing the last descriptor frees the blocks
  return sync_directory(log_.directory(), cleaned->file().hooks());
}

Expected<void> LogCleaner::finish() {
  phase_ = Phase::done;
  CleanerOffsets offsets;
  {
    const std::scoped_lock lock(mutex_);
    offsets = log_.cleaner_offsets();
    offsets.cleaned_below = std::max(offsets.cleaned_below, end_offset_);
    log_.set_cleaner_offsets(offsets);
  }
  return write_cleaner_offsets(log_.directory(), offsets, work_.hooks);
}

}  // namespace iolab::storage
