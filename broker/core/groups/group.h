// One group of the classic protocol: who its members are, in which generation, and who waits for the others.
//
//   empty --join--> preparing_rebalance --all have joined, or time is up--> completing_rebalance --leader syncs-->
//   stable
//     ^                     |        ^                                            |                                 |
//     +---- nobody is left -+        +---- a member joins, leaves or is lost -----+---------------------------------+
//
// Invariants: the generation never falls; a group with members has one leader, and it is one of them; what an old
// generation or a fenced instance asks for is refused. apply() alone changes what is durable (generation, protocol,
// leader and assignments of a stable or an empty group), live and at a replay; everything else is gone after a restart
// and put together anew by the members. Time is an argument, and so is where records go.
//
// Left out: what the members' bytes mean; eager and cooperative assignors are the members' own business.
// Threads: under the coordinator's lock. Source: the classic group protocol of Apache Kafka (GroupMetadataManager).
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/groups/group_records.h"
#include "broker/core/groups/pending_answer.h"
#include "broker/core/moment.h"
#include "broker/core/wakeup.h"

namespace iolab::core {

// Where a group's records go. The error is what the members are told.
class GroupJournal {
 public:
  virtual ~GroupJournal() = default;
  virtual protocol::ErrorCode append(const GroupMetadataValue& value) = 0;
  // For an answer that tells of what was appended; null: it need not wait for the disk.
  virtual std::shared_ptr<CommitWait> commit_wait(const Wakeup& sleeper) = 0;
};

// What one call may do to the world outside of the group.
struct GroupStep {
  Moment now;
  GroupJournal& journal;
  Wakeups& wakeups;
};

struct GroupProtocol {
  std::string name;
  SharedBytes metadata;
};

// Who says that it is a member, and of which generation.
struct MemberClaim {
  std::string member_id = {};
  std::optional<std::string> instance_id = {};
};

struct JoinAsk {
  std::string group;
  MemberClaim who;
  std::string client_id, client_host;
  std::int32_t session_timeout_ms = 0, rebalance_timeout_ms = 0;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;  // in order of preference
  bool require_known_member = false;     // JoinGroup v4+: a dynamic member gets its id first, and joins with it
  bool may_skip_assignment = false;      // JoinGroup v9+
  std::string new_member_id;             // if it gets one
};

struct SyncAsk {
  std::string group;
  MemberClaim who;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type = {}, protocol_name = {};
  std::vector<std::pair<std::string, SharedBytes>> assignments = {};  // by member id; of the leader
};

class Group {
 public:
  enum class State : std::uint8_t { empty, preparing_rebalance, completing_rebalance, stable, dead };
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  // A member that has never been answered cannot send heartbeats; so long it may wait for the others.
  static constexpr std::int64_t kNewMemberTimeoutMs = 300'000;

  struct Limits {
    std::int64_t initial_rebalance_delay_ms = 3000;
    std::int64_t max_size = std::numeric_limits<std::int32_t>::max();
  };
  explicit Group(Limits limits) : limits_(limits) {}

  struct Member {
    std::optional<std::string> instance_id;
    std::string client_id, client_host;
    std::int32_t session_timeout_ms = 0, rebalance_timeout_ms = 0;
    std::vector<GroupProtocol> protocols;
    SharedBytes assignment;
    bool is_new = false;                // has not been answered yet
    std::int64_t deadline_ms = kNever;  // steady; when it is lost, unless it is waiting for us
    PendingJoin joining;                // null: not waiting
    PendingSync syncing;

    // It cannot send heartbeats meanwhile. One that was never answered has a time of its own for that.
    bool waits_for_us() const { return !is_new && (joining || syncing); }
  };

  // Requests. `pending` is given its answer now or later.
  void join(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step);
  void sync(const SyncAsk& ask, const PendingSync& pending, GroupStep& step);
  protocol::ErrorCode heartbeat(const MemberClaim& who, std::int32_t generation, std::int64_t now_ms);
  protocol::ErrorCode leave(const MemberClaim& who, GroupStep& step);
  // May an offset be committed? If so, the commit is as good as a heartbeat.
  protocol::ErrorCode check_commit(const MemberClaim& who, std::int32_t generation, bool transactional,
                                   std::int64_t now_ms);

  std::int64_t next_deadline_ms() const;  // steady; kNever: nothing to wait for
  void run_timers(GroupStep& step);

  // A record of the log: at a replay, and when it was just written.
  void apply(const GroupMetadataValue& value, std::int64_t now_ms);
  // The group is deleted: whoever comes later is told to look for the coordinator again.
  void die() { state_ = State::dead; }

  State state() const { return state_; }
  std::int32_t generation() const { return generation_; }
  std::string protocol_type() const { return protocol_type_.value_or(""); }
  std::string protocol_name() const { return protocol_name_.value_or(""); }
  const std::optional<std::string>& leader() const { return leader_; }
  const std::map<std::string, Member>& members() const { return members_; }
  bool has_pending_members() const { return !pending_members_.empty(); }
  std::int64_t state_since_wall_ms() const { return state_since_ms_; }  // -1: not known
  SharedBytes metadata_of(const Member& member, std::string_view protocol) const;

 private:
  using Iterator = std::map<std::string, Member>::iterator;

  // group_joins.cpp
  bool supports(const JoinAsk& ask) const;
  void join_as_new(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step);
  void join_as_known(const JoinAsk& ask, const PendingJoin& pending, GroupStep& step);
  void add_member(const JoinAsk& ask, const std::string& id, const PendingJoin& pending, GroupStep& step);
  void update_member(Member& member, const JoinAsk& ask, const PendingJoin& pending, GroupStep& step);
  void replace_static_member(const JoinAsk& ask, const std::string& old_id, const PendingJoin& pending,
                             GroupStep& step);
  void keep_replaced_member(const JoinAsk& ask, const std::string& old_leader, GroupStep& step);
  JoinAnswer current_answer(const std::string& member_id, bool with_members) const;
  std::string choose_protocol() const;

  // group.cpp
  protocol::ErrorCode check_member(const MemberClaim& who) const;
  void prepare_rebalance(GroupStep& step);
  void rebalance_if_possible(GroupStep& step);
  void try_complete_join(GroupStep& step);
  void complete_join(GroupStep& step);
  bool elect_leader_among_joined();
  void become_empty(GroupStep& step);
  void store_assignments(const SyncAsk& ask, GroupStep& step);
  void give_syncs(protocol::ErrorCode error, GroupStep& step);
  void remove_member(const std::string& id, GroupStep& step);
  void forget_member(Iterator member);
  void refresh(Member& member, std::int64_t now_ms);
  std::int64_t rebalance_timeout_ms() const;
  GroupMetadataValue to_record(std::int64_t wall_ms) const;
  void enter(State state, std::int64_t wall_ms);

  const Limits limits_;
  State state_ = State::empty;
  std::int32_t generation_ = 0;
  std::optional<std::string> protocol_type_, protocol_name_, leader_;
  std::int64_t state_since_ms_ = -1;  // wall
  std::map<std::string, Member> members_;
  std::map<std::string, std::string> static_members_;    // member id by instance id
  std::map<std::string, std::int64_t> pending_members_;  // have an id and not joined yet; until when
  std::set<std::string> unsynced_;                       // members of this generation that have not synced
  bool first_join_ = false;                              // of an empty group: waits for more to come
  bool more_came_ = false;                               // meanwhile
  std::int64_t join_until_ms_ = kNever;                  // while preparing
  std::int64_t join_left_ms_ = 0;                        // by how much a first join may still be put off
  std::int64_t sync_until_ms_ = kNever;                  // while some have not synced
};

std::string_view name_of(Group::State state);  // Kafka's: "PreparingRebalance"

}  // namespace iolab::core
