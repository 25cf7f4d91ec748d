// Groups as a whole: described, listed, deleted, and what age and deleted topics take from them.
#include <algorithm>

#include "broker/base/bytes.h"
#include "broker/core/groups/coordinator.h"
#include "broker/protocol/codec.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

constexpr std::int64_t kMinuteMs = 60'000;

// The beginning of a consumer's subscription, which is the same in all of its versions.
struct Subscription {
  std::vector<std::string> topics;

  static constexpr void fields(auto&& field) { field("topics", &Subscription::topics); }
};

}  // namespace

std::optional<std::vector<std::string>> subscribed_topics(const SharedBytes& subscription) {
  if (!subscription || subscription->size() < sizeof(std::int16_t)) return std::nullopt;
  protocol::Decoder decoder(base::Bytes(*subscription).subspan(sizeof(std::int16_t)), 0, false);
  Subscription read;
  decoder.message(read);
  if (!decoder.ok()) return std::nullopt;
  return std::move(read.topics);
}

GroupDescription GroupCoordinator::describe(const std::string& group) const {
  GroupDescription description{.group = group};
  const std::scoped_lock lock(mutex_);
  const Entry* entry = find(group);
  if (entry == nullptr) return description;
  const Group& found = entry->group;
  const bool stable = found.state() == Group::State::stable;
  description.state = name_of(found.state());
  description.protocol_type = found.protocol_type();
  if (stable) description.protocol = found.protocol_name();
  for (const auto& [id, member] : found.members()) {
    description.members.push_back({id, member.instance_id, member.client_id, member.client_host,
                                   stable ? found.metadata_of(member, found.protocol_name()) : nullptr,
                                   stable ? member.assignment : nullptr});
  }
  return description;
}

std::vector<GroupDescription> GroupCoordinator::list() const {
  std::vector<GroupDescription> all;
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, entry] : groups_) {
    all.push_back({.group = name,
                   .state = std::string(name_of(entry->group.state())),
                   .protocol_type = entry->group.protocol_type()});
  }
  return all;
}

bool GroupCoordinator::forget(Entry& entry, const std::vector<TopicPartition>& offsets, bool group_too,
                              const std::shared_ptr<CommitWait>& wait, GroupCall& call) {
  std::vector<InternalRecord> records;
  for (const TopicPartition& where : offsets) {
    if (auto record = record_of(OffsetCommitKey{entry.name, where.topic, where.partition}, nullptr)) {
      records.push_back(std::move(*record));
    }
  }
  if (group_too && entry.group.generation() > 0) {
    if (auto record = record_of(GroupMetadataKey{entry.name}, nullptr)) records.push_back(std::move(*record));
  }
  if (!records.empty() && !log_.append(records, call.now, wait, call.wakeups)) return false;
  for (const TopicPartition& where : offsets) entry.offsets.forget(where);
  return true;
}

ErrorCode GroupCoordinator::delete_group(const std::string& group, const std::shared_ptr<CommitWait>& wait,
                                         GroupCall call) {
  if (const ErrorCode code = availability(); code != ErrorCode::none) return code;
  const std::scoped_lock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return ErrorCode::group_id_not_found;
  Entry& entry = *found->second;
  if (entry.group.state() != Group::State::empty) return ErrorCode::non_empty_group;
  std::vector<TopicPartition> offsets;
  for (const auto& [where, offset] : entry.offsets.all()) offsets.push_back(where);
  if (!forget(entry, offsets, true, wait, call)) return ErrorCode::not_coordinator;
  erase(found);
  return ErrorCode::none;
}

void GroupCoordinator::forget_topic(std::string_view topic, GroupCall call) {
  if (availability() != ErrorCode::none) return;
  const std::scoped_lock lock(mutex_);
  for (const auto& [name, entry] : groups_) {
    std::vector<TopicPartition> gone;
    for (const auto& [where, offset] : entry->offsets.all()) {
      if (where.topic == topic) gone.push_back(where);
    }
    for (TopicPartition& where : entry->offsets.pending()) {
      if (where.topic == topic && entry->offsets.find(where) == nullptr) gone.push_back(std::move(where));
    }
    if (!gone.empty()) (void)forget(*entry, gone, false, nullptr, call);
  }
}

// While members read a topic its offsets stay; those of an empty group age from the moment it became empty, those of
// somebody who never had members from their commit.
std::vector<TopicPartition> GroupCoordinator::expired_offsets(const Entry& entry, Moment now) const {
  const Group& group = entry.group;
  const std::int64_t retention_ms = settings_.offsets_retention_minutes * kMinuteMs;
  const bool had_members = !group.protocol_type().empty();
  std::set<std::string> subscribed;
  if (group.state() != Group::State::empty) {
    if (group.protocol_type() != "consumer" || group.state() != Group::State::stable) return {};
    for (const auto& [id, member] : group.members()) {
      const auto topics = subscribed_topics(group.metadata_of(member, group.protocol_name()));
      if (!topics) return {};
      subscribed.insert(topics->begin(), topics->end());
    }
  }
  std::vector<TopicPartition> expired;
  for (const auto& [where, offset] : entry.offsets.all()) {
    if (subscribed.contains(where.topic) || entry.offsets.is_pending(where)) continue;
    std::int64_t since = offset.value.commit_timestamp;
    if (group.state() == Group::State::empty && had_members && group.state_since_wall_ms() >= 0) {
      since = std::max(since, group.state_since_wall_ms());
    }
    const bool over = offset.value.expire_timestamp >= 0 ? now.wall_ms >= offset.value.expire_timestamp
                                                         : now.wall_ms - since >= retention_ms;
    if (over) expired.push_back(where);
  }
  return expired;
}

void GroupCoordinator::expire_offsets(GroupCall call) {
  if (availability() != ErrorCode::none) return;
  const std::scoped_lock lock(mutex_);
  for (auto entry = groups_.begin(); entry != groups_.end();) {
    Entry& group = *entry->second;
    const auto expired = expired_offsets(group, call.now);
    const bool all = expired.size() == group.offsets.all().size() && group.offsets.pending().empty();
    const bool ends = all && group.group.state() == Group::State::empty && !group.group.has_pending_members();
    const bool done = (expired.empty() && !ends) || forget(group, expired, ends, nullptr, call);
    entry = done && ends ? erase(entry) : std::next(entry);
  }
}

}  // namespace iolab::core
