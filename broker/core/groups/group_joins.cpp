// How members enter a group: new ones, known ones that join again, and static ones that have come back.
#include <algorithm>
#include <set>

#include "broker/core/deadlines.h"
#include "broker/core/groups/group.h"

namespace iolab::core {

using protocol::ErrorCode;

namespace {

bool same(const SharedBytes& a, const SharedBytes& b) {
  static const std::vector<std::byte> kNone;
  return (a ? *a : kNone) == (b ? *b : kNone);
}

bool same(const std::vector<GroupProtocol>& a, const std::vector<GroupProtocol>& b) {
  return std::ranges::equal(a, b, [](const GroupProtocol& left, const GroupProtocol& right) {
    return left.name == right.name && same(left.metadata, right.metadata);
  });
}

}  // namespace

// Is there a protocol that it and all members speak?
bool Group::supports(const JoinAsk& ask) const {
  if (members_.empty()) return !ask.protocol_type.empty() && !ask.protocols.empty();
  if (protocol_type_ != ask.protocol_type) return false;
  return std::ranges::any_of(ask.protocols, [&](const GroupProtocol& wanted) {
    return std::ranges::all_of(members_, [&](const auto& entry) {
      return std::ranges::find(entry.second.protocols, wanted.name, &GroupProtocol::name) !=
             entry.second.protocols.end();
    });
  });
}

// Of the protocols that all speak, the one that most members prefer; of several, the first by name.
std::string Group::choose_protocol() const {
  std::map<std::string, std::size_t> speakers, votes;
  for (const auto& [id, member] : members_) {
    std::set<std::string> names;  // a member may name one twice
    for (const GroupProtocol& protocol : member.protocols) names.insert(protocol.name);
    for (const std::string& name : names) ++speakers[name];
  }
  for (const auto& [id, member] : members_) {
    const auto preferred = std::ranges::find_if(
        member.protocols, [&](const GroupProtocol& protocol) { return speakers[protocol.name] == members_.size(); });
    if (preferred != member.protocols.end()) ++votes[preferred->name];
  }
  const auto most = std::ranges::max_element(votes, {}, [](const auto& entry) { return entry.second; });
  return most == votes.end() ? "" : most->first;
}

void Group::join(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step) {
  const auto refuse = [&](ErrorCode code) {
    pending->give({.error = code, .member_id = ask.who.member_id}, step.wakeups);
  };
  if (state_ == State::dead) return refuse(ErrorCode::coordinator_not_available);
  if (!supports(ask)) return refuse(ErrorCode::inconsistent_group_protocol);
  if (ask.who.member_id.empty()) return join_as_new(ask, pending, step);
  if (pending_members_.contains(ask.who.member_id)) {
    if (ask.who.instance_id) return refuse(ErrorCode::unknown_member_id);  // ids are sent ahead to dynamic members only
    pending_members_.erase(ask.who.member_id);
    return add_member(ask, ask.who.member_id, pending, step);
  }
  if (const ErrorCode code = check_member(ask.who); code != ErrorCode::none) return refuse(code);
  join_as_known(ask, pending, step);
}

void Group::join_as_new(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step) {
  if (ask.who.instance_id) {
    const auto known = static_members_.find(*ask.who.instance_id);
    if (known != static_members_.end()) return replace_static_member(ask, std::string(known->second), pending, step);
    return add_member(ask, ask.new_member_id, pending, step);
  }
  if (!ask.require_known_member) return add_member(ask, ask.new_member_id, pending, step);
  if (static_cast<std::int64_t>(members_.size() + pending_members_.size()) >= limits_.max_size) {
    return pending->give({.error = ErrorCode::group_max_size_reached}, step.wakeups);
  }
  pending_members_[ask.new_member_id] = Deadlines::after(step.now.steady_ms, ask.session_timeout_ms);
  pending->give({.error = ErrorCode::member_id_required, .member_id = ask.new_member_id}, step.wakeups);
}

void Group::add_member(const JoinAsk& ask, const std::string& id, const PendingJoin& pending, GroupStep& step) {
  if (static_cast<std::int64_t>(members_.size()) >= limits_.max_size) {
    pending->give({.error = ErrorCode::group_max_size_reached}, step.wakeups);
    return try_complete_join(step);
  }
  if (members_.empty()) protocol_type_ = ask.protocol_type;
  if (state_ == State::preparing_rebalance && first_join_) more_came_ = true;
  Member& member = members_[id];
  member.instance_id = ask.who.instance_id;
  member.client_id = ask.client_id;
  member.client_host = ask.client_host;
  member.is_new = true;
  if (member.instance_id) static_members_[*member.instance_id] = id;
  if (!leader_) leader_ = id;
  update_member(member, ask, pending, step);
  member.deadline_ms = Deadlines::after(step.now.steady_ms, kNewMemberTimeoutMs);
  rebalance_if_possible(step);
}

void Group::update_member(Member& member, const JoinAsk& ask, const PendingJoin& pending, GroupStep& step) {
  member.protocols = ask.protocols;
  member.session_timeout_ms = ask.session_timeout_ms;
  member.rebalance_timeout_ms = ask.rebalance_timeout_ms;
  if (member.joining) {  // asked once more, on another connection
    member.joining->give({.error = ErrorCode::rebalance_in_progress}, step.wakeups);
  }
  member.joining = pending;
}

void Group::join_as_known(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step) {
  const std::string& id = ask.who.member_id;
  Member& member = members_.at(id);
  const bool unchanged = same(member.protocols, ask.protocols);
  const bool leads = leader_ == id;
  // It missed the answer, or is a follower that has nothing new to say: it learns what the others know.
  const bool goes_on =
      (state_ == State::completing_rebalance && unchanged) || (state_ == State::stable && unchanged && !leads);
  if (goes_on) {
    refresh(member, step.now.steady_ms);
    return pending->give(current_answer(id, leads && state_ == State::completing_rebalance), step.wakeups,
                         state_ == State::stable ? step.journal.commit_wait(pending->sleeper()) : nullptr);
  }
  if (state_ == State::empty || state_ == State::dead) {
    return pending->give({.error = ErrorCode::unknown_member_id, .member_id = id}, step.wakeups);
  }
  update_member(member, ask, pending, step);
  rebalance_if_possible(step);
}

JoinAnswer Group::current_answer(const std::string& member_id, bool with_members) const {
  JoinAnswer answer{.error = ErrorCode::none,
                    .generation = generation_,
                    .protocol_type = protocol_type_,
                    .protocol_name = protocol_name_,
                    .leader = leader_.value_or(""),
                    .skip_assignment = false,
                    .member_id = member_id,
                    .members = {}};
  if (!with_members) return answer;
  for (const auto& [id, member] : members_) {
    answer.members.push_back({id, member.instance_id, metadata_of(member, protocol_name_.value_or(""))});
  }
  return answer;
}

// A static member has been started again: it takes the place of the one that it was, under a new id.
void Group::replace_static_member(const JoinAsk& ask, const std::string& old_id, const PendingJoin& pending,
                                  GroupStep& step) {
  const std::string old_leader = leader_.value_or("");
  Member before = members_.at(old_id);
  if (before.joining) {
    before.joining->give({.error = ErrorCode::fenced_instance_id, .member_id = old_id}, step.wakeups);
  }
  if (before.syncing) before.syncing->give({.error = ErrorCode::fenced_instance_id}, step.wakeups);
  before.joining = nullptr;
  before.syncing = nullptr;
  members_.erase(old_id);
  if (unsynced_.erase(old_id) > 0) unsynced_.insert(ask.new_member_id);
  Member& member = members_[ask.new_member_id] = std::move(before);
  member.client_id = ask.client_id;
  member.client_host = ask.client_host;
  static_members_[*ask.who.instance_id] = ask.new_member_id;
  if (leader_ == old_id) leader_ = ask.new_member_id;
  update_member(member, ask, pending, step);
  refresh(member, step.now.steady_ms);
  if (state_ == State::stable && choose_protocol() == protocol_name_) {
    return keep_replaced_member(ask, old_leader, step);
  }
  rebalance_if_possible(step);
}

// Nothing changes for the others: no rebalance, only the new id has to be remembered.
void Group::keep_replaced_member(const JoinAsk& ask, const std::string& old_leader, GroupStep& step) {
  const auto found = members_.find(ask.new_member_id);
  const PendingJoin pending = std::exchange(found->second.joining, nullptr);
  const GroupMetadataValue record = to_record(step.now.wall_ms);
  if (const ErrorCode code = step.journal.append(record); code != ErrorCode::none) {
    pending->give({.error = code}, step.wakeups);
    return remove_member(ask.new_member_id, step);  // the old one is gone, too: it was fenced a moment ago
  }
  apply(record, step.now.steady_ms);
  const bool leads = leader_ == ask.new_member_id;
  JoinAnswer answer = current_answer(ask.new_member_id, leads && ask.may_skip_assignment);
  // A leader that cannot be told to skip the assignment must not take itself for the leader: its assignment would reach
  // nobody in a stable group.
  answer.skip_assignment = leads && ask.may_skip_assignment;
  if (!ask.may_skip_assignment) answer.leader = old_leader;
  pending->give(std::move(answer), step.wakeups, step.journal.commit_wait(pending->sleeper()));
}

}  // namespace iolab::core
