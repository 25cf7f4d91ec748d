// Any bytes as the files of a log: a segment, and perhaps its two indexes. Opening and reading must not crash, must not
// serve a batch whose checksum is wrong or whose place is another, and must not serve anything but what the file began
// with. After a crash the log then has to be usable, and a second recovery must find the same.
//
//   byte 0: bit 0 after a clean stop, bit 1 make the checksums right (to get past them), bit 2 write the indexes
//   byte 1: recovery point    bytes 2-3, 4-5: sizes of .index and .timeindex    then .index, .timeindex, .log
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

#include "broker/base/crc32c.h"
#include "broker/protocol/batch_builder.h"
#include "broker/storage/partition_log.h"
#include "tests/fuzz/harness.h"

namespace {

using namespace iolab;
using base::Bytes;
namespace fs = std::filesystem;

constexpr std::int64_t kNow = 1'700'000'000'000;

struct Directory {
  Directory() {
    std::string pattern = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/iolab-fuzz-XXXXXX" : "/tmp/iolab-fuzz-XXXXXX";
    const char* made = ::mkdtemp(pattern.data());
    fuzz::promise(made != nullptr, "a directory for the log can be made");
    path = made;
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

const fs::path& log_directory() {
  static const Directory directory;
  return directory.path;
}

// Takes the directory away before it aborts: the input is enough to see the same again.
void promise(bool kept, const char* sentence) {
  std::error_code ignored;
  if (!kept) fs::remove_all(log_directory(), ignored);
  fuzz::promise(kept, sentence);
}

void write_file(const char* name, Bytes bytes) {
  std::ofstream file(log_directory() / name, std::ios::binary | std::ios::trunc);
  file.write(base::as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

// A fuzzer does not guess a CRC. With right ones, everything behind the check is met by strange values too.
void make_checksums_right(std::vector<std::byte>& log) {
  for (std::size_t at = 0; log.size() - at >= protocol::kBatchHeaderBytes;) {
    const auto batch = protocol::first_batch(Bytes(log).subspan(at));
    if (!batch) return;
    base::store_big_endian(log.data() + at + 17, batch->computed_crc());
    at += batch->size();
  }
}

struct Served {
  std::vector<std::byte> bytes;  // of all whole batches
  bool to_the_end = false;       // else damage was met, and reported
};

// Reads the log to its end as Fetch would.
Served served(storage::PartitionLog& log, std::size_t max_bytes) {
  Served all;
  std::int64_t offset = log.start_offset();
  while (offset < log.end_offset()) {
    auto location = log.locate(offset, {.max_bytes = max_bytes});
    if (!location) return all;
    if (fuzz::kPlantedBug) location->unchecked = false;  // believes what an earlier process left
    std::vector<std::byte> bytes(location->bytes);
    const auto got = storage::PartitionLog::read_into(*location, bytes);
    if (!got) return all;
    Bytes rest = Bytes(bytes).first(*got);
    const std::int64_t asked = offset;
    while (const auto batch = protocol::first_batch(rest)) {
      promise(batch->computed_crc() == batch->crc(), "what is served has a right checksum");
      promise(batch->base_offset() == offset, "what is served stands at its offset");
      promise(batch->last_offset() >= batch->base_offset(), "offsets grow");
      all.bytes.insert(all.bytes.end(), batch->bytes().begin(), batch->bytes().end());
      offset = batch->next_offset();
      rest = rest.subspan(batch->size());
    }
    promise(offset > asked, "a read makes progress");
  }
  all.to_the_end = true;
  return all;
}

void ask_everything(storage::PartitionLog& log) {
  for (const std::int64_t time : {std::int64_t{0}, kNow, kNow + 50, std::int64_t{1} << 62}) {
    std::int64_t from = 0;
    for (;;) {
      const auto candidate = log.locate_timestamp(time, from);
      if (!candidate || !*candidate) break;
      promise((*candidate)->next_offset > from, "a search by time makes progress");
      from = (*candidate)->next_offset;
      const auto found = storage::PartitionLog::find_in_batch(**candidate);
      if (!found || *found) break;
    }
  }
  if (const auto max = log.locate_max_timestamp(); max && *max) (void)storage::PartitionLog::find_in_batch(**max);
  std::int64_t expected = log.start_offset();
  (void)log.for_each_batch(log.start_offset(), [&](const storage::BatchHeader& header) {
    promise(header.base_offset == expected, "headers follow each other");
    expected = header.next_offset();
    return true;
  });
}

std::unique_ptr<storage::PartitionLog> open_log(const storage::OpenMode& mode) {
  auto log = storage::PartitionLog::open(log_directory(), {.index_interval_bytes = 64}, mode, kNow);
  return log ? std::move(*log) : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPreamble = 6;
  if (size < kPreamble) return 0;
  const Bytes input = std::as_bytes(std::span(data, size));
  const unsigned flags = data[0];
  const bool clean = (flags & 1U) != 0;
  Bytes rest = input.subspan(kPreamble);
  const auto take = [&](std::size_t bytes) {
    const Bytes part = rest.first(std::min(bytes, rest.size()));
    rest = rest.subspan(part.size());
    return part;
  };
  const Bytes index = take(base::load_big_endian<std::uint16_t>(input.data() + 2));
  const Bytes time_index = take(base::load_big_endian<std::uint16_t>(input.data() + 4));
  std::vector<std::byte> file(rest.begin(), rest.end());
  if ((flags & 2U) != 0) make_checksums_right(file);

  for (const auto& old : fs::directory_iterator(log_directory())) fs::remove(old.path());
  write_file("00000000000000000000.log", file);
  if ((flags & 4U) != 0) {
    write_file("00000000000000000000.index", index);
    write_file("00000000000000000000.timeindex", time_index);
  }
  const auto log = open_log({.after_clean_stop = clean, .recovery_point = data[1]});
  if (!log) {
    promise(fs::file_size(log_directory() / "00000000000000000000.log") == file.size(), "a refused log is left alone");
    return 0;
  }
  const Served all = served(*log, 1 << 20);
  promise(all.bytes.size() <= file.size() && std::equal(all.bytes.begin(), all.bytes.end(), file.begin()),
          "what is served was there");
  promise(log->end_offset() >= data[1], "nothing below the recovery point is given up");
  if (!log->failure()) ask_everything(*log);
  if (clean || log->failure()) return 0;

  promise(all.to_the_end || data[1] > 0, "recovery left no damage above the recovery point");
  protocol::BatchBuilder builder;
  builder.add({.timestamp_ms = kNow, .key = {}, .value = base::as_bytes("next"), .headers = {}});
  std::vector<std::byte> next = builder.finish();
  protocol::set_base_offset(next, log->end_offset());
  protocol::set_leader_epoch(next, 0);
  if (!log->append(next, kNow) || !all.to_the_end) return 0;  // the offsets may be used up
  const Served longer = served(*log, 200);
  promise(longer.bytes.size() == all.bytes.size() + next.size(), "a recovered log goes on");
  const auto again = open_log({});
  promise(again && served(*again, 1 << 20).bytes == longer.bytes, "a second recovery finds the same");
  return 0;
}
