// Random transactions of several producers in one partition, with crashes, lost snapshots, syncs and retention, against
// a model that knows the fate of every record: a failure here means that a reader of committed records sees an aborted
// or undecided one, or misses a committed one. Failures print the seed.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include "tests/broker/core/partition_fixture.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using test::BatchOptions;
using test::PartitionFixture;

storage::LogConfig small_segments(bool with_retention) {
  storage::LogConfig config;
  config.segment_bytes = 1500;
  config.index_interval_bytes = 200;
  config.retention_bytes = with_retention ? 4000 : -1;
  return config;
}

class Model {
 public:
  explicit Model(std::uint64_t seed)
      : random_(seed),
        partition_(seed % 2 == 0 ? FlushPolicy::os : FlushPolicy::commit, small_segments(seed % 4 < 2)) {}

  void act() {
    const std::size_t who = random_() % producers_.size();
    switch (random_() % 14) {
      case 0: append_plain(); break;
      case 1:
      case 2: end(who, true); break;
      case 3:
      case 4: end(who, false); break;
      case 5: fence(who); break;
      case 6: partition_.flush(); break;
      case 7: restart(); break;
      case 8: retain(); break;
      case 9: send_again(who); break;
      default: append_transactional(who);
    }
  }

  // Whatever has happened, readers see exactly what is decided and committed.
  void check() {
    const Partition::Offsets offsets = partition_.offsets();
    const std::int64_t stable = last_stable_offset(offsets);
    // After retention a start cannot know that a transaction began before what is left.
    ASSERT_GE(offsets.last_stable_offset, stable);
    ASSERT_LE(offsets.last_stable_offset, knows_less_ ? offsets.high_watermark : stable);
    const auto span = static_cast<std::uint64_t>(offsets.last_stable_offset - offsets.start + 1);
    const std::int64_t from = offsets.start + static_cast<std::int64_t>(random_() % span);
    std::vector<std::int64_t> expected;
    for (std::int64_t offset = from; offset < offsets.last_stable_offset; ++offset) {
      if (is_committed(offset)) expected.push_back(offset);
    }
    ASSERT_EQ(partition_.committed(from, 1 + random_() % 2000), expected) << "read from " << from;
  }

 private:
  struct Transaction {
    std::vector<std::int64_t> batches = {};  // their first offsets
    std::int64_t marker_offset = -1;         // -1: open
    bool committed = false;
  };
  struct Producer {
    std::int16_t epoch = 0;
    std::int32_t sequence = 0;
    std::size_t transaction = kNone;
    BatchOptions last = {};  // the batch that was stored last
    std::int64_t last_offset = -1;
  };
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  void append_plain() {
    const int records = 1 + static_cast<int>(random_() % 3);
    const auto appended = partition_.append({.records = records});
    ASSERT_TRUE(appended);
    records_.resize(static_cast<std::size_t>(appended->base_offset + records), kNone);
  }

  BatchOptions next_batch(std::size_t who) {
    const Producer& producer = producers_[who];
    return {.records = 1 + static_cast<int>(random_() % 3),
            .value_bytes = random_() % 300,
            .builder = {.producer_id = static_cast<std::int64_t>(who) + 100,
                        .producer_epoch = producer.epoch,
                        .base_sequence = producer.sequence,
                        .transactional = true}};
  }

  void append_transactional(std::size_t who) {
    Producer& producer = producers_[who];
    BatchOptions batch = next_batch(who);
    auto appended = partition_.append(batch);
    if (!appended && knows_less_ && appended.error() == ErrorCode::out_of_order_sequence_number) {
      fence(who);  // the broker has forgotten the batches before: a client gets itself a new epoch
      batch = next_batch(who);
      appended = partition_.append(batch);
    }
    ASSERT_TRUE(appended) << "error " << static_cast<int>(appended.error());
    if (producer.transaction == kNone) {
      producer.transaction = transactions_.size();
      transactions_.emplace_back();
    }
    transactions_[producer.transaction].batches.push_back(appended->base_offset);
    records_.resize(static_cast<std::size_t>(appended->base_offset + batch.records), producer.transaction);
    producer.sequence += batch.records;
    producer.last = batch;
    producer.last_offset = appended->base_offset;
  }

  // A retry changes nothing, and is told where it is.
  void send_again(std::size_t who) {
    const Producer& producer = producers_[who];
    if (producer.last_offset < 0 || knows_less_) return;
    const auto appended = partition_.append(producer.last);
    ASSERT_TRUE(appended) << "error " << static_cast<int>(appended.error());
    ASSERT_EQ(appended->base_offset, producer.last_offset);
  }

  void end(std::size_t who, bool commit) { mark(who, producers_[who].epoch, commit); }

  void fence(std::size_t who) {
    Producer& producer = producers_[who];
    mark(who, static_cast<std::int16_t>(producer.epoch + 1), false);
    const auto refused = partition_.append(next_batch(who));
    ASSERT_FALSE(refused) << "producer " << who << " was fenced";
    ASSERT_EQ(refused.error(), ErrorCode::invalid_producer_epoch);
    producer = {.epoch = static_cast<std::int16_t>(producer.epoch + 2)};
  }

  void mark(std::size_t who, std::int16_t epoch, bool commit) {
    Producer& producer = producers_[who];
    const auto appended = partition_.end_transaction({static_cast<std::int64_t>(who) + 100, epoch, 0, commit});
    ASSERT_TRUE(appended) << "error " << static_cast<int>(appended.error());
    markers_.insert(appended->base_offset);
    records_.resize(static_cast<std::size_t>(appended->base_offset + 1), kNone);
    if (producer.transaction == kNone) return;
    transactions_[producer.transaction].marker_offset = appended->base_offset;
    transactions_[producer.transaction].committed = commit;
    producer.transaction = kNone;
  }

  void retain() {
    partition_.flush();
    (void)partition_->apply_retention(partition_.clock.now(), 1'000'000);
  }

  void restart() {
    if (random_() % 2 == 0) partition_->save_producers();
    partition_.close();
    if (random_() % 3 == 0) {
      if (random_() % 2 == 0) {
        std::filesystem::remove(partition_.snapshot_path());
      } else {
        std::ofstream(partition_.snapshot_path()) << "iolab-producers 2\noffset 3\ncrc32c 12345678\n";
      }
    }
    partition_.open();
    if (partition_.offsets().start > 0) knows_less_ = true;
  }

  std::int64_t last_stable_offset(const Partition::Offsets& offsets) const {
    std::int64_t stable = offsets.high_watermark;
    for (const Transaction& transaction : transactions_) {
      const bool decided = transaction.marker_offset >= 0 && transaction.marker_offset < offsets.high_watermark;
      if (!decided) stable = std::min(stable, transaction.batches.front());
    }
    return std::max(stable, offsets.start);
  }

  bool is_committed(std::int64_t offset) const {
    if (markers_.contains(offset)) return false;
    const std::size_t transaction = records_[static_cast<std::size_t>(offset)];
    return transaction == kNone || transactions_[transaction].committed;
  }

  std::mt19937_64 random_;
  PartitionFixture partition_;
  std::vector<Producer> producers_ = std::vector<Producer>(4);
  std::vector<Transaction> transactions_;
  std::vector<std::size_t> records_;  // of each offset: its transaction, or none
  std::set<std::int64_t> markers_;
  bool knows_less_ = false;  // it was started with a log that retention had cut
};

TEST(TransactionProperty, ReadersOfCommittedRecordsSeeTheseAndNoOthers) {
  SCOPED_TRACE(
      "fails if an aborted or undecided record is shown, or a committed one is not, or a retry is stored twice");
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Model model(seed);
    for (int i = 0; i < 150 && !::testing::Test::HasFailure(); ++i) {
      model.act();
      model.check();
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace iolab::core
