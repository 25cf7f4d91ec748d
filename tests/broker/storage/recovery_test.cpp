// What a log makes of files that a crash, a bad disk or a careless hand has changed: the tail may go, nothing else may,
// and no wrong byte is ever served.
#include <gmock/gmock.h>

#include "tests/broker/storage/log_fixture.h"

namespace iolab::storage {
namespace {

struct Written {
  std::vector<Batch> batches;
  std::vector<std::int64_t> ends;  // position after each batch, in a log of one segment
  std::int64_t end_offset = 0;
};

Written write_log(const fs::path& directory, int count, const LogConfig& config, bool clean,
                  std::size_t most_value_bytes = 200) {
  std::mt19937_64 random(7);
  const auto log = open_log(directory, config);
  Written written;
  written.batches = append_random(*log, count, random, most_value_bytes);
  std::int64_t position = 0;
  for (const Batch& batch : written.batches) written.ends.push_back(position += std::ssize(batch));
  written.end_offset = log->end_offset();
  if (clean) {
    EXPECT_TRUE(log->close());
  }
  return written;
}

std::vector<Batch> first_batches(const Written& written, std::size_t count) {
  return {written.batches.begin(), written.batches.begin() + static_cast<std::ptrdiff_t>(count)};
}

// How many of the batches end at or before that position of the file.
std::size_t whole_before(const Written& written, std::int64_t position) {
  return static_cast<std::size_t>(std::ranges::upper_bound(written.ends, position) - written.ends.begin());
}

std::int64_t offset_after(const Written& written, std::size_t batches) {
  return batches == 0 ? 0 : protocol::first_batch(written.batches[batches - 1])->next_offset();
}

const std::string kFirstLog = "00000000000000000000.log";

// Fails if a torn tail survives, if more than the torn batch is cut, or if the report tells another story.
TEST(Recovery, CutsATornTailAtEveryByte) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 5, {}, false);
  const std::string whole = read_text(directory.path() / kFirstLog);
  for (std::size_t bytes = 0; bytes <= whole.size(); ++bytes) {
    write_text(directory.path() / kFirstLog, whole.substr(0, bytes));
    const auto log = open_log(directory.path());
    const std::size_t expected = whole_before(written, static_cast<std::int64_t>(bytes));
    ASSERT_EQ(read_all(*log, 0).value(), first_batches(written, expected)) << "cut at " << bytes;
    const std::int64_t kept = expected == 0 ? 0 : written.ends[expected - 1];
    ASSERT_EQ(log->recovery().cut_bytes, static_cast<std::int64_t>(bytes) - kept);
    ASSERT_EQ(fs::file_size(directory.path() / kFirstLog), static_cast<std::uintmax_t>(kept));
    if (log->recovery().cut_bytes > 0) {
      ASSERT_EQ(log->recovery().cut_from_offset, offset_after(written, expected));
      ASSERT_THAT(log->recovery().notes.front(), testing::HasSubstr("removed offsets from"));
    }
    append(*log, make_batch(log->end_offset()));
    ASSERT_EQ(read_all(*log, 0)->size(), expected + 1);
  }
}

// Fails if recovery shortens a file below what was known to be on the disk, instead of refusing the partition.
TEST(Recovery, NeverCutsBelowTheRecoveryPoint) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 5, {}, false);
  const std::string whole = read_text(directory.path() / kFirstLog);
  const std::int64_t recovery_point = offset_after(written, 4);
  for (std::int64_t bytes = 0; bytes <= written.ends[4]; ++bytes) {
    write_text(directory.path() / kFirstLog, whole.substr(0, static_cast<std::size_t>(bytes)));
    const auto log = PartitionLog::open(directory.path(), {}, {.recovery_point = recovery_point}, kNow);
    if (bytes >= written.ends[3]) {
      ASSERT_TRUE(log.has_value()) << log.error().message;
    } else {
      ASSERT_FALSE(log.has_value());
      ASSERT_EQ(log.error().fault, StorageFault::corrupt);
      ASSERT_EQ(fs::file_size(directory.path() / kFirstLog), static_cast<std::uintmax_t>(bytes))
          << "no file is changed";
    }
  }
}

// Fails if a flipped bit above the recovery point gets past the scan, or takes more with it than what follows it.
TEST(Recovery, AFlippedBitAboveTheRecoveryPointEndsTheLogThere) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 4, {}, false, 60);
  const std::string whole = read_text(directory.path() / kFirstLog);
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    write_text(directory.path() / kFirstLog, flipped);
    const auto log = open_log(directory.path());
    const std::size_t expected = whole_before(written, static_cast<std::int64_t>(bit / 8));
    ASSERT_EQ(read_all(*log, 0).value(), first_batches(written, expected)) << "bit " << bit;
  }
}

// Fails if a flipped bit in what needs no scan is served, or silently makes the log shorter. It may be noticed when the
// log is opened or when the place is read, but then as damage.
void flip_bits_below_the_recovery_point(bool clean) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 4, {}, clean, 60);
  const std::string whole = read_text(directory.path() / kFirstLog);
  const OpenMode mode{.after_clean_stop = clean, .recovery_point = written.end_offset};
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 3) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    write_text(directory.path() / kFirstLog, flipped);
    const auto log = PartitionLog::open(directory.path(), {}, mode, kNow);
    if (!log) {
      ASSERT_EQ(log.error().fault, StorageFault::corrupt) << log.error().message;
      ASSERT_EQ(read_text(directory.path() / kFirstLog), flipped) << "no file is changed";
      continue;
    }
    ASSERT_EQ((*log)->end_offset(), written.end_offset);
    const auto read = read_all(**log, 0);
    ASSERT_FALSE(read.has_value()) << "bit " << bit << " was not noticed";
    ASSERT_EQ(read.error().fault, StorageFault::corrupt);
  }
}
TEST(Recovery, AFlippedBitBelowTheRecoveryPointIsNeverServed) {
  flip_bits_below_the_recovery_point(false);
}
TEST(Recovery, AFlippedBitAfterACleanStopIsNeverServed) {
  flip_bits_below_the_recovery_point(true);
}

// Fails if bytes that are missing after a clean stop are taken for a log that was always this short.
TEST(Recovery, AShorterFileAfterACleanStopIsDamage) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 5, {}, true);
  const std::string whole = read_text(directory.path() / kFirstLog);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    write_text(directory.path() / kFirstLog, whole.substr(0, bytes));
    const auto log = PartitionLog::open(directory.path(), {},
                                        {.after_clean_stop = true, .recovery_point = written.end_offset}, kNow);
    ASSERT_FALSE(log.has_value()) << bytes;
    ASSERT_EQ(log.error().fault, StorageFault::corrupt);
  }
}

// Fails if a clean restart reads the log again, or the restart after it (nothing appended) does.
TEST(Recovery, ACleanRestartDoesNotScan) {
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 200'000, .hooks = {.count = CallCounts::count}};
  const Written written = write_log(directory.path(), 1500, config, true, 2000);
  const OpenMode mode{.after_clean_stop = true, .recovery_point = written.end_offset};
  for (int restart = 0; restart < 3; ++restart) {
    CallCounts::reset();
    const auto log = open_log(directory.path(), config, mode);
    EXPECT_GT(log->segment_count(), 5);
    EXPECT_LE(CallCounts::of(FileCall::pread), 3 * log->segment_count() + 10);
    EXPECT_EQ(log->recovery().checked_batches, 0);
    EXPECT_EQ(log->recovery().rebuilt_indexes, 0);
    if (restart == 1) {
      EXPECT_EQ(read_all(*log, 0).value(), written.batches);
    }
    ASSERT_TRUE(log->close());
  }
  const auto log = open_log(directory.path(), config, {});
  EXPECT_EQ(log->recovery().checked_batches, std::ssize(written.batches)) << "the counter of the scan counts";
}

// Fails if the log cannot go on after a clean restart: index, roll and recovery have to fit what was there before.
TEST(Recovery, GoesOnAfterACleanRestartAndSurvivesACrashThen) {
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 100'000};
  std::mt19937_64 random(8);
  std::vector<Batch> all;
  std::int64_t clean_end = 0;
  for (int round = 0; round < 6; ++round) {
    const bool was_clean = round % 2 == 1;
    const auto log = open_log(directory.path(), config, {.after_clean_stop = was_clean, .recovery_point = clean_end});
    ASSERT_EQ(read_all(*log, 0).value(), all) << "round " << round;
    for (Batch& batch : append_random(*log, 60, random)) all.push_back(std::move(batch));
    ASSERT_EQ(read_all(*log, 0).value(), all);
    if (!was_clean) {
      clean_end = log->end_offset();
      ASSERT_TRUE(log->close());
    }
  }
}

using Spoil = void (*)(const fs::path& index_file, std::mt19937_64& random);
constexpr std::array<Spoil, 7> kSpoilers = {
    [](const fs::path& file, std::mt19937_64&) { fs::remove(file); },
    [](const fs::path& file, std::mt19937_64&) { write_text(file, ""); },
    [](const fs::path& file, std::mt19937_64& random) { fs::resize_file(file, random() % (fs::file_size(file) + 1)); },
    [](const fs::path& file, std::mt19937_64& random) {
      std::string text = read_text(file);
      for (char& c : text) c = static_cast<char>(random());
      write_text(file, text);
    },
    [](const fs::path& file, std::mt19937_64& random) {
      std::string text = read_text(file);
      if (!text.empty()) text[random() % text.size()] ^= static_cast<char>(1 << random() % 8);
      write_text(file, text);
    },
    [](const fs::path& file, std::mt19937_64&) {  // that of another segment
      for (const fs::path& other : files_ending_in(file.parent_path(), file.extension().string()))
        if (other != file) write_text(file, read_text(other));
    },
    [](const fs::path& file, std::mt19937_64& random) { write_text(file, std::string(random() % 5000, '\xff')); },
};

// Fails if what stands in an index file, whatever it is, changes an answer about offsets or times, or stops a start.
TEST(Recovery, SpoiledIndexesChangeNoAnswer) {
  for (const bool clean : {true, false}) {
    const TemporaryDirectory directory;
    const LogConfig config{.segment_bytes = 60'000};
    const Written written = write_log(directory.path(), 200, config, clean, 1500);
    const OpenMode mode{.after_clean_stop = clean, .recovery_point = clean ? written.end_offset : 0};
    const auto answers = [&](PartitionLog& log) {
      std::vector<std::int64_t> found;
      for (std::int64_t offset = 0; offset < written.end_offset; offset += 3)
        found.push_back(log.locate(offset, {.max_bytes = 1})->base_offset);
      for (std::int64_t time = kNow; time < kNow + 110'000; time += 900) {
        const auto location = log.locate_timestamp(time).value();
        found.push_back(location ? location->batch.base_offset : -1);
      }
      return found;
    };
    std::vector<std::int64_t> expected;
    {
      const auto log = open_log(directory.path(), config, mode);
      ASSERT_GT(log->segment_count(), 3);
      expected = answers(*log);
      if (clean) {
        ASSERT_TRUE(log->close());
      }
    }
    std::mt19937_64 random(9);
    for (int round = 0; round < 40; ++round) {
      for (const fs::path& file : files_ending_in(directory.path(), "index"))
        if (random() % 2 == 0) kSpoilers[random() % kSpoilers.size()](file, random);
      const auto log = open_log(directory.path(), config, mode);
      ASSERT_EQ(answers(*log), expected) << "round " << round << (clean ? " clean" : " crashed");
      if (clean) {
        ASSERT_TRUE(log->close());
      }
    }
    // And while the broker runs.
    const auto log = open_log(directory.path(), config, mode);
    ASSERT_EQ(answers(*log), expected);
    for (const fs::path& file : files_ending_in(directory.path(), "index")) kSpoilers[3](file, random);
    ASSERT_EQ(read_all(*log, 0).value(), written.batches);
  }
}

// Fails if one flipped bit in an index gets past its checksum and moves an answer.
TEST(Recovery, AFlippedBitInAnIndexChangesNoAnswer) {
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 6000, .index_interval_bytes = 100};
  std::vector<std::int64_t> times;
  std::int64_t end = 0;
  {
    const auto log = open_log(directory.path(), config);
    for (int i = 0; i < 60; ++i) {
      times.push_back(kNow + i * 1000);
      append(*log, make_batch(i, 1, 50, times.back()));
    }
    end = log->end_offset();
    ASSERT_TRUE(log->close());
  }
  const auto log_files = files_ending_in(directory.path(), ".log");
  ASSERT_GE(log_files.size(), 2U);
  std::vector<std::pair<fs::path, std::string>> originals;
  for (const fs::path& file : files_ending_in(directory.path(), "index")) originals.emplace_back(file, read_text(file));
  for (const auto& [file, text] : originals) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string flipped = text;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
      write_text(file, flipped);
      const auto log = open_log(directory.path(), config, {.after_clean_stop = true, .recovery_point = end});
      for (std::int64_t offset = 0; offset < end; offset += 7) {
        ASSERT_EQ(log->locate(offset, {.max_bytes = 1})->base_offset, offset) << file << " byte " << i;
        const auto found = log->locate_timestamp(times[static_cast<std::size_t>(offset)] - 1).value();
        ASSERT_TRUE(found.has_value()) << file << " byte " << i;
        ASSERT_EQ(found->batch.base_offset, offset) << file << " byte " << i;
      }
      for (const auto& [other, content] : originals) write_text(other, content);  // it may have been made anew
    }
  }
}

// Fails if a missing, swapped or emptied segment file is taken for a log that was always like this.
TEST(Recovery, AMissingSegmentIsNoticed) {
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 20'000};
  const Written written = write_log(directory.path(), 100, config, true, 1500);
  const auto logs = files_ending_in(directory.path(), ".log");
  ASSERT_GE(logs.size(), 4U);
  std::vector<std::string> contents;
  for (const fs::path& log : logs) contents.push_back(read_text(log));
  for (std::size_t i = 0; i < logs.size(); ++i) {
    for (const bool clean : {true, false}) {
      for (const bool remove : {true, false}) {
        if (remove)
          fs::remove(logs[i]);
        else
          write_text(logs[i], contents[(i + 1) % contents.size()]);
        const OpenMode mode{.after_clean_stop = clean, .recovery_point = written.end_offset};
        const auto log = PartitionLog::open(directory.path(), config, mode, kNow);
        // After a crash the oldest files may have been deleted on purpose, just before the checkpoint was written.
        if (remove && !clean && i == 0) {
          ASSERT_TRUE(log.has_value());
          EXPECT_GT((*log)->start_offset(), 0);
        } else {
          ASSERT_FALSE(log.has_value()) << i << (clean ? " clean" : " crashed") << (remove ? " removed" : " replaced");
          EXPECT_EQ(log.error().fault, StorageFault::corrupt);
        }
        write_text(logs[i], contents[i]);
      }
    }
  }
  fs::remove_all(directory.path());
  fs::create_directory(directory.path());
  EXPECT_EQ(PartitionLog::open(directory.path(), config, {.recovery_point = 5}, kNow).error().fault,
            StorageFault::corrupt);
}

// Fails if damage in an early unsynced segment leaves later segments behind it, with a hole between them.
TEST(Recovery, DamageInAnEarlySegmentCutsTheLaterOnes) {
  const TemporaryDirectory directory;
  const LogConfig config{.segment_bytes = 20'000};
  const Written written = write_log(directory.path(), 100, config, false, 1500);
  const auto logs = files_ending_in(directory.path(), ".log");
  ASSERT_GE(logs.size(), 4U);
  std::string second = read_text(logs[1]);
  second[second.size() / 2] ^= 1;
  write_text(logs[1], second);
  const auto log = open_log(directory.path(), config);
  EXPECT_EQ(log->segment_count(), 2);
  EXPECT_EQ(files_ending_in(directory.path(), ".log").size(), 2U);
  EXPECT_EQ(log->recovery().cut_from_offset, log->end_offset());
  EXPECT_EQ(log->recovery().cut_last_offset, written.end_offset - 1);
  const auto read = read_all(*log, 0).value();
  EXPECT_EQ(read, first_batches(written, read.size()));
  append(*log, make_batch(log->end_offset()));
}

// Fails if records that retention had deleted come back, or the log start moves without anyone knowing.
TEST(Recovery, KeepsTheLogStart) {
  const TemporaryDirectory directory;
  const Written written = write_log(directory.path(), 10, {}, false);
  const std::int64_t start = offset_after(written, 3);
  const auto log = open_log(directory.path(), {}, {.log_start_offset = start});
  EXPECT_EQ(log->start_offset(), start);
  EXPECT_EQ(log->locate(start - 1, {}).error().fault, StorageFault::out_of_range);
  EXPECT_EQ(read_all(*log, start)->size(), 7U);
}

// Fails if names of deleted segments that a power cut brought back, with a hole between them, stop the log.
TEST(Recovery, DeletedSegmentsThatComeBackAreDeletedAgain) {
  for (const bool clean : {true, false}) {
    const TemporaryDirectory directory;
    const LogConfig config{.segment_bytes = 20'000};
    const Written written = write_log(directory.path(), 100, config, clean, 1500);
    const auto logs = files_ending_in(directory.path(), ".log");
    ASSERT_GE(logs.size(), 5U);
    const std::int64_t start = std::stoll(logs[3].stem().string());
    fs::remove(logs[1]);
    const auto log =
        open_log(directory.path(), config,
                 {.after_clean_stop = clean, .recovery_point = written.end_offset, .log_start_offset = start});
    ASSERT_NE(log, nullptr);
    EXPECT_EQ(log->start_offset(), start);
    EXPECT_EQ(log->segment_count(), std::ssize(logs) - 3);
    EXPECT_FALSE(read_all(*log, start)->empty());
  }
}

}  // namespace
}  // namespace iolab::storage
