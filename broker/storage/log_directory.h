// A broker's data directory: who may use it, which topics exist, where their partitions lie, and what was known to be
// on the disk when it was last used. FORMAT.md describes every file.
//
// A topic exists from the moment its description is durable, and is gone from the moment that description is renamed
// away: a crash in between is finished at the next start. Names become paths only here, and only after Kafka's rule.
//
// Threads: any; an own mutex orders the calls. All of them may wait for the disk: call them with no lock of yours held.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/storage/file.h"
#include "broker/storage/partition_log.h"
#include "broker/storage/storage_error.h"

namespace iolab::storage {

using TopicId = std::array<std::byte, 16>;

struct TopicDescription {
  std::string name;
  TopicId id{};
  std::int32_t partitions = 1;
  std::map<std::string, std::string> configs;  // what was set for this topic, by Kafka's property names
};

// Whose directory it is (meta.properties).
struct DirectoryIdentity {
  std::string cluster_id;
  std::int32_t node_id = 1;
};

struct PartitionCheckpoint {
  std::string topic;
  std::int32_t partition = 0;
  std::int64_t recovery_point = 0;    // PartitionLog::synced_offset()
  std::int64_t log_start_offset = 0;  // PartitionLog::start_offset()
};

// Kafka's rule for topic names: 1 to 249 of [a-zA-Z0-9._-], and neither "." nor "..".
bool is_valid_topic_name(std::string_view name);

class LogDirectory {
 public:
  // Creates what is missing, takes the lock file, reads everything, finishes interrupted deletions. `for_new` is
  // written into a new directory; an existing one keeps its cluster id, and is refused if its node id differs.
  static Expected<std::unique_ptr<LogDirectory>> open(const std::filesystem::path& path,
                                                      const DirectoryIdentity& for_new, FileHooks hooks = {});

  const std::filesystem::path& path() const { return path_; }
  const DirectoryIdentity& identity() const { return identity_; }
  bool stopped_cleanly() const { return stopped_cleanly_; }
  // Sentences about what was found and done at open.
  const std::vector<std::string>& notes() const { return notes_; }

  std::vector<TopicDescription> topics() const;
  std::filesystem::path partition_path(std::string_view topic, std::int32_t partition) const;
  // How PartitionLog::open() should take that partition when the broker starts.
  OpenMode open_mode(std::string_view topic, std::int32_t partition) const;

  Expected<void> create_topic(const TopicDescription& topic);
  // More partitions (never fewer) or other configs for a topic that exists; name and id stay.
  Expected<void> update_topic(const TopicDescription& topic);
  // After it returns, the topic is gone for good and its name free. Take its logs offline first: they know their
  // directories by name. The files wait for remove_deleted(). After an error it may be called again.
  Expected<void> delete_topic(std::string_view name);
  // Removes the files of deleted topics; may take long. Readers that pinned a segment are not disturbed.
  Expected<void> remove_deleted();

  // Writes the checkpoints (recovery points, log start offsets) of all partitions; those not named keep what they had.
  Expected<void> write_checkpoints(std::span<const PartitionCheckpoint> partitions);
  // The last act of a clean stop. `partitions` are those whose logs were closed without error: the next start will not
  // scan them. Leave out what is offline.
  Expected<void> mark_clean(std::span<const PartitionCheckpoint> partitions);

 private:
  using PartitionKey = std::pair<std::string, std::int32_t>;

  LogDirectory(std::filesystem::path path, FileHooks hooks) : path_(std::move(path)), hooks_(hooks) {}

  Expected<void> make_itself();
  Expected<void> take_lock();
  Expected<void> read_identity(const DirectoryIdentity& for_new);
  Expected<void> refuse_foreign_files() const;
  Expected<void> read_topics();
  Expected<void> read_topic(const std::string& file_name);
  Expected<std::map<PartitionKey, std::int64_t>> read_offsets(std::string_view file_name);
  Expected<void> read_checkpoints();
  Expected<void> make_partition_directories();
  Expected<void> write_topic(const TopicDescription& topic);
  Expected<void> set_aside(const TopicDescription& topic);
  Expected<void> replace_checkpoints(std::span<const PartitionCheckpoint> partitions);
  std::filesystem::path topic_file(const TopicDescription& topic) const;

  std::filesystem::path path_;
  FileHooks hooks_;
  File lock_file_;
  DirectoryIdentity identity_;
  bool stopped_cleanly_ = false;
  std::vector<std::string> notes_;
  mutable std::mutex mutex_;
  std::map<std::string, TopicDescription, std::less<>> topics_;
  std::map<PartitionKey, OpenMode> partitions_;  // what the checkpoints say
};

}  // namespace iolab::storage
