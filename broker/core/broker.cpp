#include "broker/core/broker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>

#include "broker/base/log.h"
#include "broker/core/internal_log.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

// 16 random bytes as Kafka writes them: 22 characters of the URL-safe base 64.
std::string new_cluster_id(RandomSource& random) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string id;
  std::uint64_t bits = 0;
  for (int i = 0; i < 22; ++i) {
    if (i % 10 == 0) bits = random.next();
    id += kDigits[bits & 63];
    bits >>= 6;
  }
  return id;
}

protocol::Uuid new_topic_id(RandomSource& random) {
  protocol::Uuid id;
  const std::array<std::uint64_t, 2> bits{random.next(), random.next()};
  std::memcpy(id.data(), bits.data(), id.size());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);  // RFC 4122, version 4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

std::unexpected<TopicFault> fault(ErrorCode code, std::string message) {
  return std::unexpected(TopicFault{code, std::move(message)});
}

std::unexpected<TopicFault> reserved(std::string_view name) {
  return fault(ErrorCode::invalid_topic_exception, fmt::format("{} is the broker's own", name));
}

std::unexpected<TopicFault> fault(const storage::StorageError& error) {
  return fault(error_code_of(error.fault), error.message);
}

}  // namespace

class Broker::Chore final : public DiskWork {
 public:
  Chore(Broker& broker, void (Broker::*what)(Moment)) : broker_(broker), what_(what) {}
  void run(Moment now) override { (broker_.*what_)(now); }

 private:
  Broker& broker_;
  void (Broker::*what_)(Moment);
};

std::expected<std::unique_ptr<Broker>, std::string> Broker::open(BrokerSettings settings, RandomSource& random,
                                                                 Moment now, storage::FileHooks hooks) {
  std::unique_ptr<Broker> broker(new Broker(std::move(settings), random, hooks));
  const BrokerSettings& given = broker->settings_;
  const storage::DirectoryIdentity identity{given.cluster_id.empty() ? new_cluster_id(random) : given.cluster_id,
                                            broker->node_id()};
  auto directory = storage::LogDirectory::open(given.log_dirs, identity, hooks);
  if (!directory) return std::unexpected(directory.error().message);
  broker->directory_ = std::move(*directory);
  for (const std::string& note : broker->directory_->notes()) base::log::info(note);
  for (const storage::TopicDescription& description : broker->directory_->topics()) {
    auto topic = broker->load_topic(description, now);
    if (!topic) return std::unexpected(topic.error());
    broker->topics_.put(std::move(*topic));
  }
  if (const TopicPointer topic = broker->topics_.find(kConsumerOffsetsTopic)) {
    (void)broker->groups_.load(topic, broker->buffers_, now);
  }
  if (const TopicPointer topic = broker->topics_.find(kTransactionStateTopic)) {
    (void)broker->transactions_.load(topic, broker->buffers_, now);  // behind groups: it may end what they have pending
  }
  broker->expiry_due_ms_ = Deadlines::after(now.steady_ms, given.offsets_retention_check_interval_ms);
  broker->id_expiry_due_ms_ = Deadlines::after(now.steady_ms, given.transaction_expiry_interval_ms);
  broker->retention_due_ms_ = Deadlines::after(now.steady_ms, given.retention_check_interval_ms);
  broker->cleaning_due_ms_ = Deadlines::after(now.steady_ms, given.cleaner_backoff_ms);
  broker->flushes_.add(std::make_shared<Chore>(*broker, &Broker::remove_deleted_files));  // that a crash left behind
  return broker;
}

std::expected<TopicPointer, std::string> Broker::load_topic(const storage::TopicDescription& description, Moment now) {
  auto topic = std::make_shared<Topic>();
  topic->name = description.name;
  std::memcpy(topic->id.data(), description.id.data(), topic->id.size());
  topic->overrides.insert(description.configs.begin(), description.configs.end());
  auto settings = topic_settings(settings_, topic->overrides);
  if (!settings) return std::unexpected(fmt::format("topic {} was stored with {}", topic->name, settings.error()));
  topic->settings = *settings;
  for (std::int32_t index = 0; index < description.partitions; ++index) {
    topic->partitions.push_back(open_partition(topic->name, index, topic->settings, now));
  }
  return topic;
}

// A partition that cannot be opened does not stop the others.
std::shared_ptr<Partition> Broker::open_partition(const std::string& topic, std::int32_t index,
                                                  const TopicSettings& settings, Moment now) {
  auto log = storage::PartitionLog::open(directory_->partition_path(topic, index), log_config(settings),
                                         directory_->open_mode(topic, index), now.wall_ms);
  if (!log) {
    base::log::error(log.error().message, {{"topic", topic}, {"partition", index}, {"state", "offline"}});
  } else {
    const storage::RecoveryReport& recovery = (*log)->recovery();
    if (recovery.checked_batches > 0) {
      base::log::info("log checked after a stop that was not clean", {{"topic", topic},
                                                                      {"partition", index},
                                                                      {"batches", recovery.checked_batches},
                                                                      {"end_offset", (*log)->end_offset()}});
    }
    for (const std::string& note : recovery.notes) base::log::warning(note, {{"topic", topic}, {"partition", index}});
  }
  auto partition = std::make_shared<Partition>(topic, index, log ? std::move(*log) : nullptr, settings,
                                               settings_.flush_policy(), flushes_);
  partition->recover(now);
  return partition;
}

std::expected<void, TopicFault> Broker::room_for(std::int64_t partitions) const {
  std::int64_t open = 0;
  for (const TopicPointer& topic : topics_.all()) open += static_cast<std::int64_t>(topic->partitions.size());
  if (partitions <= settings_.most_partitions - open) return {};
  return fault(
      ErrorCode::policy_violation,
      fmt::format("there are {} partitions, and with {} more there would be over {}, for which this process may "
                  "not open files enough; raise `ulimit -n`, or delete topics",
                  open, partitions, settings_.most_partitions));
}

Broker::Changed Broker::create_topic(const NewTopic& wanted, bool validate_only, Moment now) {
  if (!storage::is_valid_topic_name(wanted.name)) {
    return fault(ErrorCode::invalid_topic_exception,
                 "a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ - and is neither . nor ..");
  }
  if (is_internal_topic(wanted.name) && !wanted.internal) return reserved(wanted.name);
  const std::int64_t count = wanted.partitions == -1 ? settings_.num_partitions : wanted.partitions;
  if (count < 1 || count > find_property("num.partitions")->most) {
    return fault(ErrorCode::invalid_partitions,
                 fmt::format("a topic has 1 to {} partitions", find_property("num.partitions")->most));
  }
  const bool possible = wanted.replication_factor == 1 || wanted.replication_factor == -1;
  if (!possible && (wanted.replication_factor < 1 || !settings_.any_replication_factor)) {
    return fault(ErrorCode::invalid_replication_factor, "there is one broker, so the replication factor is 1");
  }
  auto settings = topic_settings(settings_, wanted.overrides);
  if (!settings) return fault(ErrorCode::invalid_config, settings.error());

  const std::scoped_lock lock(changing_topics_);
  if (topics_.find(wanted.name)) {
    return fault(ErrorCode::topic_already_exists, fmt::format("topic {} exists", wanted.name));
  }
  auto topic = std::make_shared<Topic>(Topic{.name = wanted.name,
                                             .id = validate_only ? protocol::Uuid{} : new_topic_id(random_),
                                             .settings = *settings,
                                             .overrides = wanted.overrides,
                                             .partitions = {}});
  topic->partitions.resize(static_cast<std::size_t>(count));
  if (auto room = room_for(count); !room) return std::unexpected(room.error());
  if (validate_only) return topic;
  if (auto done = directory_->create_topic(describe(*topic)); !done) {
    return fault(done.error());
  }
  for (std::int32_t index = 0; index < count; ++index) {
    topic->partitions[static_cast<std::size_t>(index)] = open_partition(topic->name, index, topic->settings, now);
  }
  if (!std::ranges::all_of(topic->partitions, [](const auto& partition) { return partition->offsets().has_value(); })) {
    Wakeups nobody_waits_yet;
    for (const auto& partition : topic->partitions) partition->retire(nobody_waits_yet);
    topic->partitions.clear();  // and with them most descriptors: undoing needs some
    const auto undone = directory_->delete_topic(wanted.name);
    if (!undone) base::log::error(undone.error().message, {{"topic", wanted.name}});
    flushes_.add(std::make_shared<Chore>(*this, &Broker::remove_deleted_files));
    return fault(ErrorCode::kafka_storage_error,
                 fmt::format("not every partition could be opened, and the topic was {}; the broker's diary says why",
                             undone ? "not created" : "left incomplete, until the next start"));
  }
  topics_.put(topic);
  return topic;
}

Broker::Changed Broker::internal_topic(std::string_view name, Moment now) {
  if (TopicPointer topic = topics_.find(name)) return topic;
  auto made = create_topic({.name = std::string(name),
                            .partitions = 1,
                            .replication_factor = 1,
                            .overrides = internal_topic_overrides(settings_, name),
                            .internal = true},
                           false, now);
  if (made) return made;
  if (TopicPointer topic = topics_.find(name)) return topic;  // somebody else was faster
  return made;
}

ErrorCode Broker::open_groups(Moment now) {
  return open_coordinator(groups_, kConsumerOffsetsTopic, now);
}

ErrorCode Broker::open_transactions(Moment now) {
  return open_coordinator(transactions_, kTransactionStateTopic, now);
}

template <class Coordinator>
ErrorCode Broker::open_coordinator(Coordinator& coordinator, std::string_view name, Moment now) {
  if (coordinator.availability() != ErrorCode::not_coordinator) return coordinator.availability();
  const auto topic = internal_topic(name, now);
  if (!topic) {
    base::log::error(topic.error().message, {{"topic", name}});
    return ErrorCode::coordinator_not_available;
  }
  (void)coordinator.load(*topic, buffers_, now);
  return coordinator.availability();
}

Broker::Changed Broker::grow_topic(std::string_view name, std::int32_t partitions, bool validate_only, Moment now) {
  if (is_internal_topic(name)) return reserved(name);
  const std::scoped_lock lock(changing_topics_);
  const TopicPointer before = topics_.find(name);
  if (!before) return fault(ErrorCode::unknown_topic_or_partition, fmt::format("there is no topic {}", name));
  const std::size_t had = before->partitions.size();
  if (partitions <= 0 || static_cast<std::size_t>(partitions) <= had ||
      partitions > find_property("num.partitions")->most) {
    return fault(ErrorCode::invalid_partitions,
                 fmt::format("topic {} has {} partitions; it can only get more, up to {}", name, had,
                             find_property("num.partitions")->most));
  }
  if (auto room = room_for(partitions - static_cast<std::int64_t>(had)); !room) return std::unexpected(room.error());
  auto topic = std::make_shared<Topic>(*before);
  topic->partitions.resize(static_cast<std::size_t>(partitions));
  if (validate_only) return topic;
  if (auto done = directory_->update_topic(describe(*topic)); !done) {
    return fault(done.error());
  }
  for (std::size_t index = had; index < topic->partitions.size(); ++index) {
    topic->partitions[index] = open_partition(topic->name, static_cast<std::int32_t>(index), topic->settings, now);
  }
  topics_.put(topic);
  for (std::size_t index = had; index < topic->partitions.size(); ++index) {
    if (topic->partitions[index]->offsets()) continue;
    return fault(ErrorCode::kafka_storage_error,
                 fmt::format("topic {} has {} partitions now, but partition {} could not be opened and is offline; the "
                             "broker's diary says why, and its next start tries again",
                             name, partitions, index));
  }
  return topic;
}

std::expected<void, TopicFault> Broker::delete_topic(std::string_view name) {
  if (!settings_.delete_topics) return fault(ErrorCode::topic_deletion_disabled, "delete.topic.enable is false");
  if (is_internal_topic(name)) return reserved(name);
  Wakeups wakeups;  // declared first: it rings when the lock is released
  {
    const std::scoped_lock lock(changing_topics_);
    const TopicPointer topic = topics_.find(name);
    if (!topic) return fault(ErrorCode::unknown_topic_or_partition, fmt::format("there is no topic {}", name));
    for (const auto& partition : topic->partitions) partition->retire(wakeups);
    // If this fails, the topic stays in the table, to be deleted once more: what is left of it serves nobody.
    if (auto done = directory_->delete_topic(name); !done) return fault(done.error());
    topics_.remove(name);
  }
  flushes_.add(std::make_shared<Chore>(*this, &Broker::remove_deleted_files));
  return {};
}

std::int64_t Broker::run_timers(Moment now) {
  {
    Wakeups due;
    deadlines_.collect_due(now.steady_ms, due);
  }
  if (now.steady_ms >= retention_due_ms_) {
    flushes_.add(std::make_shared<Chore>(*this, &Broker::apply_retention));
    retention_due_ms_ = Deadlines::after(now.steady_ms, settings_.retention_check_interval_ms);
  }
  if (now.steady_ms >= expiry_due_ms_) {
    flushes_.add(std::make_shared<Chore>(*this, &Broker::expire_offsets));
    expiry_due_ms_ = Deadlines::after(now.steady_ms, settings_.offsets_retention_check_interval_ms);
  }
  if (now.steady_ms >= cleaning_due_ms_) {
    order_cleaning();
    cleaning_due_ms_ = Deadlines::after(now.steady_ms, settings_.cleaner_backoff_ms);
  }
  if (now.steady_ms >= id_expiry_due_ms_) {
    flushes_.add(std::make_shared<Chore>(*this, &Broker::expire_transactional_ids));
    id_expiry_due_ms_ = Deadlines::after(now.steady_ms, settings_.transaction_expiry_interval_ms);
  }
  std::int64_t coordinators_due_ms = Deadlines::kNever;
  {
    Wakeups wakeups;
    coordinators_due_ms = std::min(groups_.run_timers({now, wakeups}), transactions_.run_timers({now, wakeups}));
  }
  return std::min(
      {deadlines_.next(), retention_due_ms_, expiry_due_ms_, id_expiry_due_ms_, cleaning_due_ms_, coordinators_due_ms});
}

void Broker::expire_offsets(Moment now) {
  Wakeups wakeups;
  groups_.expire_offsets({now, wakeups});
}

void Broker::expire_transactional_ids(Moment now) {
  Wakeups wakeups;
  transactions_.expire({now, wakeups});
}

void Broker::apply_retention(Moment now) {
  for (const TopicPointer& topic : topics_.all()) {
    for (const auto& partition : topic->partitions) {
      (void)partition->apply_retention(now, settings_.producer_id_expiration_ms);
      partition->save_producers();
    }
  }
  if (auto done = directory_->write_checkpoints(checkpoints()); !done) base::log::error(done.error().message);
}

void Broker::remove_deleted_files(Moment) {
  if (auto done = directory_->remove_deleted(); !done) base::log::error(done.error().message);
}

void Broker::run_flushes(Moment now) {
  for (const auto& work : flushes_.take_work()) {
    try {
      work->run(now);
    } catch (const std::exception& error) {
      base::log::error("work that waits for the disk was given up", {{"why", error.what()}});
    }
  }
  for (const auto& partition : flushes_.take_due(now.steady_ms)) {
    Wakeups wakeups;  // rung for each partition: nobody waits for the disk on behalf of another
    partition->flush(wakeups);
  }
}

std::vector<storage::PartitionCheckpoint> Broker::checkpoints() const {
  std::vector<storage::PartitionCheckpoint> all;
  for (const TopicPointer& topic : topics_.all()) {
    for (const auto& partition : topic->partitions) {
      // A partition that could not be opened keeps what was known, or the next start would cut away its damage.
      const auto before = directory_->open_mode(topic->name, partition->index());
      const auto known =
          partition->checkpoint().value_or(Partition::Checkpoint{before.recovery_point, before.log_start_offset});
      all.push_back({topic->name, partition->index(), known.recovery_point, known.log_start_offset});
    }
  }
  return all;
}

bool Broker::close() {
  bool clean = !flushes_.failed();
  std::vector<storage::PartitionCheckpoint> closed;  // without those that could not even be opened: nothing is known
  for (const TopicPointer& topic : topics_.all()) {
    for (const auto& partition : topic->partitions) {
      if (!partition->close()) {
        clean = false;
      } else if (const auto known = partition->checkpoint()) {
        closed.push_back({topic->name, partition->index(), known->recovery_point, known->log_start_offset});
      }
    }
  }
  // One log that could not be closed has to be scanned by the next start; the others need not suffer with it.
  const auto done = flushes_.failed() ? directory_->write_checkpoints(checkpoints()) : directory_->mark_clean(closed);
  if (!done) base::log::error(done.error().message);
  return clean && done;
}

}  // namespace iolab::core
