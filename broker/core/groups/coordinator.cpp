#include "broker/core/groups/coordinator.h"

#include <fmt/format.h>

#include "broker/base/log.h"
#include "broker/protocol/transaction_marker.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

// Kafka's translation of what a log answers into what members understand.
ErrorCode for_members(ErrorCode code) {
  switch (code) {
    case ErrorCode::message_too_large: return ErrorCode::unknown_server_error;
    default: return ErrorCode::not_coordinator;
  }
}

}  // namespace

// The records of one group, appended with what the call brings along.
class GroupCoordinator::Journal final : public GroupJournal {
 public:
  Journal(GroupCoordinator& coordinator, std::string group, GroupCall& call)
      : coordinator_(coordinator), group_(std::move(group)), call_(call) {}

  ErrorCode append(const GroupMetadataValue& value) override {
    const auto record = record_of(GroupMetadataKey{group_}, &value);
    if (!record) return ErrorCode::unknown_server_error;
    const auto done = coordinator_.log_.append({&*record, 1}, call_.now, nullptr, call_.wakeups);
    if (done) return ErrorCode::none;
    base::log::error("a group's state could not be stored",
                     {{"group", group_}, {"error", static_cast<std::int16_t>(done.error())}});
    return for_members(done.error());
  }

  std::shared_ptr<CommitWait> commit_wait(const Wakeup& sleeper) override {
    if (!coordinator_.is_durable()) return nullptr;
    auto wait = std::make_shared<CommitWait>(sleeper);
    (void)wait->one_done(coordinator_.log_.await_sync(wait).has_value());
    return wait;
  }

 private:
  GroupCoordinator& coordinator_;
  const std::string group_;
  GroupCall& call_;
};

GroupCoordinator::GroupCoordinator(const BrokerSettings& settings, RandomSource& random, Deadlines& deadlines,
                                   const TopicTable& topics)
    : settings_(settings), random_(random), deadlines_(deadlines), topics_(topics) {}

ErrorCode GroupCoordinator::availability() const {
  switch (loading_.load()) {
    case Loading::not_yet: return ErrorCode::not_coordinator;
    case Loading::failed: return ErrorCode::coordinator_not_available;
    case Loading::done: return ErrorCode::none;
  }
  return ErrorCode::none;
}

std::expected<void, ErrorCode> GroupCoordinator::await_sync(const std::shared_ptr<CommitWait>& wait) {
  return log_.await_sync(wait);
}

bool GroupCoordinator::load(const TopicPointer& topic, base::BufferPool& buffers, Moment now) {
  {
    const std::scoped_lock lock(mutex_);
    if (loading_.load() != Loading::not_yet) return loading_.load() == Loading::done;
    log_.attach(topic->partitions.at(0), topic->settings.max_message_bytes);
    const auto done = log_.replay(
        buffers, [&](const protocol::BatchView& batch, const protocol::Record& record) { apply(batch, record, now); });
    if (!done) {
      base::log::error(done.error(), {{"state", "no group is coordinated"}});
      loading_.store(Loading::failed);
      return false;
    }
    for (auto entry = groups_.begin(); entry != groups_.end();) {
      const bool nothing = is_empty(*entry->second) && entry->second->group.generation() == 0;
      if (!nothing) schedule(*entry->second);
      entry = nothing ? erase(entry) : std::next(entry);
    }
    loading_.store(Loading::done);
  }
  std::set<std::string> absent;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [name, entry] : groups_) {
      for (const auto& [where, offset] : entry->offsets.all()) {
        if (!topics_.find(where.topic)) absent.insert(where.topic);
      }
    }
  }
  Wakeups nobody_waits_yet;
  for (const std::string& name : absent) forget_topic(name, {now, nobody_waits_yet});
  (void)change([] { return 0; });  // the timer thread learns of what was scheduled
  return true;
}

void GroupCoordinator::apply(const protocol::BatchView& batch, const protocol::Record& record, Moment now) {
  if (batch.is_control()) {
    if (const auto marker = protocol::marker_of(batch)) end(marker->producer_id, marker->commit);
    return;
  }
  auto read = read_record(record);
  if (const auto* unknown = std::get_if<UnknownRecord>(&read)) {
    base::log::warning("a record of the offsets topic was passed over",
                       {{"offset", record.offset}, {"why", unknown->why}});
  } else if (const auto* group = std::get_if<GroupRecord>(&read)) {
    Entry& entry = find_or_make(group->key.group);
    if (group->value) return entry.group.apply(*group->value, now.steady_ms);
    entry.group.apply({}, now.steady_ms);  // its offsets, if there are any, are still a group's
  } else {
    const auto& offset = std::get<OffsetRecord>(read);
    Entry& entry = find_or_make(offset.key.group);
    const TopicPartition where{offset.key.topic, offset.key.partition};
    if (!offset.value) return entry.offsets.forget(where);
    if (!batch.is_transactional()) return entry.offsets.apply(where, *offset.value, record.offset);
    entry.offsets.apply_pending(batch.producer_id(), where, *offset.value, record.offset);
    transactions_[batch.producer_id()].insert(entry.name);
  }
}

void GroupCoordinator::end(std::int64_t producer_id, bool commit) {
  const auto found = transactions_.find(producer_id);
  if (found == transactions_.end()) return;
  for (const std::string& group : found->second) {
    if (Entry* entry = find(group)) entry->offsets.end(producer_id, commit);
  }
  transactions_.erase(found);
}

GroupCoordinator::Entry* GroupCoordinator::find(std::string_view group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : found->second.get();
}

GroupCoordinator::Entry& GroupCoordinator::find_or_make(const std::string& group) {
  auto& entry = groups_[group];
  if (!entry) {
    entry = std::make_unique<Entry>(
        group, Group::Limits{settings_.group_initial_rebalance_delay_ms, settings_.group_max_size});
  }
  return *entry;
}

GroupCoordinator::Entries::iterator GroupCoordinator::erase(Entries::iterator entry) {
  agenda_.remove(*entry->second);
  return groups_.erase(entry);
}

// Only to an earlier time: what is put off is found out when its time comes.
template <class Body>
auto GroupCoordinator::with_group(Entry& entry, GroupCall& call, Body&& body) {
  Journal journal(*this, entry.name, call);
  GroupStep step{call.now, journal, call.wakeups};
  auto result = body(step);
  schedule(entry);
  return result;
}

bool GroupCoordinator::is_empty(const Entry& entry) const {
  return entry.group.state() == Group::State::empty && entry.group.members().empty() &&
         !entry.group.has_pending_members() && entry.offsets.empty();
}

// As a UUID, behind a name by which people recognise it.
std::string GroupCoordinator::new_member_id(const JoinAsk& ask) {
  const std::uint64_t high = (random_.next() & ~0xf000ULL) | 0x4000ULL;
  const std::uint64_t low = (random_.next() & ~(0xc0ULL << 56)) | (0x80ULL << 56);
  return fmt::format("{}-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", ask.who.instance_id.value_or(ask.client_id), high >> 32,
                     (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffff'ffff'ffffULL);
}

void GroupCoordinator::join(JoinAsk ask, const PendingJoin& pending, GroupCall call) {
  const auto refuse = [&](ErrorCode code) {
    pending->give({.error = code, .member_id = ask.who.member_id}, call.wakeups);
  };
  if (ask.group.empty()) return refuse(ErrorCode::invalid_group_id);
  if (const ErrorCode code = availability(); code != ErrorCode::none) return refuse(code);
  if (ask.session_timeout_ms < settings_.group_min_session_timeout_ms ||
      ask.session_timeout_ms > settings_.group_max_session_timeout_ms) {
    return refuse(ErrorCode::invalid_session_timeout);
  }
  ask.new_member_id = new_member_id(ask);
  (void)change([&] {
    Entry* entry = find(ask.group);
    if (entry == nullptr && !ask.who.member_id.empty()) {
      refuse(ErrorCode::unknown_member_id);
      return 0;
    }
    if (entry == nullptr) entry = &find_or_make(ask.group);
    return with_group(*entry, call, [&](GroupStep& step) {
      entry->group.join(ask, pending, step);
      return 0;
    });
  });
}

void GroupCoordinator::sync(const SyncAsk& ask, const PendingSync& pending, GroupCall call) {
  const auto refuse = [&](ErrorCode code) { pending->give({.error = code}, call.wakeups); };
  if (ask.group.empty()) return refuse(ErrorCode::invalid_group_id);
  if (const ErrorCode code = availability(); code != ErrorCode::none) return refuse(code);
  (void)change([&] {
    Entry* entry = find(ask.group);
    if (entry == nullptr) {
      refuse(ErrorCode::unknown_member_id);
      return 0;
    }
    return with_group(*entry, call, [&](GroupStep& step) {
      entry->group.sync(ask, pending, step);
      return 0;
    });
  });
}

ErrorCode GroupCoordinator::heartbeat(const std::string& group, const MemberClaim& who, std::int32_t generation,
                                      GroupCall call) {
  if (group.empty()) return ErrorCode::invalid_group_id;
  if (const ErrorCode code = availability(); code != ErrorCode::none) return code;
  const std::scoped_lock lock(mutex_);
  Entry* entry = find(group);
  return entry == nullptr ? ErrorCode::unknown_member_id : entry->group.heartbeat(who, generation, call.now.steady_ms);
}

std::vector<ErrorCode> GroupCoordinator::leave(const std::string& group, const std::vector<MemberClaim>& who,
                                               GroupCall call) {
  ErrorCode all = group.empty() ? ErrorCode::invalid_group_id : availability();
  if (all != ErrorCode::none) return std::vector<ErrorCode>(who.size(), all);
  return change([&] {
    std::vector<ErrorCode> results(who.size(), ErrorCode::unknown_member_id);
    Entry* entry = find(group);
    if (entry == nullptr) return results;
    return with_group(*entry, call, [&](GroupStep& step) {
      for (std::size_t i = 0; i < who.size(); ++i) results[i] = entry->group.leave(who[i], step);
      return results;
    });
  });
}

std::int64_t GroupCoordinator::run_timers(GroupCall call) {
  const std::scoped_lock lock(mutex_);
  return agenda_.run_due(call.now.steady_ms, [&](Entry& entry) {
    with_group(entry, call, [&](GroupStep& step) {
      entry.group.run_timers(step);
      return 0;
    });
  });
}

}  // namespace iolab::core
