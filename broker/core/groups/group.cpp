#include "broker/core/groups/group.h"

#include <algorithm>

#include "broker/core/deadlines.h"

namespace iolab::core {

using protocol::ErrorCode;

std::string_view name_of(Group::State state) {
  switch (state) {
    case Group::State::empty: return "Empty";
    case Group::State::preparing_rebalance: return "PreparingRebalance";
    case Group::State::completing_rebalance: return "CompletingRebalance";
    case Group::State::stable: return "Stable";
    case Group::State::dead: return "Dead";
  }
  return "";
}

void Group::enter(State state, std::int64_t wall_ms) {
  state_ = state;
  state_since_ms_ = wall_ms;
}

SharedBytes Group::metadata_of(const Member& member, std::string_view protocol) const {
  const auto found = std::ranges::find(member.protocols, protocol, &GroupProtocol::name);
  return found == member.protocols.end() ? nullptr : found->metadata;
}

// Is it whom it claims to be?
ErrorCode Group::check_member(const MemberClaim& who) const {
  if (who.instance_id) {
    const auto known = static_members_.find(*who.instance_id);
    if (known == static_members_.end()) return ErrorCode::unknown_member_id;
    return known->second == who.member_id ? ErrorCode::none : ErrorCode::fenced_instance_id;
  }
  return members_.contains(who.member_id) ? ErrorCode::none : ErrorCode::unknown_member_id;
}

void Group::refresh(Member& member, std::int64_t now_ms) {
  member.deadline_ms = Deadlines::after(now_ms, member.session_timeout_ms);
}

std::int64_t Group::rebalance_timeout_ms() const {
  std::int64_t most = 0;
  for (const auto& [id, member] : members_) most = std::max<std::int64_t>(most, member.rebalance_timeout_ms);
  return most;
}

ErrorCode Group::heartbeat(const MemberClaim& who, std::int32_t generation, std::int64_t now_ms) {
  if (state_ == State::dead) return ErrorCode::coordinator_not_available;
  if (const ErrorCode code = check_member(who); code != ErrorCode::none) return code;
  if (generation != generation_) return ErrorCode::illegal_generation;
  refresh(members_.at(who.member_id), now_ms);
  return state_ == State::preparing_rebalance ? ErrorCode::rebalance_in_progress : ErrorCode::none;
}

ErrorCode Group::check_commit(const MemberClaim& who, std::int32_t generation, bool transactional,
                              std::int64_t now_ms) {
  if (state_ == State::dead) return ErrorCode::coordinator_not_available;
  if (generation < 0 && state_ == State::empty) return ErrorCode::none;
  if (generation >= 0 || !who.member_id.empty() || who.instance_id) {
    if (const ErrorCode code = check_member(who); code != ErrorCode::none) return code;
    if (generation != generation_) return ErrorCode::illegal_generation;
    if (!transactional && state_ == State::completing_rebalance) return ErrorCode::rebalance_in_progress;
    refresh(members_.at(who.member_id), now_ms);
    return ErrorCode::none;
  }
  // Old transactional producers name no member.
  return transactional || state_ == State::empty ? ErrorCode::none : ErrorCode::unknown_member_id;
}

ErrorCode Group::leave(const MemberClaim& who, GroupStep& step) {
  if (state_ == State::dead) return ErrorCode::coordinator_not_available;
  if (who.member_id.empty()) {  // an operator removes a static member
    if (!who.instance_id) return ErrorCode::unknown_member_id;
    const auto known = static_members_.find(*who.instance_id);
    if (known == static_members_.end()) return ErrorCode::unknown_member_id;
    remove_member(std::string(known->second), step);
    return ErrorCode::none;
  }
  if (pending_members_.erase(who.member_id) > 0) {
    try_complete_join(step);
    return ErrorCode::none;
  }
  if (const ErrorCode code = check_member(who); code != ErrorCode::none) return code;
  remove_member(who.member_id, step);
  return ErrorCode::none;
}

void Group::remove_member(const std::string& id, GroupStep& step) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  // Whoever is still there, and only late, joins again as a new member.
  if (found->second.joining) {
    found->second.joining->give({.error = ErrorCode::unknown_member_id}, step.wakeups);
  }
  if (found->second.syncing) {
    found->second.syncing->give({.error = ErrorCode::unknown_member_id}, step.wakeups);
  }
  forget_member(found);
  if (state_ == State::stable || state_ == State::completing_rebalance) return prepare_rebalance(step);
  try_complete_join(step);
}

void Group::forget_member(Iterator member) {
  if (member->second.instance_id) {
    const auto known = static_members_.find(*member->second.instance_id);
    if (known != static_members_.end() && known->second == member->first) static_members_.erase(known);
  }
  unsynced_.erase(member->first);
  const bool led = leader_ == member->first;
  members_.erase(member);
  if (!led) return;
  leader_.reset();
  if (!members_.empty()) leader_ = members_.begin()->first;
}

void Group::rebalance_if_possible(GroupStep& step) {
  if (state_ == State::preparing_rebalance) return try_complete_join(step);
  prepare_rebalance(step);
}

void Group::prepare_rebalance(GroupStep& step) {
  if (state_ == State::completing_rebalance) give_syncs(ErrorCode::rebalance_in_progress, step);
  unsynced_.clear();
  sync_until_ms_ = kNever;
  first_join_ = state_ == State::empty;
  more_came_ = false;
  const std::int64_t patience = rebalance_timeout_ms();
  const std::int64_t wait = first_join_ ? limits_.initial_rebalance_delay_ms : patience;
  join_until_ms_ = Deadlines::after(step.now.steady_ms, wait);
  join_left_ms_ = std::max<std::int64_t>(patience - wait, 0);
  enter(State::preparing_rebalance, step.now.wall_ms);
  if (first_join_ && wait == 0) return complete_join(step);
  try_complete_join(step);
}

// A first join waits for its time to end; every other one ends when all are there.
void Group::try_complete_join(GroupStep& step) {
  if (state_ != State::preparing_rebalance || !pending_members_.empty()) return;
  if (first_join_ && !members_.empty()) return;
  const auto has_joined = [](const auto& entry) { return entry.second.joining != nullptr; };
  if (std::ranges::all_of(members_, has_joined)) complete_join(step);
}

bool Group::elect_leader_among_joined() {
  const auto has_joined = [](const auto& entry) { return entry.second.joining != nullptr; };
  if (leader_) {
    const auto leader = members_.find(*leader_);
    if (leader != members_.end() && has_joined(*leader)) return true;
  }
  const auto next = std::ranges::find_if(members_, has_joined);
  if (next == members_.end()) return false;
  leader_ = next->first;
  return true;
}

void Group::complete_join(GroupStep& step) {
  for (auto member = members_.begin(); member != members_.end();) {
    const auto next = std::next(member);
    if (!member->second.joining && !member->second.instance_id) forget_member(member);
    member = next;
  }
  if (!members_.empty() && !elect_leader_among_joined()) {
    // Only static members are left, and none of them has come back: their sessions end, or one of them joins.
    join_until_ms_ = Deadlines::after(step.now.steady_ms, std::max<std::int64_t>(rebalance_timeout_ms(), 1));
    return;
  }
  join_until_ms_ = kNever;
  first_join_ = false;
  ++generation_;
  if (members_.empty()) return become_empty(step);
  protocol_name_ = choose_protocol();
  enter(State::completing_rebalance, step.now.wall_ms);
  unsynced_.clear();
  for (auto& [id, member] : members_) {
    unsynced_.insert(id);
    member.is_new = false;
    refresh(member, step.now.steady_ms);
    if (!member.joining) continue;
    std::exchange(member.joining, nullptr)->give(current_answer(id, leader_ == id), step.wakeups);
  }
  sync_until_ms_ = Deadlines::after(step.now.steady_ms, rebalance_timeout_ms());
}

void Group::become_empty(GroupStep& step) {
  protocol_name_.reset();
  leader_.reset();
  enter(State::empty, step.now.wall_ms);
  (void)step.journal.append(to_record(step.now.wall_ms));  // if it fails, a restart knows an older generation
}

void Group::sync(const SyncAsk& ask, const PendingSync& pending, GroupStep& step) {
  const auto refuse = [&](ErrorCode code) { pending->give({.error = code}, step.wakeups); };
  if (state_ == State::dead) return refuse(ErrorCode::coordinator_not_available);
  if (const ErrorCode code = check_member(ask.who); code != ErrorCode::none) return refuse(code);
  if (ask.generation != generation_) return refuse(ErrorCode::illegal_generation);
  if ((ask.protocol_type && ask.protocol_type != protocol_type_) ||
      (ask.protocol_name && ask.protocol_name != protocol_name_)) {
    return refuse(ErrorCode::inconsistent_group_protocol);
  }
  Member& member = members_.at(ask.who.member_id);
  switch (state_) {
    case State::empty:
    case State::dead: return refuse(ErrorCode::unknown_member_id);
    case State::preparing_rebalance: return refuse(ErrorCode::rebalance_in_progress);
    case State::completing_rebalance:
      if (member.syncing) {  // asked once more, on another connection
        member.syncing->give({.error = ErrorCode::rebalance_in_progress}, step.wakeups);
      }
      member.syncing = pending;
      unsynced_.erase(ask.who.member_id);
      if (leader_ == ask.who.member_id) store_assignments(ask, step);
      return;
    case State::stable:
      unsynced_.erase(ask.who.member_id);
      refresh(member, step.now.steady_ms);
      return pending->give({ErrorCode::none, protocol_type_, protocol_name_, member.assignment}, step.wakeups,
                           step.journal.commit_wait(pending->sleeper()));
  }
}

// The leader has said who does what: from here on the generation is durable.
void Group::store_assignments(const SyncAsk& ask, GroupStep& step) {
  for (auto& [id, member] : members_) {
    const auto named = std::ranges::find(ask.assignments, id, &std::pair<std::string, SharedBytes>::first);
    member.assignment = named == ask.assignments.end() ? nullptr : named->second;
  }
  const GroupMetadataValue record = to_record(step.now.wall_ms);
  if (const ErrorCode code = step.journal.append(record); code != ErrorCode::none) {
    give_syncs(code, step);
    return prepare_rebalance(step);
  }
  apply(record, step.now.steady_ms);
  give_syncs(ErrorCode::none, step);
}

// Answers everybody who waits for an assignment. With an error nobody has one any more.
void Group::give_syncs(ErrorCode error, GroupStep& step) {
  for (auto& [id, member] : members_) {
    if (error != ErrorCode::none) member.assignment = nullptr;
    if (!member.syncing) continue;
    refresh(member, step.now.steady_ms);
    const PendingSync pending = std::exchange(member.syncing, nullptr);
    if (error != ErrorCode::none) {
      pending->give({.error = error}, step.wakeups);
    } else {
      pending->give({ErrorCode::none, protocol_type_, protocol_name_, member.assignment}, step.wakeups,
                    step.journal.commit_wait(pending->sleeper()));
    }
  }
}

GroupMetadataValue Group::to_record(std::int64_t wall_ms) const {
  GroupMetadataValue value{.protocol_type = protocol_type_.value_or(""),
                           .generation = generation_,
                           .protocol = protocol_name_,
                           .leader = leader_,
                           .current_state_timestamp = wall_ms,
                           .members = {}};
  for (const auto& [id, member] : members_) {
    value.members.push_back({.member_id = id,
                             .group_instance_id = member.instance_id,
                             .client_id = member.client_id,
                             .client_host = member.client_host,
                             .rebalance_timeout = member.rebalance_timeout_ms,
                             .session_timeout = member.session_timeout_ms,
                             .subscription = blob_of(metadata_of(member, protocol_name_.value_or(""))),
                             .assignment = blob_of(member.assignment)});
  }
  return value;
}

void Group::apply(const GroupMetadataValue& value, std::int64_t now_ms) {
  protocol_type_.reset();
  if (!value.protocol_type.empty()) protocol_type_ = value.protocol_type;
  generation_ = value.generation;
  protocol_name_ = value.protocol;
  leader_ = value.leader;
  std::map<std::string, Member> before;
  before.swap(members_);
  static_members_.clear();
  for (const auto& stored : value.members) {
    Member& member = members_[stored.member_id];
    if (const auto known = before.find(stored.member_id); known != before.end()) {
      member = std::move(known->second);
    } else {
      member.instance_id = stored.group_instance_id;
      member.client_id = stored.client_id;
      member.client_host = stored.client_host;
      member.rebalance_timeout_ms = stored.rebalance_timeout;
      member.session_timeout_ms = stored.session_timeout;
      if (value.protocol) member.protocols = {{*value.protocol, copy_of(stored.subscription)}};
    }
    member.assignment = copy_of(stored.assignment);
    if (member.instance_id) static_members_[*member.instance_id] = stored.member_id;
    refresh(member, now_ms);
  }
  enter(members_.empty() ? State::empty : State::stable, value.current_state_timestamp);
}

std::int64_t Group::next_deadline_ms() const {
  std::int64_t next = std::min(join_until_ms_, sync_until_ms_);
  for (const auto& [id, until_ms] : pending_members_) next = std::min(next, until_ms);
  for (const auto& [id, member] : members_) {
    if (!member.waits_for_us()) next = std::min(next, member.deadline_ms);
  }
  return next;
}

void Group::run_timers(GroupStep& step) {
  const std::int64_t now_ms = step.now.steady_ms;
  if (std::erase_if(pending_members_, [&](const auto& entry) { return entry.second <= now_ms; }) > 0) {
    try_complete_join(step);
  }
  std::vector<std::string> lost;
  for (const auto& [id, member] : members_) {
    if (!member.waits_for_us() && member.deadline_ms <= now_ms) lost.push_back(id);
  }
  for (const std::string& id : lost) remove_member(id, step);
  if (sync_until_ms_ <= now_ms) {
    sync_until_ms_ = kNever;
    const std::set<std::string> late = std::exchange(unsynced_, {});
    for (const std::string& id : late) remove_member(id, step);
  }
  if (state_ != State::preparing_rebalance || join_until_ms_ > now_ms) return;
  if (first_join_ && more_came_ && join_left_ms_ > 0) {
    more_came_ = false;
    const std::int64_t wait = std::min(limits_.initial_rebalance_delay_ms, join_left_ms_);
    join_left_ms_ -= wait;
    join_until_ms_ = Deadlines::after(now_ms, wait);
    return;
  }
  complete_join(step);
}

}  // namespace iolab::core
