// One group without a coordinator, a clock or a log: requests go in, answers are looked at, time is moved by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "broker/base/bytes.h"
#include "broker/core/groups/group.h"

namespace iolab::test {

inline core::SharedBytes shared(std::string_view text) {
  const base::Bytes view = base::as_bytes(text);
  return std::make_shared<const std::vector<std::byte>>(view.begin(), view.end());
}
inline std::string text_of(const core::SharedBytes& bytes) {
  return bytes ? std::string(base::as_text(*bytes)) : "";
}

// Keeps records as a log would, as copies; refuses them if told to.
class FakeJournal final : public core::GroupJournal {
 public:
  protocol::ErrorCode append(const core::GroupMetadataValue& value) override {
    if (error != protocol::ErrorCode::none) return error;
    records.push_back(*core::record_of(core::GroupMetadataKey{"g"}, &value));
    return protocol::ErrorCode::none;
  }
  std::shared_ptr<core::CommitWait> commit_wait(const core::Wakeup&) override { return nullptr; }

  std::vector<core::InternalRecord> records;
  protocol::ErrorCode error = protocol::ErrorCode::none;
};

struct GroupFixture {
  explicit GroupFixture(core::Group::Limits limits = {.initial_rebalance_delay_ms = 3000}) : group(limits) {}

  template <class Body>
  void step(Body&& body) {
    core::Wakeups wakeups;
    core::GroupStep now{{wall_ms(), now_ms}, journal, wakeups};
    body(now);
  }
  std::int64_t wall_ms() const { return 1'700'000'000'000 + now_ms; }

  struct Joining {
    std::string member_id = {}, instance_id = {};
    std::vector<std::pair<std::string, std::string>> protocols = {{"range", "r"}};
    std::string protocol_type = "consumer";
    bool require_known_member = false;
    bool may_skip_assignment = true;
    std::int32_t session_ms = 10'000, rebalance_ms = 60'000;
  };
  core::PendingJoin join(const Joining& who) {
    core::JoinAsk ask;
    ask.group = "g";
    ask.who.member_id = who.member_id;
    if (!who.instance_id.empty()) ask.who.instance_id = who.instance_id;
    ask.client_id = "client";
    ask.session_timeout_ms = who.session_ms;
    ask.rebalance_timeout_ms = who.rebalance_ms;
    ask.protocol_type = who.protocol_type;
    for (const auto& [name, metadata] : who.protocols) ask.protocols.push_back({name, shared(metadata)});
    ask.require_known_member = who.require_known_member;
    ask.may_skip_assignment = who.may_skip_assignment;
    ask.new_member_id = "m" + std::to_string(++ids);
    auto pending = std::make_shared<core::PendingAnswer<core::JoinAnswer>>(nullptr);
    step([&](core::GroupStep& now) { group.join(ask, pending, now); });
    return pending;
  }
  core::PendingSync sync(const std::string& member, std::int32_t generation,
                         const std::vector<std::pair<std::string, std::string>>& assignments = {},
                         const std::string& instance = "") {
    core::SyncAsk ask{.group = "g", .who = {member, {}}, .generation = generation, .assignments = {}};
    if (!instance.empty()) ask.who.instance_id = instance;
    for (const auto& [id, assignment] : assignments) ask.assignments.emplace_back(id, shared(assignment));
    auto pending = std::make_shared<core::PendingAnswer<core::SyncAnswer>>(nullptr);
    step([&](core::GroupStep& now) { group.sync(ask, pending, now); });
    return pending;
  }
  protocol::ErrorCode leave(const std::string& member, const std::string& instance = "") {
    protocol::ErrorCode code{};
    core::MemberClaim who{member, {}};
    if (!instance.empty()) who.instance_id = instance;
    step([&](core::GroupStep& now) { code = group.leave(who, now); });
    return code;
  }
  protocol::ErrorCode heartbeat(const std::string& member, std::int32_t generation, const std::string& instance = "") {
    core::MemberClaim who{member, {}};
    if (!instance.empty()) who.instance_id = instance;
    return group.heartbeat(who, generation, now_ms);
  }
  // Moves time, stopping at every deadline on the way.
  void advance(std::int64_t milliseconds) {
    const std::int64_t until = now_ms + milliseconds;
    while (group.next_deadline_ms() <= until) {
      now_ms = std::max(now_ms, group.next_deadline_ms());
      step([&](core::GroupStep& now) { group.run_timers(now); });
    }
    now_ms = until;
  }

  // A stable group of dynamic members, whose first is the leader. Returns their ids.
  std::vector<std::string> make_stable(int count) {
    std::vector<core::PendingJoin> joins;
    for (int i = 0; i < count; ++i) joins.push_back(join({}));
    const auto is_ready = [](const core::PendingJoin& pending) { return pending->is_ready(); };
    for (int i = 0; i < 100 && !std::ranges::all_of(joins, is_ready); ++i) advance(1000);
    std::vector<std::string> members;
    std::vector<std::pair<std::string, std::string>> assignments;
    std::string leader;
    for (const auto& pending : joins) {
      EXPECT_TRUE(pending->is_ready());
      core::JoinAnswer answer = pending->take();
      members.push_back(answer.member_id);
      assignments.emplace_back(answer.member_id, "part of " + answer.member_id);
      leader = answer.leader;
    }
    for (const std::string& member : members) {
      sync(member, group.generation(), member == leader ? assignments : decltype(assignments){});
    }
    EXPECT_EQ(group.state(), core::Group::State::stable);
    return members;
  }

  core::Group group;
  FakeJournal journal;
  std::int64_t now_ms = 1'000'000;
  int ids = 0;
};

}  // namespace iolab::test
