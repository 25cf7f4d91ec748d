// A group under random joins, syncs, departures, silences and restarts: a failure here means that some order of events
// breaks what holds always. Failures print the seed.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/broker/core/group_fixture.h"

namespace iolab::core {
namespace {

using protocol::ErrorCode;
using State = Group::State;
using test::GroupFixture;

// What a client of the group knows of itself.
struct Client {
  std::string member_id = {};
  std::string instance_id = {};  // empty: dynamic
  std::int32_t generation = -1;
  bool leads = false;
  std::vector<std::string> others = {};  // as the leader was told
  PendingJoin joining = {};
  PendingSync syncing = {};
};

class Crowd {
 public:
  explicit Crowd(std::uint64_t seed) : random_(seed) {
    clients_.resize(6);
    for (std::size_t i = 4; i < clients_.size(); ++i) clients_[i].instance_id = "static" + std::to_string(i);
  }

  void act() {
    Client& client = clients_[random_() % clients_.size()];
    switch (random_() % 8) {
      case 0:
      case 1: join(client); break;
      case 2:
      case 3: sync(client); break;
      case 4: heartbeat(client); break;
      case 5: world_.advance(static_cast<std::int64_t>(random_() % 4000)); break;
      case 6:
        if (random_() % 4 == 0) leave(client);
        break;
      case 7:
        if (random_() % 20 == 0) client = Client{.member_id = "", .instance_id = client.instance_id};  // it crashed
        break;
    }
    collect();
    check();
  }

 private:
  void join(Client& client) {
    if (client.joining || client.syncing) return;
    client.joining = world_.join({.member_id = client.member_id,
                                  .instance_id = client.instance_id,
                                  .require_known_member = random_() % 2 == 0,
                                  .rebalance_ms = 20'000});
  }
  void sync(Client& client) {
    if (client.joining || client.syncing || client.generation < 0) return;
    std::vector<std::pair<std::string, std::string>> assignments;
    for (const std::string& other : client.others) {
      assignments.emplace_back(other, std::to_string(client.generation) + "/" + other);
    }
    client.syncing = world_.sync(client.member_id, client.generation, assignments, client.instance_id);
  }
  void heartbeat(Client& client) {
    if (client.generation < 0) return;
    const ErrorCode code = world_.heartbeat(client.member_id, client.generation, client.instance_id);
    EXPECT_TRUE(code != ErrorCode::none || client.generation == world_.group.generation()) << "a zombie was believed";
  }
  void leave(Client& client) {
    (void)world_.leave(client.member_id, client.instance_id);
    client = Client{.member_id = "", .instance_id = client.instance_id};
  }

  void collect() {
    std::map<std::string, std::string> owners;  // of the work of this generation
    for (Client& client : clients_) {
      if (client.joining && client.joining->is_ready()) {
        JoinAnswer answer = std::exchange(client.joining, nullptr)->take();
        client.generation = -1;
        client.others.clear();
        if (answer.error == ErrorCode::member_id_required) client.member_id = answer.member_id;
        if (answer.error == ErrorCode::unknown_member_id || answer.error == ErrorCode::fenced_instance_id) {
          client.member_id.clear();
        }
        if (answer.error != ErrorCode::none) continue;
        client.member_id = answer.member_id;
        client.generation = answer.generation;
        client.leads = answer.leader == answer.member_id && !answer.skip_assignment;
        for (const auto& member : answer.members) client.others.push_back(member.member_id);
        if (client.leads) leaders_[answer.generation].insert(answer.member_id);
        EXPECT_LE(leaders_[answer.generation].size(), 1U) << "a generation with two leaders";
        EXPECT_LE(answer.generation, world_.group.generation());
      }
      if (client.syncing && client.syncing->is_ready()) {
        const SyncAnswer answer = std::exchange(client.syncing, nullptr)->take();
        if (answer.error != ErrorCode::none) {
          if (answer.error != ErrorCode::rebalance_in_progress) client.member_id.clear();
          client.generation = -1;
          continue;
        }
        const std::string part = test::text_of(answer.assignment);
        const auto mine = std::to_string(client.generation) + "/" + client.member_id;
        // A static member that was replaced has the part of the one it was.
        EXPECT_TRUE(part.empty() || part == mine || !client.instance_id.empty()) << part << " is not " << mine;
      }
    }
  }

  void check() {
    const Group& group = world_.group;
    EXPECT_GE(group.generation(), generation_) << "the generation fell";
    generation_ = group.generation();
    if (group.state() == State::stable || group.state() == State::completing_rebalance) {
      ASSERT_TRUE(group.leader());
      EXPECT_TRUE(group.members().contains(*group.leader())) << "the leader is no member";
    }
    EXPECT_EQ(group.state() == State::empty && !group.members().empty(), false);
    std::set<std::string> parts;
    for (const auto& [id, member] : group.members()) {
      if (group.state() != State::stable || !member.assignment || member.assignment->empty()) continue;
      EXPECT_TRUE(parts.insert(test::text_of(member.assignment)).second) << "two have the same part";
    }
    std::set<std::string> instances;
    for (const auto& [id, member] : group.members()) {
      if (!member.instance_id) continue;
      EXPECT_TRUE(instances.insert(*member.instance_id).second) << "an instance is there twice";
    }
    for (const Client& client : clients_) {
      const bool waits = client.joining || client.syncing;
      if (waits) {
        EXPECT_LT(group.next_deadline_ms(), Group::kNever) << "somebody waits, and no timer runs";
      }
    }
  }

  std::mt19937_64 random_;
  GroupFixture world_{{.initial_rebalance_delay_ms = 1000}};
  std::vector<Client> clients_;
  std::int32_t generation_ = 0;
  std::map<std::int32_t, std::set<std::string>> leaders_;
};

TEST(GroupProperty, HoldsUnderRandomEvents) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Crowd crowd(seed);
    for (int i = 0; i < 1000; ++i) {
      crowd.act();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(GroupProperty, EverybodyWhoGoesOnAskingEndsInAStableGroup) {
  // Fails if some history leaves a group in a state that well-behaved members cannot leave.
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    GroupFixture world({.initial_rebalance_delay_ms = 1000});
    std::mt19937_64 random(seed);
    for (int i = 0; i < 30; ++i) {
      (void)world.join({.session_ms = 6000, .rebalance_ms = 10'000});
      world.advance(static_cast<std::int64_t>(random() % 9000));
    }
    world.advance(2'000'000);
    EXPECT_EQ(world.group.state(), State::empty) << "members that went silent are still there";
    const auto members = world.make_stable(3);
    EXPECT_EQ(members.size(), 3U);
  }
}

}  // namespace
}  // namespace iolab::core
