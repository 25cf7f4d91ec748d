// What an administrator changes of topics that exist: their settings, and where their records begin.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "broker/base/log.h"
#include "broker/core/broker.h"
#include "broker/core/internal_log.h"

namespace iolab::core {

using protocol::ErrorCode;

storage::LogConfig Broker::log_config(const TopicSettings& topic) const {
  storage::LogConfig config;
  config.segment_bytes = topic.segment_bytes;
  // What is active is never compacted, so it has to be closed before its first record is too old for that.
  config.segment_ms = topic.compacts() ? std::min(topic.segment_ms, topic.max_compaction_lag_ms) : topic.segment_ms;
  config.segment_index_bytes = topic.segment_index_bytes;
  config.index_interval_bytes = static_cast<std::int32_t>(topic.index_interval_bytes);
  config.retention_ms = topic.deletes() ? topic.retention_ms : -1;
  config.retention_bytes = topic.deletes() ? topic.retention_bytes : -1;
  config.leader_epoch = kLeaderEpoch;
  config.read_ahead = settings_.fetch_read_ahead;
  config.hooks = hooks_;
  return config;
}

storage::TopicDescription Broker::describe(const Topic& topic) {
  storage::TopicDescription description{
      .name = topic.name, .id = {}, .partitions = static_cast<std::int32_t>(topic.partitions.size()), .configs = {}};
  std::memcpy(description.id.data(), topic.id.data(), topic.id.size());
  description.configs.insert(topic.overrides.begin(), topic.overrides.end());
  return description;
}

Broker::Changed Broker::alter_topic(std::string_view name, std::span<const ConfigChange> changes, bool only_these,
                                    bool validate_only) {
  const std::scoped_lock lock(changing_topics_);
  const TopicPointer before = topics_.find(name);
  if (!before) {
    return std::unexpected(
        TopicFault{ErrorCode::unknown_topic_or_partition, fmt::format("there is no topic {}", name)});
  }
  const auto overrides =
      change_overrides(settings_, before->settings, only_these ? Overrides{} : before->overrides, changes);
  if (!overrides) return std::unexpected(TopicFault{overrides.error().code, overrides.error().message});
  const auto settings = topic_settings(settings_, *overrides);
  if (!settings) return std::unexpected(TopicFault{ErrorCode::invalid_config, settings.error()});
  if (is_internal_topic(name) && settings->cleanup_policy != before->settings.cleanup_policy) {
    return std::unexpected(
        TopicFault{ErrorCode::policy_violation,
                   fmt::format("{} is the broker's own: with another cleanup.policy it would forget", name)});
  }
  auto topic = std::make_shared<Topic>(*before);
  topic->overrides = *overrides;
  topic->settings = *settings;
  if (validate_only) return topic;
  if (auto done = directory_->update_topic(describe(*topic)); !done) {
    return std::unexpected(TopicFault{error_code_of(done.error().fault), done.error().message});
  }
  for (const auto& partition : topic->partitions) partition->set_settings(*settings, log_config(*settings));
  topics_.put(topic);
  return topic;
}

std::vector<std::expected<std::int64_t, ErrorCode>> Broker::delete_records(std::span<const RecordsBefore> wanted,
                                                                           Moment now) {
  std::vector<std::expected<std::int64_t, ErrorCode>> answers;
  for (const RecordsBefore& asked : wanted) {
    const TopicPointer topic = topics_.find(asked.topic);
    Partition* const partition = topic ? topic->partition(asked.partition) : nullptr;
    if (is_internal_topic(asked.topic))
      answers.push_back(std::unexpected(ErrorCode::invalid_topic_exception));
    else if (partition == nullptr)
      answers.push_back(std::unexpected(ErrorCode::unknown_topic_or_partition));
    else if (!topic->settings.deletes())
      answers.push_back(std::unexpected(ErrorCode::policy_violation));
    else
      answers.push_back(partition->delete_before(asked.offset, now));
  }
  if (auto done = directory_->write_checkpoints(checkpoints()); !done) {
    base::log::error(done.error().message);
    for (auto& answer : answers) {
      if (answer) answer = std::unexpected(ErrorCode::kafka_storage_error);
    }
  }
  return answers;
}

storage::Expected<storage::DiskSpace> Broker::disk_space() const {
  return storage::disk_space(directory_->path());
}

}  // namespace iolab::core
