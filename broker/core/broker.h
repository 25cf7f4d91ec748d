// The broker without a network: settings, topics, who waits until when, and what must reach the disk.
//
// It owns no thread and asks no clock. Requests come from the handlers with their moment; two chores come from whoever
// has threads: run_timers() when deadlines().next() or next_chore() has passed, run_flushes() when flushes().next()
// has. Changes of topics are made one at a time under a mutex of their own, which requests for data never take.
//
// Threads: any, except open() and close().
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/base/buffer_pool.h"
#include "broker/core/cold_read.h"
#include "broker/core/config_changes.h"
#include "broker/core/deadlines.h"
#include "broker/core/flush_queue.h"
#include "broker/core/groups/coordinator.h"
#include "broker/core/moment.h"
#include "broker/core/properties.h"
#include "broker/core/settings.h"
#include "broker/core/topic_table.h"
#include "broker/core/transactions/coordinator.h"
#include "broker/storage/log_directory.h"

namespace iolab::core {

// Where clients are told to connect to.
struct Endpoint {
  std::string host;
  std::int32_t port = 0;
};

// Why a topic was not created, grown or deleted: the code for the client, and a sentence.
struct TopicFault {
  protocol::ErrorCode code;
  std::string message;
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = -1;          // -1: num.partitions
  std::int16_t replication_factor = -1;  // -1: default.replication.factor
  Overrides overrides;
  bool internal = false;  // one of the broker's own, whose names are refused to everybody else
};

class Broker {
 public:
  // Opens the data directory and recovers every partition. The error is one sentence with its remedy.
  static std::expected<std::unique_ptr<Broker>, std::string> open(BrokerSettings settings, RandomSource& random,
                                                                  Moment now, storage::FileHooks hooks = {});

  const BrokerSettings& settings() const { return settings_; }
  std::int32_t node_id() const { return static_cast<std::int32_t>(settings_.node_id); }
  const std::string& cluster_id() const { return directory_->identity().cluster_id; }
  const Endpoint& endpoint() const { return endpoint_; }
  void set_endpoint(Endpoint endpoint) { endpoint_ = std::move(endpoint); }  // before the first request

  base::BufferPool& buffers() { return buffers_; }
  Deadlines& deadlines() { return deadlines_; }
  FlushQueue& flushes() { return flushes_; }
  const TopicTable& topics() const { return topics_; }
  GroupCoordinator& groups() { return groups_; }
  TransactionCoordinator& transactions() { return transactions_; }
  // Who reads what is not in memory; null: whoever asks for it, and waits. Set before the first request.
  ColdReader* cold_reader() const { return cold_reader_; }
  void set_cold_reader(ColdReader* reader) { cold_reader_ = reader; }

  // These wait for the disk. With validate_only nothing changes, and what would be is returned.
  using Changed = std::expected<TopicPointer, TopicFault>;
  // One of the broker's own topics (internal_log.h), made if it is not there.
  Changed internal_topic(std::string_view name, Moment now);
  // Lets groups() or transactions() begin: makes its topic, if it is not there.
  protocol::ErrorCode open_groups(Moment now);
  protocol::ErrorCode open_transactions(Moment now);
  Changed create_topic(const NewTopic& wanted, bool validate_only, Moment now);
  Changed grow_topic(std::string_view name, std::int32_t partitions, bool validate_only, Moment now);
  std::expected<void, TopicFault> delete_topic(std::string_view name);
  // Other settings for a topic, in force when it returns. With `only_these` it has set for itself what `changes` say
  // and nothing else afterwards.
  Changed alter_topic(std::string_view name, std::span<const ConfigChange> changes, bool only_these,
                      bool validate_only);

  struct RecordsBefore {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;  // -1: all that is readable
  };
  // Deletes the records below the offsets; each answer is where that partition starts now, which a restart knows too.
  std::vector<std::expected<std::int64_t, protocol::ErrorCode>> delete_records(std::span<const RecordsBefore> wanted,
                                                                               Moment now);
  // The data directory, and the room on its disk.
  const std::filesystem::path& data_directory() const { return directory_->path(); }
  storage::Expected<storage::DiskSpace> disk_space() const;

  // A producer id that nobody has: random, so that nothing has to be remembered across a crash.
  std::int64_t new_producer_id() { return static_cast<std::int64_t>(random_.next() >> 1); }

  // Wakes what is due, and orders retention when its time has come. Returns when to come again: steady milliseconds.
  std::int64_t run_timers(Moment now);
  // Syncs what is due, and does the work that waits for the disk; work that throws is given up, and said so.
  void run_flushes(Moment now);

  // Syncs and closes every log, and marks the directory as stopped cleanly. False: something failed, and the next start
  // will check the logs. A partition that was offline from the start is left as it was found.
  bool close();

 private:
  Broker(BrokerSettings settings, RandomSource& random, storage::FileHooks hooks)
      : settings_(std::move(settings)), random_(random), hooks_(hooks) {}

  std::expected<TopicPointer, std::string> load_topic(const storage::TopicDescription& description, Moment now);
  std::shared_ptr<Partition> open_partition(const std::string& topic, std::int32_t index, const TopicSettings& settings,
                                            Moment now);
  static storage::TopicDescription describe(const Topic& topic);
  storage::LogConfig log_config(const TopicSettings& settings) const;
  template <class Coordinator>
  protocol::ErrorCode open_coordinator(Coordinator& coordinator, std::string_view name, Moment now);
  std::vector<storage::PartitionCheckpoint> checkpoints() const;
  // Whether so many partitions more may be opened.
  std::expected<void, TopicFault> room_for(std::int64_t partitions) const;
  // Work of the flusher's thread.
  class Chore;
  class CleaningTurn;
  void order_cleaning();
  void apply_retention(Moment now);
  void remove_deleted_files(Moment now);
  void expire_offsets(Moment now);
  void expire_transactional_ids(Moment now);

  BrokerSettings settings_;
  RandomSource& random_;
  storage::FileHooks hooks_;
  Endpoint endpoint_;
  base::BufferPool buffers_;  // outlives whatever holds buffers
  Deadlines deadlines_;
  std::atomic<bool> cleaning_{false};  // a round of compaction has not come to its end; outlives the queue
  FlushQueue flushes_;
  std::unique_ptr<storage::LogDirectory> directory_;
  TopicTable topics_;
  ColdReader* cold_reader_ = nullptr;
  std::mutex changing_topics_;
  std::int64_t retention_due_ms_ = 0;  // of the timer thread alone
  std::int64_t expiry_due_ms_ = 0;     // the same; of offsets
  std::int64_t id_expiry_due_ms_ = 0;  // the same; of transactional ids
  std::int64_t cleaning_due_ms_ = 0;   // the same
  GroupCoordinator groups_{settings_, random_, deadlines_, topics_};
  TransactionCoordinator transactions_{settings_, random_, deadlines_, flushes_, topics_, groups_};
};

}  // namespace iolab::core
