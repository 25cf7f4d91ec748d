// One group's state machine: a failure here means members that wait for ever, work that two do or nobody does, or a
// zombie that is believed.
#include "broker/core/groups/group.h"

#include <gtest/gtest.h>

#include "tests/broker/core/group_fixture.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using State = Group::State;
using test::GroupFixture;
using test::text_of;

TEST(GroupJoin, AnEmptyGroupWaitsForMoreToCome) {
  // Fails if the first member gets everything although others come a moment later, or if the wait has no end.
  GroupFixture group;
  const auto first = group.join({.rebalance_ms = 10'000});
  group.advance(2000);
  const auto second = group.join({.rebalance_ms = 10'000});
  group.advance(2000);
  EXPECT_FALSE(first->is_ready()) << "3 s had passed, but somebody came meanwhile";
  group.advance(2000);
  ASSERT_TRUE(first->is_ready() && second->is_ready());
  const JoinAnswer answer = first->take();
  EXPECT_EQ(answer.generation, 1);
  EXPECT_EQ(answer.leader, answer.member_id);
  EXPECT_EQ(answer.members.size(), 2U);
  EXPECT_TRUE(second->take().members.empty()) << "only the leader is told";

  GroupFixture endless;
  const auto patient = endless.join({.rebalance_ms = 10'000});
  for (int i = 0; i < 6; ++i) {
    endless.advance(2000);
    (void)endless.join({.rebalance_ms = 10'000});
  }
  EXPECT_TRUE(patient->is_ready()) << "put off beyond the rebalance timeout";
}

TEST(GroupJoin, WithoutADelayTheFirstStartsAtOnce) {
  // Fails if group.initial.rebalance.delay.ms=0 still waits for a timer.
  GroupFixture group({.initial_rebalance_delay_ms = 0});
  EXPECT_TRUE(group.join({})->is_ready());
}

TEST(GroupJoin, AnIdIsGivenAheadAndHasToBeUsed) {
  // Fails if a client that lost the answer leaves a member behind for five minutes, or if a stranger's id is believed.
  GroupFixture group;
  const auto asked = group.join({.require_known_member = true});
  ASSERT_TRUE(asked->is_ready());
  const JoinAnswer answer = asked->take();
  EXPECT_EQ(answer.error, ErrorCode::member_id_required);
  EXPECT_TRUE(group.group.members().empty());
  EXPECT_EQ(group.join({.member_id = "stranger"})->take().error, ErrorCode::unknown_member_id);
  const auto joined = group.join({.member_id = answer.member_id, .require_known_member = true});
  group.advance(3000);
  ASSERT_TRUE(joined->is_ready());
  EXPECT_EQ(joined->take().member_id, answer.member_id);
}

TEST(GroupJoin, AnIdThatIsNotUsedIsForgotten) {
  // Fails if ids that nobody uses hold up a rebalance, or are kept for ever.
  GroupFixture group;
  const auto members = group.make_stable(1);
  const std::string id = group.join({.require_known_member = true, .session_ms = 7000})->take().member_id;
  EXPECT_TRUE(group.group.has_pending_members());
  group.advance(6999);
  EXPECT_TRUE(group.group.has_pending_members());
  group.advance(1);
  EXPECT_FALSE(group.group.has_pending_members());
  EXPECT_EQ(group.join({.member_id = id})->take().error, ErrorCode::unknown_member_id);
}

TEST(GroupJoin, MembersHaveToSpeakOneProtocol) {
  // Fails if a group is put together whose members cannot understand each other, or picks what fewer prefer.
  GroupFixture group;
  const auto a = group.join({.protocols = {{"range", "1"}, {"roundrobin", "2"}}});
  const auto b = group.join({.protocols = {{"roundrobin", "3"}, {"range", "4"}}});
  const auto c = group.join({.protocols = {{"roundrobin", "5"}, {"range", "6"}}});
  EXPECT_EQ(group.join({.protocols = {{"sticky", ""}}})->take().error, ErrorCode::inconsistent_group_protocol);
  EXPECT_EQ(group.join({.protocol_type = "connect"})->take().error, ErrorCode::inconsistent_group_protocol);
  group.advance(60'000);
  const JoinAnswer leader = a->take();
  EXPECT_EQ(leader.protocol_name, "roundrobin");
  ASSERT_EQ(leader.members.size(), 3U);
  EXPECT_EQ(text_of(leader.members[0].metadata), "2");
  GroupFixture other;
  EXPECT_EQ(other.join({.protocols = {}})->take().error, ErrorCode::inconsistent_group_protocol);
}

TEST(GroupJoin, TooManyAreRefused) {
  // Fails if group.max.size is not kept.
  GroupFixture group({.initial_rebalance_delay_ms = 0, .max_size = 1});
  (void)group.join({});
  EXPECT_EQ(group.join({})->take().error, ErrorCode::group_max_size_reached);
  EXPECT_EQ(group.join({.require_known_member = true})->take().error, ErrorCode::group_max_size_reached);
}

TEST(GroupSync, TheLeaderSharesOut) {
  // Fails if a follower is answered before the leader has spoken, or gets another's part.
  GroupFixture group;
  const auto first = group.join({});
  const auto second = group.join({});
  group.advance(6000);
  const JoinAnswer a = first->take(), b = second->take();
  const bool first_leads = a.leader == a.member_id;
  const std::string leader = first_leads ? a.member_id : b.member_id;
  const std::string follower = first_leads ? b.member_id : a.member_id;
  const auto waits = group.sync(follower, 1);
  EXPECT_FALSE(waits->is_ready());
  const auto led = group.sync(leader, 1, {{leader, "L"}, {follower, "F"}});
  ASSERT_TRUE(waits->is_ready() && led->is_ready());
  EXPECT_EQ(text_of(waits->take().assignment), "F");
  EXPECT_EQ(text_of(led->take().assignment), "L");
  EXPECT_EQ(group.group.state(), State::stable);
  EXPECT_EQ(text_of(group.sync(follower, 1)->take().assignment), "F") << "asked again in a stable group";
}

TEST(GroupSync, WhomTheLeaderForgetsGetsNothing) {
  // Fails if a member without an assignment waits for ever, or keeps its old one.
  GroupFixture group;
  const auto members = group.make_stable(2);
  EXPECT_EQ(group.group.members().size(), 2U);
  const auto again = group.join({.member_id = members[0]});
  const auto other = group.join({.member_id = members[1]});
  ASSERT_TRUE(again->is_ready() && other->is_ready());
  const std::string leader = *group.group.leader();
  const std::string follower = leader == members[0] ? members[1] : members[0];
  const auto waits = group.sync(follower, 2);
  (void)group.sync(leader, 2, {{leader, "all"}});
  EXPECT_EQ(text_of(waits->take().assignment), "");
}

TEST(GroupSync, WhatCannotBeStoredIsNotTold) {
  // Fails if members work by an assignment that a restart does not know.
  GroupFixture group;
  const auto first = group.join({});
  group.advance(3000);
  group.journal.error = ErrorCode::not_coordinator;
  const auto synced = group.sync(first->take().member_id, 1, {});
  ASSERT_TRUE(synced->is_ready());
  EXPECT_EQ(synced->take().error, ErrorCode::not_coordinator);
  EXPECT_EQ(group.group.state(), State::preparing_rebalance);
}

TEST(GroupSync, WhoDoesNotSyncIsDropped) {
  // Fails if one silent leader keeps the others without work for ever.
  GroupFixture group;
  const auto first = group.join({.rebalance_ms = 20'000});
  const auto second = group.join({.rebalance_ms = 20'000});
  group.advance(6000);
  const JoinAnswer a = first->take(), b = second->take();
  const std::string follower = a.leader == a.member_id ? b.member_id : a.member_id;
  const auto waits = group.sync(follower, 1);
  for (int i = 0; i < 4 && !waits->is_ready(); ++i) {
    (void)group.heartbeat(a.leader, 1);
    group.advance(5000);
  }
  ASSERT_TRUE(waits->is_ready());
  EXPECT_EQ(waits->take().error, ErrorCode::rebalance_in_progress);
  EXPECT_FALSE(group.group.members().contains(a.leader));
}

TEST(GroupFencing, OldGenerationsAndStrangersAreRefused) {
  // Fails if a zombie of an old generation can sync, heartbeat or commit.
  GroupFixture group;
  const auto members = group.make_stable(1);
  EXPECT_EQ(group.heartbeat(members[0], 0), ErrorCode::illegal_generation);
  EXPECT_EQ(group.heartbeat(members[0], 2), ErrorCode::illegal_generation);
  EXPECT_EQ(group.heartbeat("stranger", 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(group.heartbeat(members[0], 1), ErrorCode::none);
  EXPECT_EQ(group.sync(members[0], 0)->take().error, ErrorCode::illegal_generation);
  const auto commit = [&](const std::string& member, std::int32_t generation) {
    return group.group.check_commit({member, {}}, generation, false, group.now_ms);
  };
  EXPECT_EQ(commit(members[0], 1), ErrorCode::none);
  EXPECT_EQ(commit(members[0], 0), ErrorCode::illegal_generation);
  EXPECT_EQ(commit("stranger", 1), ErrorCode::unknown_member_id);
  EXPECT_EQ(commit("", -1), ErrorCode::unknown_member_id) << "only members commit while there are some";
  EXPECT_EQ(group.leave(members[0]), ErrorCode::none);
  EXPECT_EQ(group.group.state(), State::empty);
  EXPECT_EQ(commit("", -1), ErrorCode::none);
  EXPECT_EQ(commit(members[0], 1), ErrorCode::unknown_member_id);
}

TEST(GroupFencing, NoCommitBeforeTheAssignment) {
  // Fails if a member commits for partitions that may be another's by now.
  GroupFixture group;
  const auto joined = group.join({});
  group.advance(3000);
  EXPECT_EQ(group.group.check_commit({joined->take().member_id, {}}, 1, false, group.now_ms),
            ErrorCode::rebalance_in_progress);
}

TEST(GroupRebalance, AMemberThatJoinsMakesTheOthersJoinAgain) {
  // Fails if a new member gets no work, or the old ones are not told.
  GroupFixture group;
  const auto members = group.make_stable(1);
  const auto fresh = group.join({});
  EXPECT_FALSE(fresh->is_ready());
  EXPECT_EQ(group.heartbeat(members[0], 1), ErrorCode::rebalance_in_progress);
  EXPECT_EQ(group.sync(members[0], 1)->take().error, ErrorCode::rebalance_in_progress);
  const auto again = group.join({.member_id = members[0]});
  ASSERT_TRUE(again->is_ready() && fresh->is_ready()) << "all are there, nobody need wait for a timer";
  EXPECT_EQ(again->take().generation, 2);
}

TEST(GroupRebalance, WhoDoesNotJoinAgainIsLeftBehind) {
  // Fails if one lost member holds up the others beyond the rebalance timeout, although it keeps sending heartbeats.
  GroupFixture group;
  const auto members = group.make_stable(2);
  const auto fresh = group.join({.rebalance_ms = 5000});
  const auto again = group.join({.member_id = members[0], .rebalance_ms = 5000});
  for (int i = 0; i < 20 && !fresh->is_ready(); ++i) {
    (void)group.heartbeat(members[1], 1);
    group.advance(5000);
  }
  ASSERT_TRUE(fresh->is_ready() && again->is_ready());
  EXPECT_FALSE(group.group.members().contains(members[1]));
  EXPECT_EQ(group.group.members().size(), 2U);
}

TEST(GroupRebalance, AFollowerWithNothingNewDisturbsNobody) {
  // Fails if a follower that lost its answer causes a rebalance, or if the leader, or new metadata, causes none.
  GroupFixture group;
  const auto members = group.make_stable(2);
  const std::string leader = *group.group.leader();
  const std::string follower = leader == members[0] ? members[1] : members[0];
  const auto same = group.join({.member_id = follower});
  ASSERT_TRUE(same->is_ready());
  EXPECT_EQ(same->take().generation, 1);
  EXPECT_EQ(group.group.state(), State::stable);
  EXPECT_FALSE(group.join({.member_id = follower, .protocols = {{"range", "other topics"}}})->is_ready());
  EXPECT_EQ(group.group.state(), State::preparing_rebalance);
}

TEST(GroupSessions, ASilentMemberIsLost) {
  // Fails if a member whose machine died keeps its partitions, or a living one loses them.
  GroupFixture group;
  const auto members = group.make_stable(2);
  group.advance(6000);
  (void)group.heartbeat(members[0], 1);
  group.advance(9000);
  EXPECT_FALSE(group.group.members().contains(members[1]));
  EXPECT_TRUE(group.group.members().contains(members[0]));
  EXPECT_EQ(group.heartbeat(members[0], 1), ErrorCode::rebalance_in_progress);
}

TEST(GroupSessions, ANewMemberThatIsNeverAnsweredIsLostAfterFiveMinutes) {
  // Fails if a client that vanished while it was waiting stays a member for ever.
  GroupFixture group;
  const auto members = group.make_stable(1);
  const auto fresh = group.join({.session_ms = 6000, .rebalance_ms = 1'000'000});
  for (int i = 0; i < 59; ++i) {
    EXPECT_EQ(group.heartbeat(members[0], 1), ErrorCode::rebalance_in_progress);
    group.advance(5000);
  }
  EXPECT_FALSE(fresh->is_ready());
  (void)group.heartbeat(members[0], 1);
  group.advance(5000);
  ASSERT_TRUE(fresh->is_ready());
  EXPECT_EQ(fresh->take().error, ErrorCode::unknown_member_id);
  EXPECT_EQ(group.group.members().size(), 1U);
}

TEST(GroupStatic, ARestartTakesItsOwnPlaceWithoutARebalance) {
  // Fails if restarting a static member stirs up the group, or if its predecessor can still act.
  GroupFixture group;
  const auto first = group.join({.instance_id = "i"});
  group.advance(3000);
  const std::string old_id = first->take().member_id;
  (void)group.sync(old_id, 1, {{old_id, "mine"}}, "i");
  ASSERT_EQ(group.group.state(), State::stable);
  const auto back = group.join({.instance_id = "i"});
  ASSERT_TRUE(back->is_ready());
  const JoinAnswer answer = back->take();
  EXPECT_EQ(answer.generation, 1);
  EXPECT_NE(answer.member_id, old_id);
  EXPECT_TRUE(answer.skip_assignment);
  EXPECT_EQ(answer.leader, answer.member_id);
  EXPECT_EQ(group.heartbeat(old_id, 1, "i"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(group.sync(old_id, 1, {}, "i")->take().error, ErrorCode::fenced_instance_id);
  EXPECT_EQ(group.join({.member_id = old_id, .instance_id = "i"})->take().error, ErrorCode::fenced_instance_id);
  EXPECT_EQ(group.leave(old_id, "i"), ErrorCode::fenced_instance_id);
  EXPECT_EQ(text_of(group.sync(answer.member_id, 1, {}, "i")->take().assignment), "mine");

  const JoinAnswer old_version = group.join({.instance_id = "i", .may_skip_assignment = false})->take();
  EXPECT_NE(old_version.leader, old_version.member_id) << "it would compute an assignment that reaches nobody";
  EXPECT_EQ(old_version.generation, 1);
}

TEST(GroupStatic, ItLeavesByInstanceIdOrWhenItsSessionEnds) {
  // Fails if an operator cannot remove a static member, or if one that is gone for good stays.
  GroupFixture group;
  (void)group.join({.instance_id = "i"});
  (void)group.join({.instance_id = "j"});
  group.advance(6000);
  EXPECT_EQ(group.leave("", "nobody"), ErrorCode::unknown_member_id);
  EXPECT_EQ(group.leave("", "i"), ErrorCode::none);
  EXPECT_EQ(group.group.members().size(), 1U);
  group.advance(200'000);
  EXPECT_TRUE(group.group.members().empty());
  EXPECT_EQ(group.group.state(), State::empty);
}

TEST(GroupReplay, ARestartKnowsMembersAndGeneration) {
  // Fails if clients have to start over, or a generation is given twice, because the broker was restarted.
  GroupFixture group;
  const auto members = group.make_stable(2);
  ASSERT_EQ(group.journal.records.size(), 1U);
  GroupFixture restarted;
  const auto& record = group.journal.records.back();
  const auto read = read_record({.key = base::Bytes(record.key), .value = base::Bytes(*record.value), .headers = {}});
  ASSERT_TRUE(std::holds_alternative<GroupRecord>(read));
  restarted.group.apply(*std::get<GroupRecord>(read).value, restarted.now_ms);
  EXPECT_EQ(restarted.group.state(), State::stable);
  EXPECT_EQ(restarted.group.generation(), 1);
  EXPECT_EQ(restarted.group.leader(), group.group.leader());
  EXPECT_EQ(restarted.heartbeat(members[0], 1), ErrorCode::none);
  EXPECT_EQ(text_of(restarted.sync(members[1], 1)->take().assignment), "part of " + members[1]);
  restarted.advance(10'000);
  EXPECT_FALSE(restarted.group.members().contains(members[0])) << "sessions go on after a restart";
}

TEST(GroupReplay, AnEmptyGroupKeepsItsGeneration) {
  // Fails if a generation is given a second time after everybody has left and the broker was restarted.
  GroupFixture group;
  const auto members = group.make_stable(1);
  EXPECT_EQ(group.leave(members[0]), ErrorCode::none);
  EXPECT_EQ(group.group.generation(), 2);
  const auto& record = group.journal.records.back();
  const auto read = read_record({.key = base::Bytes(record.key), .value = base::Bytes(*record.value), .headers = {}});
  GroupFixture restarted;
  restarted.group.apply(*std::get<GroupRecord>(read).value, restarted.now_ms);
  EXPECT_EQ(restarted.group.state(), State::empty);
  const auto joined = restarted.join({});
  restarted.advance(3000);
  EXPECT_EQ(joined->take().generation, 3);
}

}  // namespace
}  // namespace iolab::core
