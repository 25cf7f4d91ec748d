// The files of a data directory, apart from the logs: small texts, always replaced as a whole.
#include "broker/storage/log_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <limits>
#include <ranges>

#include "broker/storage/directory_texts.h"

namespace iolab::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLockName = ".lock";
constexpr std::string_view kMetaName = "meta.properties";
constexpr std::string_view kTopicsName = "topics";
constexpr std::string_view kCleanName = ".kafka_cleanshutdown";
constexpr std::string_view kRecoveryPointsName = "recovery-point-offset-checkpoint";
constexpr std::string_view kStartOffsetsName = "log-start-offset-checkpoint";
constexpr std::string_view kDeletedSuffix = "-delete";
constexpr std::string_view kTopicDeletedSuffix = ".delete";

std::unexpected<StorageError> error_of(StorageFault fault, std::string message) {
  return std::unexpected(StorageError{fault, std::move(message)});
}

std::string partition_name(std::string_view topic, std::int32_t partition) {
  return fmt::format("{}-{}", topic, partition);
}

Expected<void> check_description(const TopicDescription& topic) {
  if (!is_valid_topic_name(topic.name))
    return error_of(
        StorageFault::invalid_name,
        fmt::format("the topic name {} is not allowed: it needs 1 to 249 of the characters a-z A-Z 0-9 . _ -",
                    in_quotes(topic.name)));
  if (topic.partitions < 1 || topic.partitions > kMostPartitions)
    return error_of(StorageFault::invalid_name, fmt::format("topic {} cannot have {} partitions: 1 to {} are possible",
                                                            topic.name, topic.partitions, kMostPartitions));
  return {};
}

}  // namespace

bool is_valid_topic_name(std::string_view name) {
  constexpr std::size_t kMostCharacters = 249;
  if (name.empty() || name.size() > kMostCharacters || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
}

Expected<std::unique_ptr<LogDirectory>> LogDirectory::open(const fs::path& path, const DirectoryIdentity& for_new,
                                                           FileHooks hooks) {
  std::unique_ptr<LogDirectory> directory(new LogDirectory(fs::absolute(path), hooks));
  if (auto done = directory->make_itself(); !done) return std::unexpected(done.error());
  if (auto done = directory->take_lock(); !done) return std::unexpected(done.error());
  if (auto done = directory->read_identity(for_new); !done) return std::unexpected(done.error());
  if (auto done = directory->read_topics(); !done) return std::unexpected(done.error());
  if (auto done = directory->read_checkpoints(); !done) return std::unexpected(done.error());
  if (auto done = directory->make_partition_directories(); !done) return std::unexpected(done.error());
  return directory;
}

Expected<void> LogDirectory::make_itself() {
  std::vector<fs::path> missing;
  std::error_code error;
  for (fs::path path = path_; !fs::exists(path, error) && path.has_relative_path(); path = path.parent_path())
    missing.push_back(path);
  for (const fs::path& path : missing | std::views::reverse) {
    if (auto done = make_directory(path); !done) return done;
    if (auto done = sync_directory(path.parent_path(), hooks_); !done) return done;
  }
  return {};
}

Expected<void> LogDirectory::take_lock() {
  auto file = File::open(path_ / kLockName, File::Mode::create, hooks_);
  if (!file) return std::unexpected(file.error());
  if (::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0)
    return error_of(errno == EWOULDBLOCK ? StorageFault::refused : StorageFault::io,
                    fmt::format("the data directory {} is in use by another broker; stop that one, or choose another "
                                "directory with log.dirs",
                                path_.string()));
  lock_file_ = std::move(*file);  // the lock lasts as long as the descriptor
  return {};
}

Expected<void> LogDirectory::read_identity(const DirectoryIdentity& for_new) {
  const auto text = read_file(path_ / kMetaName, hooks_);
  if (!text && text.error().fault != StorageFault::not_found) return std::unexpected(text.error());
  if (!text) {
    if (auto done = refuse_foreign_files(); !done) return done;
    identity_ = for_new;
    return replace_file(path_ / kMetaName, identity_text(identity_), hooks_);
  }
  const auto found = parse_identity(*text);
  if (!found)
    return error_of(found.error().fault, fmt::format("the data directory {} cannot be used: its {} {}", path_.string(),
                                                     kMetaName, found.error().message));
  if (found->node_id != for_new.node_id)
    return error_of(StorageFault::refused,
                    fmt::format("the data directory {} belongs to node {}, but node.id is {}; set "
                                "node.id={}, or choose another directory with log.dirs",
                                path_.string(), found->node_id, for_new.node_id, found->node_id));
  identity_ = *found;
  return {};
}

Expected<void> LogDirectory::refuse_foreign_files() const {
  const auto names = list_directory(path_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (name.starts_with('.') || name == "lost+found" || name.starts_with(kMetaName)) continue;
    return error_of(
        StorageFault::refused,
        fmt::format("the directory {} holds {} and no {}, so it is not a data directory of iolab; choose an "
                    "empty or new one with log.dirs",
                    path_.string(), in_quotes(name), kMetaName));
  }
  return {};
}

Expected<void> LogDirectory::read_topics() {
  if (auto done = make_directory(path_ / kTopicsName); !done) return done;
  const auto names = list_directory(path_ / kTopicsName);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names)
    if (auto done = read_topic(name); !done) return done;
  return {};
}

Expected<void> LogDirectory::read_topic(const std::string& file_name) {
  const fs::path file = path_ / kTopicsName / file_name;
  // A write that a crash interrupted: what it should have replaced is still there.
  if (file_name.ends_with(".tmp")) return remove_file(file, hooks_);
  const auto text = read_file(file, hooks_);
  if (!text) return std::unexpected(text.error());
  const auto topic = parse_topic(*text);
  std::string fault = topic ? "" : topic.error().message;
  if (topic && !check_description(*topic)) fault = "its name or its number of partitions is not possible";
  if (fault.empty() && file_name.ends_with(kTopicDeletedSuffix)) {
    notes_.push_back(fmt::format("finished the deletion of topic {}", topic->name));
    if (auto done = set_aside(*topic); !done) return done;
    if (auto done = remove_file(file, hooks_); !done) return done;
    return sync_directory(path_ / kTopicsName, hooks_);
  }
  if (fault.empty() && !topics_.emplace(topic->name, *topic).second) fault = "another one has the same name";
  if (fault.empty()) return {};
  return error_of(
      StorageFault::corrupt,
      fmt::format("the topic description {} is damaged: {}; restore it from a copy, or delete it together with "
                  "the directories of its partitions",
                  file.string(), fault));
}

Expected<std::map<LogDirectory::PartitionKey, std::int64_t>> LogDirectory::read_offsets(std::string_view file_name) {
  const auto text = read_file(path_ / file_name, hooks_);
  if (!text && text.error().fault == StorageFault::not_found) return {};
  if (!text) return std::unexpected(text.error());
  auto offsets = parse_offsets(*text);
  if (offsets) return offsets;
  notes_.push_back(fmt::format("{} is damaged: {}; it is not used, so logs are recovered by reading all of them",
                               (path_ / file_name).string(), offsets.error().message));
  return {};
}

Expected<void> LogDirectory::read_checkpoints() {
  const auto recovery_points = read_offsets(kRecoveryPointsName);
  if (!recovery_points) return std::unexpected(recovery_points.error());
  const auto start_offsets = read_offsets(kStartOffsetsName);
  if (!start_offsets) return std::unexpected(start_offsets.error());
  const auto clean = read_offsets(kCleanName);
  if (!clean) return std::unexpected(clean.error());
  for (const auto& [partition, offset] : *start_offsets) partitions_[partition].log_start_offset = offset;
  for (const auto& [partition, offset] : *recovery_points) {
    OpenMode& mode = partitions_[partition];
    mode.recovery_point = offset;
    // The marker vouches for the checkpoints that were written with it, and for no others.
    const auto marked = clean->find(partition);
    mode.after_clean_stop = marked != clean->end() && marked->second == offset && start_offsets->contains(partition);
  }
  std::error_code error;
  stopped_cleanly_ = fs::exists(path_ / kCleanName, error);
  if (!stopped_cleanly_) return {};
  // From now on files may change: unless the marker is gone from the disk, the next crash would look like a clean stop.
  if (auto done = remove_file(path_ / kCleanName, hooks_); !done) return done;
  return sync_directory(path_, hooks_);
}

// Should a power cut have taken directories that were synced: without records nothing is lost by making them again.
Expected<void> LogDirectory::make_partition_directories() {
  bool made = false;
  for (const TopicDescription& topic : topics_ | std::views::values)
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
      std::error_code error;
      const fs::path directory = partition_path(topic.name, partition);
      if (fs::is_directory(directory, error)) continue;
      if (open_mode(topic.name, partition).recovery_point > 0) continue;  // it was there: its log will say so
      if (auto done = make_directory(directory); !done) return done;
      made = true;
    }
  return made ? sync_directory(path_, hooks_) : Expected<void>();
}

std::vector<TopicDescription> LogDirectory::topics() const {
  const std::lock_guard lock(mutex_);
  const auto all = topics_ | std::views::values;
  return {all.begin(), all.end()};
}

fs::path LogDirectory::partition_path(std::string_view topic, std::int32_t partition) const {
  return path_ / partition_name(topic, partition);
}

OpenMode LogDirectory::open_mode(std::string_view topic, std::int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = partitions_.find(PartitionKey(topic, partition));
  return found != partitions_.end() ? found->second : OpenMode{};
}

Expected<void> LogDirectory::create_topic(const TopicDescription& topic) {
  if (auto done = check_description(topic); !done) return done;
  const std::lock_guard lock(mutex_);
  if (topics_.contains(topic.name))
    return error_of(StorageFault::exists, fmt::format("topic {} exists already", topic.name));
  for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
    std::error_code error;
    const fs::path directory = partition_path(topic.name, partition);
    if (fs::exists(directory, error) && !fs::is_empty(directory, error))
      return error_of(
          StorageFault::exists,
          fmt::format("topic {} cannot be created: {} is not empty, although no such topic is known; move it "
                      "away first",
                      topic.name, directory.string()));
  }
  return write_topic(topic);
}

Expected<void> LogDirectory::update_topic(const TopicDescription& topic) {
  if (auto done = check_description(topic); !done) return done;
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic.name);
  if (found == topics_.end() || found->second.id != topic.id)
    return error_of(StorageFault::not_found, fmt::format("topic {} does not exist", topic.name));
  if (topic.partitions < found->second.partitions)
    return error_of(StorageFault::invalid_name, fmt::format("topic {} has {} partitions; their number can only grow",
                                                            topic.name, found->second.partitions));
  return write_topic(topic);
}

// The directories come first: once the description is there, so is everything that it describes.
Expected<void> LogDirectory::write_topic(const TopicDescription& topic) {
  const auto known = topics_.find(topic.name);
  const bool is_new = known == topics_.end();
  for (std::int32_t partition = is_new ? 0 : known->second.partitions; partition < topic.partitions; ++partition)
    if (auto done = make_directory(partition_path(topic.name, partition)); !done) return done;
  if (auto done = sync_directory(path_, hooks_); !done) return done;
  if (auto done = replace_file(topic_file(topic), topic_text(topic), hooks_); !done) {
    // Nobody may find a topic at the next start whose creation was refused in this one.
    if (is_new) (void)remove_file(topic_file(topic), hooks_);
    return done;
  }
  topics_.insert_or_assign(topic.name, topic);
  return {};
}

Expected<void> LogDirectory::delete_topic(std::string_view name) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  if (found == topics_.end())
    return error_of(StorageFault::not_found, fmt::format("topic {} does not exist", in_quotes(name)));
  const TopicDescription& topic = found->second;
  // First of all: a checkpoint that outlives its topic would speak of the next one of that name.
  const auto known = partitions_;
  std::erase_if(partitions_, [&](const auto& partition) { return partition.first.first == topic.name; });
  if (auto done = replace_checkpoints({}); !done) {
    partitions_ = known;
    return done;
  }
  fs::path aside = topic_file(topic);
  aside += kTopicDeletedSuffix;
  // From this rename on the topic is deleted; a crash in what follows is finished by the next start.
  const auto renamed = rename_path(topic_file(topic), aside, hooks_);
  if (!renamed && renamed.error().fault != StorageFault::not_found) return renamed;
  if (auto done = sync_directory(path_ / kTopicsName, hooks_); !done) return done;
  if (auto done = set_aside(topic); !done) return done;
  if (auto done = remove_file(aside, hooks_); !done) return done;
  // Before the name is free again: else a crash could bring the deletion back, to a new topic of that name.
  if (auto done = sync_directory(path_ / kTopicsName, hooks_); !done) return done;
  topics_.erase(found);
  return {};
}

Expected<void> LogDirectory::set_aside(const TopicDescription& topic) {
  for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
    const fs::path aside = path_ / fmt::format("{}-{}{}", hex_of(topic.id), partition, kDeletedSuffix);
    const auto done = rename_path(partition_path(topic.name, partition), aside, hooks_);
    if (!done && done.error().fault != StorageFault::not_found) return done;
  }
  return sync_directory(path_, hooks_);
}

// Nobody else looks at directories that were set aside, so this needs no lock.
Expected<void> LogDirectory::remove_deleted() {
  const auto names = list_directory(path_);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.ends_with(kDeletedSuffix)) continue;
    const auto files = list_directory(path_ / name);
    if (!files) return std::unexpected(files.error());
    for (const std::string& file : *files)
      if (auto done = remove_file(path_ / name / file, hooks_); !done) return done;
    if (auto done = remove_directory(path_ / name); !done) return done;
  }
  return {};
}

Expected<void> LogDirectory::write_checkpoints(std::span<const PartitionCheckpoint> partitions) {
  const std::lock_guard lock(mutex_);
  return replace_checkpoints(partitions);
}

Expected<void> LogDirectory::mark_clean(std::span<const PartitionCheckpoint> partitions) {
  const std::lock_guard lock(mutex_);
  if (auto done = replace_checkpoints(partitions); !done) return done;
  PartitionOffsets clean;
  for (const PartitionCheckpoint& partition : partitions)
    clean[{partition.topic, partition.partition}] = partition.recovery_point;
  return replace_file(path_ / kCleanName, offsets_text(clean), hooks_);
}

Expected<void> LogDirectory::replace_checkpoints(std::span<const PartitionCheckpoint> partitions) {
  for (const PartitionCheckpoint& partition : partitions) {
    if (!topics_.contains(partition.topic)) continue;  // deleted meanwhile
    OpenMode& mode = partitions_[{partition.topic, partition.partition}];
    mode.recovery_point = partition.recovery_point;
    mode.log_start_offset = partition.log_start_offset;
  }
  PartitionOffsets recovery_points;
  PartitionOffsets start_offsets;
  for (const auto& [partition, mode] : partitions_) {
    recovery_points[partition] = mode.recovery_point;
    start_offsets[partition] = mode.log_start_offset;
  }
  // The start first: a recovery point above it is nothing new, one below would ask for what was deleted.
  if (auto done = replace_file(path_ / kStartOffsetsName, offsets_text(start_offsets), hooks_); !done) return done;
  return replace_file(path_ / kRecoveryPointsName, offsets_text(recovery_points), hooks_);
}

fs::path LogDirectory::topic_file(const TopicDescription& topic) const {
  return path_ / kTopicsName / hex_of(topic.id);
}

}  // namespace iolab::storage
