// What the tests of the log share: a directory that goes away, batches that any reader can verify, and a way to read a
// log back that believes nothing.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "broker/protocol/batch_builder.h"
#include "broker/storage/log_directory.h"
#include "broker/storage/partition_log.h"

namespace iolab::storage {

namespace fs = std::filesystem;

inline constexpr std::int64_t kNow = 1'700'000'000'000;

class TemporaryDirectory {
 public:
  // In memory where there is such a place: what a killed process leaves behind is the same there, and syncs are quick.
  TemporaryDirectory() {
    const fs::path memory = "/dev/shm";
    const fs::path parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    std::string pattern = (parent / "iolab-storage-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

using Batch = std::vector<std::byte>;

// A batch whose values tell the offset they should be found at.
inline Batch make_batch(std::int64_t base_offset, int records = 1, std::size_t value_bytes = 16,
                        std::int64_t timestamp_ms = kNow,
                        protocol::Compression compression = protocol::Compression::none) {
  protocol::BatchBuilder builder({.compression = compression});
  for (int i = 0; i < records; ++i) {
    std::string value = std::to_string(base_offset + i) + ":";
    while (value.size() < value_bytes) value += static_cast<char>('a' + (base_offset + i + std::ssize(value)) % 26);
    builder.add({.timestamp_ms = timestamp_ms + i, .key = {}, .value = base::as_bytes(value), .headers = {}});
  }
  Batch batch = builder.finish();
  protocol::set_base_offset(batch, base_offset);
  protocol::set_leader_epoch(batch, 0);
  return batch;
}

// Every whole batch from `offset` on, each checked as a stranger would; the test fails if one is not right.
inline Expected<std::vector<Batch>> read_all(PartitionLog& log, std::int64_t offset, std::size_t max_bytes = 1 << 20) {
  std::vector<Batch> batches;
  while (offset < log.end_offset()) {
    const auto location = log.locate(offset, {.max_bytes = max_bytes});
    if (!location) return std::unexpected(location.error());
    Batch bytes(location->bytes);
    const auto got = PartitionLog::read_into(*location, bytes);
    if (!got) return std::unexpected(got.error());
    base::Bytes rest = std::span(bytes).first(*got);
    bool progress = false;
    while (const auto batch = protocol::first_batch(rest)) {
      EXPECT_EQ(batch->computed_crc(), batch->crc()) << "a wrong checksum was served at offset " << offset;
      EXPECT_LE(batch->base_offset(), offset);
      EXPECT_GE(batch->last_offset(), offset) << "what was served does not hold the offset asked for";
      EXPECT_EQ(batch->leader_epoch(), 0);
      batches.emplace_back(batch->bytes().begin(), batch->bytes().end());
      offset = batch->next_offset();
      rest = rest.subspan(batch->size());
      progress = true;
    }
    if (!progress) {
      ADD_FAILURE() << "nothing whole was served at offset " << offset;
      return batches;
    }
  }
  return batches;
}

inline std::unique_ptr<PartitionLog> open_log(const fs::path& directory, const LogConfig& config = {},
                                              const OpenMode& mode = {}) {
  auto log = PartitionLog::open(directory, config, mode, kNow);
  EXPECT_TRUE(log.has_value()) << log.error().message;
  return log ? std::move(*log) : nullptr;
}

inline void append(PartitionLog& log, const Batch& batch, std::int64_t now_ms = kNow) {
  const auto done = log.append(batch, now_ms);
  ASSERT_TRUE(done.has_value()) << done.error().message;
}

// Appends `count` batches of random sizes and returns them.
inline std::vector<Batch> append_random(PartitionLog& log, int count, std::mt19937_64& random,
                                        std::size_t most_value_bytes = 3000) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) {
    const int records = 1 + static_cast<int>(random() % 5);
    batches.push_back(make_batch(log.end_offset(), records, random() % most_value_bytes,
                                 kNow + static_cast<std::int64_t>(random() % 100'000)));
    append(log, batches.back());
  }
  return batches;
}

inline std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_text(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

inline std::vector<fs::path> files_ending_in(const fs::path& directory, std::string_view suffix) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(directory))
    if (entry.path().filename().string().ends_with(suffix)) found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

// Counts of file calls, for hooks (which are plain functions).
struct CallCounts {
  static inline std::array<std::atomic<std::int64_t>, 16> calls{};  // room for every FileCall
  static void count(FileCall call, std::int64_t) { ++calls[static_cast<std::size_t>(call)]; }
  static std::int64_t of(FileCall call) { return calls[static_cast<std::size_t>(call)]; }
  static void reset() {
    for (auto& c : calls) c = 0;
  }
};

}  // namespace iolab::storage
