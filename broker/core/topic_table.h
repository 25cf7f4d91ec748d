// Which topics exist. Readers take a topic as it is at that moment and keep it as long as they like; changes replace
// the topic's entry, never its content.
//
// Threads: any. One shared mutex, held for a look-up or a replacement and for nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/partition.h"
#include "broker/core/settings.h"
#include "broker/protocol/field.h"

namespace iolab::core {

struct Topic {
  std::string name;
  protocol::Uuid id{};
  TopicSettings settings;
  Overrides overrides;  // what of the settings the topic has set for itself
  std::vector<std::shared_ptr<Partition>> partitions;

  // Nothing: the topic has no such partition.
  Partition* partition(std::int32_t index) const {
    const auto position = static_cast<std::size_t>(index);
    return index >= 0 && position < partitions.size() ? partitions[position].get() : nullptr;
  }
};

using TopicPointer = std::shared_ptr<const Topic>;  // null: no such topic

class TopicTable {
 public:
  TopicPointer find(std::string_view name) const {
    const std::shared_lock lock(mutex_);
    const auto found = topics_.find(name);
    return found == topics_.end() ? nullptr : found->second;
  }

  TopicPointer find(const protocol::Uuid& id) const {
    const std::shared_lock lock(mutex_);
    for (const auto& [name, topic] : topics_) {
      if (topic->id == id) return topic;
    }
    return nullptr;
  }

  std::vector<TopicPointer> all() const {  // by name
    const std::shared_lock lock(mutex_);
    std::vector<TopicPointer> topics;
    topics.reserve(topics_.size());
    for (const auto& [name, topic] : topics_) topics.push_back(topic);
    return topics;
  }

  void put(TopicPointer topic) {
    const std::unique_lock lock(mutex_);
    topics_.insert_or_assign(topic->name, topic);
  }

  void remove(std::string_view name) {
    const std::unique_lock lock(mutex_);
    if (const auto found = topics_.find(name); found != topics_.end()) topics_.erase(found);
  }

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, TopicPointer, std::less<>> topics_;
};

}  // namespace iolab::core
