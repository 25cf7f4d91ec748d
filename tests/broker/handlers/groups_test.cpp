// Groups through their requests: a failure here means that consumers read twice or never what they share, or that what
// a group has committed is lost, told too early, or kept too long.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/protocol/messages/20_delete_topics.h"
#include "tests/broker/handlers/group_requests.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using test::Asked;
using test::commit;
using test::commit_request;
using test::fetch_offset;
using test::find_coordinator;
using test::heartbeat;
using test::join_request;
using test::only_member;
using test::TestBroker;

protocol::DescribeGroupsResponse::Group describe(TestBroker& broker) {
  protocol::DescribeGroupsRequest request;
  request.groups = {"g"};
  return broker.ask<protocol::DescribeGroupsResponse>(request, 5).groups.at(0);
}

std::vector<std::string> list(TestBroker& broker, const std::vector<std::string>& states = {}) {
  protocol::ListGroupsRequest request;
  request.states_filter = states;
  std::vector<std::string> names;
  for (auto& group : broker.ask<protocol::ListGroupsResponse>(request, 4).groups) names.push_back(group.group_id);
  return names;
}

ErrorCode leave(TestBroker& broker, const std::string& member) {
  protocol::LeaveGroupRequest request;
  request.group_id = "g";
  request.members.push_back({.member_id = member});
  return broker.ask<protocol::LeaveGroupResponse>(request, 5).members.at(0).error_code;
}

TEST(Groups, BeforeTheCoordinatorWasLookedForNobodyIsServed) {
  // Fails if something is acknowledged that has no place to be remembered in, or if looking for it does not help.
  TestBroker broker;
  broker.create("t");
  EXPECT_EQ(commit(broker, commit_request("t", 0, 5)), ErrorCode::not_coordinator);
  EXPECT_EQ(heartbeat(broker, "m", 1), ErrorCode::not_coordinator);
  EXPECT_EQ(fetch_offset(broker, "t", 0, 1).error_code, ErrorCode::not_coordinator);
  EXPECT_TRUE(list(broker).empty());
  find_coordinator(broker);
  EXPECT_EQ(commit(broker, commit_request("t", 0, 5)), ErrorCode::none);
  EXPECT_TRUE(broker->topics().find(core::kConsumerOffsetsTopic));
}

TEST(Groups, TwoMembersShareAndEachGetsItsPart) {
  // Fails if JoinGroup and SyncGroup do not wait for each other, or are not woken.
  TestBroker broker;
  find_coordinator(broker);
  const std::string metadata(5000, 'x');
  Asked first = broker.send(join_request("", metadata), 3);
  Asked second = broker.send(join_request("", metadata), 0);
  ASSERT_EQ(first.outcome.kind, Outcome::Kind::parked);
  EXPECT_TRUE(first.outcome.parked->holds_back());
  EXPECT_FALSE(broker.resume(first));
  const int rings = broker.counting->rings;
  broker.clock.advance(20'000);
  for (int i = 0; i < 3; ++i) broker->run_timers(broker.clock.now());
  broker.clock.advance(3000);
  broker->run_timers(broker.clock.now());
  EXPECT_EQ(broker.counting->rings, rings + 2);
  ASSERT_TRUE(broker.resume(first) && broker.resume(second));
  const auto a = TestBroker::answer_of<protocol::JoinGroupResponse>(first, 3);
  const auto b = TestBroker::answer_of<protocol::JoinGroupResponse>(second, 0);
  ASSERT_EQ(a.error_code, ErrorCode::none);
  EXPECT_EQ(a.generation_id, b.generation_id);
  EXPECT_EQ(a.leader, a.member_id);
  EXPECT_EQ(a.members.size(), 2U);
  EXPECT_TRUE(b.members.empty());
  EXPECT_THAT(a.member_id, ::testing::StartsWith("test-"));

  protocol::SyncGroupRequest sync;
  sync.group_id = "g";
  sync.generation_id = a.generation_id;
  sync.member_id = b.member_id;
  Asked follower = broker.send(sync, 3);
  EXPECT_FALSE(broker.resume(follower));
  sync.member_id = a.member_id;
  sync.assignments.push_back({.member_id = b.member_id, .assignment = protocol::Blob(base::as_bytes("B"))});
  Asked leader = broker.send(sync, 3);
  ASSERT_TRUE(broker.resume(leader) && broker.resume(follower));
  EXPECT_EQ(TestBroker::answer_of<protocol::SyncGroupResponse>(follower, 3).error_code, ErrorCode::none);
  EXPECT_EQ(heartbeat(broker, b.member_id, a.generation_id), ErrorCode::none);
  const auto described = describe(broker);
  EXPECT_EQ(described.group_state, "Stable");
  EXPECT_EQ(described.protocol_data, "range");
  EXPECT_EQ(described.members.size(), 2U);
  EXPECT_EQ(leave(broker, b.member_id), ErrorCode::none);
  EXPECT_EQ(heartbeat(broker, a.member_id, a.generation_id), ErrorCode::rebalance_in_progress);
}

TEST(Groups, AConnectionThatGoesLeavesNoMemberForEver) {
  // Fails if a client that vanished while it waited keeps its place, or its end harms whoever gives the answer.
  TestBroker broker;
  find_coordinator(broker);
  {
    Asked waiting = broker.send(join_request("", "x"), 3);
    ASSERT_EQ(waiting.outcome.kind, Outcome::Kind::parked);
  }
  broker.clock.advance(3000);
  broker->run_timers(broker.clock.now());
  EXPECT_EQ(describe(broker).members.size(), 1U);
  broker.clock.advance(10'000);
  broker->run_timers(broker.clock.now());
  EXPECT_TRUE(describe(broker).members.empty());
  EXPECT_EQ(describe(broker).group_state, "Empty");
}

TEST(Groups, SessionTimeoutsHaveBounds) {
  // Fails if a member may ask for a session that nobody can keep, or that never ends.
  TestBroker broker;
  find_coordinator(broker);
  for (const std::int32_t timeout_ms : {5999, 1'800'001}) {
    auto request = join_request("", "x");
    request.session_timeout_ms = timeout_ms;
    EXPECT_EQ(broker.ask<protocol::JoinGroupResponse>(request, 5).error_code, ErrorCode::invalid_session_timeout);
  }
  auto nameless = join_request("", "x");
  nameless.group_id = "";
  EXPECT_EQ(broker.ask<protocol::JoinGroupResponse>(nameless, 5).error_code, ErrorCode::invalid_group_id);
}

TEST(Groups, FromVersionFourOnTheIdComesFirst) {
  // Fails if a version joins in the other versions' way: a client would retry for ever.
  TestBroker broker(core::Overrides{{"group.initial.rebalance.delay.ms", "0"}});
  find_coordinator(broker);
  for (std::int16_t version = 0; version <= 9; ++version) {
    auto request = join_request("", "x");
    request.group_id = "g" + std::to_string(version);
    const auto answer = broker.ask<protocol::JoinGroupResponse>(request, version);
    EXPECT_EQ(answer.error_code, version >= 4 ? ErrorCode::member_id_required : ErrorCode::none);
    if (version < 4) continue;
    request.member_id = answer.member_id;
    const auto joined = broker.ask<protocol::JoinGroupResponse>(request, version);
    EXPECT_EQ(joined.error_code, ErrorCode::none) << version;
    EXPECT_EQ(joined.leader, answer.member_id);
  }
}

TEST(Offsets, EveryVersionCommitsAndFetches) {
  // Fails if a client of some version cannot find its place again.
  TestBroker broker;
  broker.create("t", 3);
  find_coordinator(broker);
  for (std::int16_t version = 2; version <= 9; ++version) {
    ASSERT_EQ(commit(broker, commit_request("t", 1, 100 + version, "note"), version), ErrorCode::none) << version;
    for (std::int16_t reads = 1; reads <= 7; ++reads) {
      const auto found = fetch_offset(broker, "t", 1, reads);
      EXPECT_EQ(found.committed_offset, 100 + version);
      EXPECT_EQ(found.metadata, "note");
    }
  }
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, -1);
  EXPECT_EQ(fetch_offset(broker, "t", 0).error_code, ErrorCode::none);
  protocol::OffsetFetchRequest request;
  request.groups.push_back({.group_id = "g", .topics = std::nullopt});
  request.groups.push_back({.group_id = "unknown", .topics = std::nullopt});
  for (const std::int16_t version : {8, 9}) {
    const auto answer = broker.ask<protocol::OffsetFetchResponse>(request, version);
    ASSERT_EQ(answer.groups.size(), 2U);
    EXPECT_EQ(answer.groups[0].topics.at(0).partitions.at(0).committed_offset, 109);
    EXPECT_TRUE(answer.groups[1].topics.empty());
    EXPECT_EQ(answer.groups[1].error_code, ErrorCode::none);
  }
}

TEST(Offsets, WhatCannotBeCommittedIsRefusedForItsPartitionAlone) {
  // Fails if one wrong partition takes the others with it, or is accepted.
  TestBroker broker;
  broker.create("t", 2);
  find_coordinator(broker);
  auto request = commit_request("t", 0, 5);
  request.topics[0].partitions.push_back({.partition_index = 7, .committed_offset = 5, .committed_metadata = ""});
  request.topics[0].partitions.push_back(
      {.partition_index = 1, .committed_offset = 5, .committed_metadata = std::string(4097, 'x')});
  const auto answer = broker.ask<protocol::OffsetCommitResponse>(request, 8).topics.at(0);
  EXPECT_EQ(answer.partitions[0].error_code, ErrorCode::none);
  EXPECT_EQ(answer.partitions[1].error_code, ErrorCode::unknown_topic_or_partition);
  EXPECT_EQ(answer.partitions[2].error_code, ErrorCode::offset_metadata_too_large);
  auto zombie = commit_request("t", 0, 6);
  zombie.generation_id_or_member_epoch = 3;
  zombie.member_id = "m";
  EXPECT_EQ(commit(broker, zombie), ErrorCode::unknown_member_id);
  zombie.group_id = "nobody";
  EXPECT_EQ(commit(broker, zombie), ErrorCode::illegal_generation);
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, 5);
}

TEST(Offsets, SurviveARestartWithTheGroup) {
  // Fails if consumers start over, or have to form their group anew, because the broker was killed or restarted.
  TestBroker broker;
  broker.create("t", 2);
  find_coordinator(broker);
  const std::string member = only_member(broker);
  auto request = commit_request("t", 1, 42, "note");
  request.generation_id_or_member_epoch = 1;
  request.member_id = member;
  ASSERT_EQ(commit(broker, request), ErrorCode::none);
  for (int i = 0; i < 2; ++i) {
    if (i == 0)
      broker.crash_and_reopen();
    else
      broker.close_and_reopen();
    EXPECT_EQ(fetch_offset(broker, "t", 1).committed_offset, 42);
    EXPECT_EQ(heartbeat(broker, member, 1), ErrorCode::none);
    EXPECT_EQ(heartbeat(broker, member, 0), ErrorCode::illegal_generation);
    EXPECT_EQ(describe(broker).group_state, "Stable");
  }
  broker.clock.advance(10'001);
  broker->run_timers(broker.clock.now());
  EXPECT_EQ(heartbeat(broker, member, 1), ErrorCode::unknown_member_id) << "its session never ends";
}

TEST(Offsets, WithCommitNothingIsToldBeforeItIsOnTheDisk) {
  // Fails if a commit is acknowledged, or an offset or assignment told, that a power cut takes back.
  TestBroker broker(core::Overrides{{"iolab.flush", "commit"}});
  broker.create("t");
  find_coordinator(broker);
  broker->run_flushes(broker.clock.now());
  Asked committed = broker.send(commit_request("t", 0, 9), 8);
  ASSERT_EQ(committed.outcome.kind, Outcome::Kind::parked);
  EXPECT_FALSE(committed.outcome.parked->holds_back());
  protocol::OffsetFetchRequest fetch;
  fetch.group_id = "g";
  fetch.topics.reset();
  Asked fetched = broker.send(fetch, 7);
  EXPECT_FALSE(broker.resume(committed));
  EXPECT_FALSE(broker.resume(fetched));
  broker->run_flushes(broker.clock.now());
  ASSERT_TRUE(broker.resume(committed) && broker.resume(fetched));
  EXPECT_EQ(
      TestBroker::answer_of<protocol::OffsetFetchResponse>(fetched, 7).topics.at(0).partitions.at(0).committed_offset,
      9);
  EXPECT_EQ(only_member(broker).substr(0, 5), "test-") << "assignments wait for the disk, too";
}

TEST(Offsets, GoWithTheirTopic) {
  // Fails if a topic that is made again starts where the old one of its name was left.
  TestBroker broker;
  broker.create("t");
  broker.create("other");
  find_coordinator(broker);
  ASSERT_EQ(commit(broker, commit_request("t", 0, 5)), ErrorCode::none);
  ASSERT_EQ(commit(broker, commit_request("other", 0, 6)), ErrorCode::none);
  protocol::DeleteTopicsRequest remove;
  remove.topic_names = {"t"};
  (void)broker.ask<protocol::DeleteTopicsResponse>(remove, 5);
  broker.create("t");
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, -1);
  EXPECT_EQ(fetch_offset(broker, "other", 0).committed_offset, 6);
  broker.crash_and_reopen();
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, -1);
}

TEST(Offsets, AgeOnceNobodyNeedsThem) {
  // Fails if offsets of a living group expire, or those of a dead one are kept for ever.
  TestBroker broker(core::Overrides{{"offsets.retention.minutes", "60"}});
  broker.create("t");
  find_coordinator(broker);
  const std::string member = only_member(broker);
  auto request = commit_request("t", 0, 5);
  request.generation_id_or_member_epoch = 1;
  request.member_id = member;
  ASSERT_EQ(commit(broker, request), ErrorCode::none);
  const auto pass = [&](std::int64_t minutes, bool alive) {
    for (std::int64_t i = 0; i < minutes * 12; ++i) {
      broker.clock.advance(5000);
      if (alive) {
        EXPECT_EQ(heartbeat(broker, member, 1), ErrorCode::none);
      }
      broker->run_timers(broker.clock.now());
      broker->run_flushes(broker.clock.now());
    }
  };
  pass(120, true);
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, 5) << "the group is alive";
  EXPECT_EQ(leave(broker, member), ErrorCode::none);
  pass(50, false);
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, 5) << "it became empty less than an hour ago";
  pass(25, false);
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, -1);
  EXPECT_TRUE(list(broker).empty());
  broker.crash_and_reopen();
  EXPECT_TRUE(list(broker).empty());
}

TEST(Offsets, OfATransactionCountWhenItCommits) {
  // Fails if an aborted transaction moves a group, or a restart forgets what an open one is about to commit.
  TestBroker broker;
  broker.create("t", 3);
  find_coordinator(broker);
  ASSERT_EQ(commit(broker, commit_request("t", 0, 1)), ErrorCode::none);
  const auto commit_in_transaction = [&](std::int64_t producer, std::int32_t partition, std::int64_t offset) {
    std::vector<core::OffsetToCommit> offsets{{.where = {"t", partition}}};
    offsets[0].value.offset = offset;
    core::Wakeups wakeups;
    broker->groups().commit({.group = "g", .producer = {producer, 0}}, offsets, nullptr, {broker.clock.now(), wakeups});
    EXPECT_EQ(offsets[0].error, ErrorCode::none);
  };
  const auto no_marker = [] { return std::expected<void, ErrorCode>{}; };
  commit_in_transaction(7, 0, 10);
  commit_in_transaction(8, 1, 20);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(fetch_offset(broker, "t", 0, 7, false).committed_offset, 1);
    EXPECT_EQ(fetch_offset(broker, "t", 0, 7, true).error_code, ErrorCode::unstable_offset_commit);
    EXPECT_EQ(fetch_offset(broker, "t", 2, 7, true).error_code, ErrorCode::none);
    if (i == 0) broker.crash_and_reopen();
  }
  ASSERT_EQ(commit(broker, commit_request("t", 1, 25)), ErrorCode::none);
  EXPECT_TRUE(broker->groups().end_transaction(7, true, no_marker));
  EXPECT_TRUE(broker->groups().end_transaction(8, true, no_marker));
  EXPECT_EQ(fetch_offset(broker, "t", 0, 7, true).committed_offset, 10);
  EXPECT_EQ(fetch_offset(broker, "t", 1, 7, true).committed_offset, 25) << "a later commit was undone by an older one";
  commit_in_transaction(9, 2, 30);
  EXPECT_TRUE(broker->groups().end_transaction(9, false, no_marker));
  EXPECT_EQ(fetch_offset(broker, "t", 2, 7, true).committed_offset, -1);
}

TEST(GroupAdministration, DeletesWhatNobodyUses) {
  // Fails if a living group loses its offsets, or a dead one comes back with a restart.
  TestBroker broker;
  broker.create("t", 2);
  broker.create("u");
  find_coordinator(broker);
  const std::string member = only_member(broker, "t");
  for (const std::string topic : {"t", "u"}) {
    auto request = commit_request(topic, 0, 5);
    request.generation_id_or_member_epoch = 1;
    request.member_id = member;
    ASSERT_EQ(commit(broker, request), ErrorCode::none);
  }
  protocol::OffsetDeleteRequest forget;
  forget.group_id = "g";
  for (const std::string topic : {"t", "u"}) {
    auto& asked = forget.topics.emplace_back();
    asked.name = topic;
    asked.partitions.push_back({.partition_index = 0});
  }
  const auto forgotten = broker.ask<protocol::OffsetDeleteResponse>(forget, 0);
  EXPECT_EQ(forgotten.error_code, ErrorCode::none);
  EXPECT_EQ(forgotten.topics.at(0).partitions.at(0).error_code, ErrorCode::group_subscribed_to_topic);
  EXPECT_EQ(forgotten.topics.at(1).partitions.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, 5);
  EXPECT_EQ(fetch_offset(broker, "u", 0).committed_offset, -1);

  protocol::DeleteGroupsRequest remove;
  remove.groups_names = {"g", "nobody"};
  const auto refused = broker.ask<protocol::DeleteGroupsResponse>(remove, 2);
  EXPECT_EQ(refused.results.at(0).error_code, ErrorCode::non_empty_group);
  EXPECT_EQ(refused.results.at(1).error_code, ErrorCode::group_id_not_found);
  EXPECT_EQ(list(broker, {"stable"}).size(), 1U);
  EXPECT_EQ(leave(broker, member), ErrorCode::none);
  EXPECT_EQ(list(broker, {"Empty"}).size(), 1U);
  EXPECT_TRUE(list(broker, {"Stable"}).empty());
  EXPECT_EQ(broker.ask<protocol::DeleteGroupsResponse>(remove, 2).results.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(describe(broker).group_state, "Dead");
  broker.crash_and_reopen();
  EXPECT_TRUE(list(broker).empty());
  EXPECT_EQ(fetch_offset(broker, "t", 0).committed_offset, -1);
}

TEST(GroupAdministration, AStaticMemberIsRemovedByItsInstance) {
  // Fails if an operator cannot take a static member out, or old versions are answered in the new ones' way.
  TestBroker broker(core::Overrides{{"group.initial.rebalance.delay.ms", "0"}});
  find_coordinator(broker);
  auto request = join_request("", "x");
  request.group_instance_id = "i";
  EXPECT_EQ(broker.ask<protocol::JoinGroupResponse>(request, 5).error_code, ErrorCode::none);
  protocol::LeaveGroupRequest leaving;
  leaving.group_id = "g";
  leaving.member_id = "stranger";
  EXPECT_EQ(broker.ask<protocol::LeaveGroupResponse>(leaving, 1).error_code, ErrorCode::unknown_member_id);
  leaving.member_id = "";
  leaving.members.push_back({.member_id = "", .group_instance_id = "i"});
  leaving.members.push_back({.member_id = "", .group_instance_id = "j"});
  const auto left = broker.ask<protocol::LeaveGroupResponse>(leaving, 4);
  EXPECT_EQ(left.error_code, ErrorCode::none);
  EXPECT_EQ(left.members.at(0).error_code, ErrorCode::none);
  EXPECT_EQ(left.members.at(1).error_code, ErrorCode::unknown_member_id);
  EXPECT_EQ(describe(broker).group_state, "Empty");
}

}  // namespace
}  // namespace iolab::handlers
