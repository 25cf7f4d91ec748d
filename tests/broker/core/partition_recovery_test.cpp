// What a partition knows of producers and transactions after a restart: a failure here means that readers are shown
// aborted records, wait for transactions that are over, or that a fenced producer writes again.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "broker/core/producer_snapshot.h"
#include "tests/broker/core/partition_fixture.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using test::BatchOptions;
using test::PartitionFixture;

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

BatchOptions transactional(std::int64_t producer_id, std::int32_t sequence, std::int16_t epoch = 0) {
  return {.records = 1 + static_cast<int>(producer_id % 3),
          .builder = {
              .producer_id = producer_id, .producer_epoch = epoch, .base_sequence = sequence, .transactional = true}};
}

// What a snapshot says, whatever the order of its producers.
std::vector<std::string> said_by(const std::string& text) {
  std::vector<std::string> said;
  const auto snapshot = read_producer_snapshot(text);
  if (!snapshot) return said;
  said.push_back("offset " + std::to_string(snapshot->offset));
  snapshot->states.for_each([&](std::int64_t id, const ProducerState& state) {
    std::string line = "producer " + std::to_string(id);
    for (const std::int64_t number : {std::int64_t{state.epoch}, std::int64_t{state.coordinator_epoch},
                                      state.transaction_offset, state.marker_offset}) {
      line += ' ' + std::to_string(number);
    }
    for (std::size_t age = 0; age < state.batch_count(); ++age) {
      const ProducerState::Batch& batch = state.batch(age);
      line += " batch " + std::to_string(batch.first_sequence) + ' ' + std::to_string(batch.last_sequence) + ' ' +
              std::to_string(batch.base_offset);
    }
    said.push_back(line);
  });
  for (const AbortedTransaction& one : snapshot->states.transactions().aborted()) {
    said.push_back("aborted " + std::to_string(one.producer_id) + ' ' + std::to_string(one.first_offset) + ' ' +
                   std::to_string(one.last_offset) + ' ' + std::to_string(one.last_stable_offset));
  }
  std::ranges::sort(said);
  return said;
}

// A log of interleaved transactions, and what was known after each of its batches.
struct Told {
  struct Moment {
    std::uintmax_t log_bytes = 0;
    std::string snapshot;
    Partition::Offsets offsets;
  };
  std::string log;
  std::vector<Moment> moments;
};

fs::path log_path(const fs::path& directory) {
  return directory / "00000000000000000000.log";
}

Told tell(std::uint64_t seed) {
  PartitionFixture partition;
  std::mt19937_64 random(seed);
  std::vector<std::int32_t> sequences(4, 0);
  std::vector<std::int16_t> epochs(4, 0);
  Told told;
  for (int i = 0; i < 24; ++i) {
    const std::size_t who = random() % sequences.size();
    const auto id = static_cast<std::int64_t>(who);
    switch (random() % 6) {
      case 0: EXPECT_TRUE(partition.append({.records = 2})) << "without a producer"; break;
      case 1: EXPECT_TRUE(partition.end_transaction({id, epochs[who], 2, true})); break;
      case 2: EXPECT_TRUE(partition.end_transaction({id, epochs[who], 2, false})); break;
      case 3: {
        EXPECT_TRUE(partition.end_transaction({id, ++epochs[who], 2, false})) << "fences";
        sequences[who] = 0;
        break;
      }
      default: {
        const BatchOptions options = transactional(id, sequences[who], epochs[who]);
        EXPECT_TRUE(partition.append(options));
        sequences[who] += options.records;
      }
    }
    partition->save_producers();
    told.moments.push_back(
        {fs::file_size(log_path(partition.directory())), read_text(partition.snapshot_path()), partition.offsets()});
  }
  told.log = read_text(log_path(partition.directory()));
  return told;
}

// The partition as a start finds it: so much of the log, and perhaps a snapshot.
void expect_known(const Told& told, std::size_t batches, std::uintmax_t log_bytes, const std::string& snapshot) {
  PartitionFixture partition;
  partition.close();
  write_text(log_path(partition.directory()), told.log.substr(0, log_bytes));
  fs::remove(log_path(partition.directory()).replace_extension(".index"));
  fs::remove(log_path(partition.directory()).replace_extension(".timeindex"));
  if (!snapshot.empty()) write_text(partition.snapshot_path(), snapshot);
  partition.open();
  const Told::Moment& expected = told.moments[batches - 1];
  EXPECT_EQ(partition.offsets().high_watermark, expected.offsets.high_watermark);
  EXPECT_EQ(partition.offsets().last_stable_offset, expected.offsets.last_stable_offset);
  partition->save_producers();
  EXPECT_EQ(said_by(read_text(partition.snapshot_path())), said_by(expected.snapshot));
}

TEST(PartitionRecovery, EveryPrefixOfTheLogTellsWhatWasKnownThen) {
  SCOPED_TRACE("fails if a crash at some moment leaves another state than the log's batches up to there made");
  const Told told = tell(1);
  for (std::size_t batches = 1; batches <= told.moments.size(); ++batches) {
    SCOPED_TRACE("after batch " + std::to_string(batches));
    const std::uintmax_t end = told.moments[batches - 1].log_bytes;
    expect_known(told, batches, end, "");
    expect_known(told, batches, std::min<std::uintmax_t>(end + 40, told.log.size()), "");
  }
}

TEST(PartitionRecovery, ASnapshotOfAnyMomentLeadsToTheSameState) {
  SCOPED_TRACE(
      "fails if what a snapshot holds and what the log tells behind it do not fit together, or if the snapshot "
      "of a log that has lost its tail since is believed");
  const Told told = tell(2);
  for (std::size_t saved = 1; saved <= told.moments.size(); ++saved) {
    for (const std::size_t batches : {saved / 2, saved - 1, saved, (saved + told.moments.size()) / 2}) {
      if (batches == 0) continue;
      SCOPED_TRACE("snapshot after " + std::to_string(saved) + ", log of " + std::to_string(batches));
      expect_known(told, batches, told.moments[batches - 1].log_bytes, told.moments[saved - 1].snapshot);
    }
  }
}

TEST(PartitionRecovery, ASnapshotThatIsNotToBeTrustedIsMadeAgain) {
  SCOPED_TRACE("fails if damage, or the text of an older version, changes what is known");
  const Told told = tell(3);
  const Told::Moment& last = told.moments.back();
  std::string damaged = last.snapshot;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  expect_known(told, told.moments.size(), last.log_bytes, damaged);
  expect_known(told, told.moments.size(), last.log_bytes, last.snapshot.substr(0, last.snapshot.size() / 2));
  expect_known(told, told.moments.size(), last.log_bytes, "iolab-producers 1\noffset 0\ncrc32c 00000000\n");
}

TEST(PartitionRecovery, AMarkerThatCannotBeReadTakesThePartitionOffline) {
  SCOPED_TRACE("fails if readers of committed records are served although nobody knows what was committed");
  PartitionFixture partition;
  ASSERT_TRUE(partition.append(transactional(7, 0)));
  ASSERT_TRUE(partition.end_transaction({7, 0, 0, false}));
  const auto end = fs::file_size(log_path(partition.directory()));
  ASSERT_TRUE(partition.append({}));
  ASSERT_TRUE(partition->close());
  partition.close();
  std::string log = read_text(log_path(partition.directory()));
  log[end - 1] = static_cast<char>(log[end - 1] ^ 1);  // of the marker's record; its header still says what it was
  write_text(log_path(partition.directory()), log);
  fs::remove(partition.snapshot_path());
  partition.open();
  EXPECT_FALSE(partition->offsets());
}

TEST(PartitionRecovery, ProducersWithAnOpenTransactionAreNeverForgotten) {
  SCOPED_TRACE("fails if a transaction hangs because its producer was forgotten, or forgotten ones stay");
  PartitionFixture partition;
  ASSERT_TRUE(partition.append(transactional(7, 0)));
  ASSERT_TRUE(partition.end_transaction({8, 3, 0, true}));
  partition.clock.advance(10'000);
  (void)partition->apply_retention(partition.clock.now(), 5'000);
  const auto known = partition->producers();
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->contains(7));
  EXPECT_FALSE(known->contains(8));
  ASSERT_TRUE(partition.end_transaction({7, 0, 0, true}));
  EXPECT_EQ(partition.offsets().last_stable_offset, partition.offsets().high_watermark);
}

TEST(PartitionRecovery, AnotherMarkerBetweenTheQuestionAndTheAppendIsNoticed) {
  SCOPED_TRACE("fails if a batch that comes too late opens a transaction that nobody will ever end");
  PartitionFixture partition;
  EXPECT_EQ(partition->marker_offset(7), -1);
  ASSERT_TRUE(partition.append(transactional(7, 0), -1));
  const std::int64_t seen = partition->marker_offset(7);
  const auto marker = partition.end_transaction({7, 0, 0, true});
  ASSERT_TRUE(marker);
  const auto late = partition.append(transactional(7, 2), seen);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), ErrorCode::invalid_txn_state);
  EXPECT_EQ(partition.offsets().last_stable_offset, marker->base_offset + 1);
  EXPECT_EQ(partition->marker_offset(7), marker->base_offset);
  EXPECT_TRUE(partition.append(transactional(7, 2), marker->base_offset));
}

}  // namespace
}  // namespace iolab::core
