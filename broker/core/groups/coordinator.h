// The coordinator of all groups of this broker: it finds the group that a request is about, keeps what it must remember
// in __consumer_offsets, and gives every group its time.
//
// Invariant: state changes and appends happen under one lock, so that a replay, which goes through the same apply()
// functions, ends where the broker was. With iolab.flush=commit a commit is acknowledged after its sync, and an answer
// that tells of committed state waits for the same sync.
//
// Threads: load() before the first request; everything else from any. The lock is taken before a partition's, and is
// not held over wake-ups, sends or syncs: those who are to be woken are handed back.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/core/agenda.h"
#include "broker/core/deadlines.h"
#include "broker/core/groups/group.h"
#include "broker/core/groups/offset_table.h"
#include "broker/core/internal_log.h"
#include "broker/core/topic_table.h"

namespace iolab::core {

// What one call may cause, and when it is made.
struct GroupCall {
  Moment now;
  Wakeups& wakeups;
};

struct OffsetToCommit {
  TopicPartition where;
  OffsetCommitValue value = {};
  protocol::ErrorCode error = protocol::ErrorCode::none;  // out: what became of it; others than `none` are skipped
};

struct CommitAsk {
  std::string group;
  MemberClaim who = {};
  std::int32_t generation = -1;
  InternalLog::Producer producer = {-1, -1};  // of a transaction: the offsets count when it commits
};

struct FetchedOffset {
  TopicPartition where = {};
  std::int64_t offset = -1;
  std::int32_t leader_epoch = -1;
  std::string metadata = {};
  protocol::ErrorCode error = protocol::ErrorCode::none;
};

struct GroupDescription {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id, client_host;
    SharedBytes metadata, assignment;  // of a stable group
  };
  std::string group;
  std::string state = "Dead", protocol_type = {}, protocol = {};
  std::vector<Member> members = {};
};

// Where all offsets are kept: what a transaction that commits some is part of.
inline TopicPartition offsets_partition() {
  return {std::string(kConsumerOffsetsTopic), 0};
}

class GroupCoordinator {
 public:
  // All of them must outlive it.
  GroupCoordinator(const BrokerSettings& settings, RandomSource& random, Deadlines& deadlines,
                   const TopicTable& topics);

  // Takes over the topic of offsets and reads everything back. False: it cannot be read, the diary says why, and no
  // group is coordinated. Offsets of topics that are not there any more are forgotten.
  bool load(const TopicPointer& topic, base::BufferPool& buffers, Moment now);
  // not_coordinator: nobody has looked for the coordinator yet, so its log does not exist;
  // coordinator_not_available: it could not be read.
  protocol::ErrorCode availability() const;
  // Whether answers have to wait for the disk.
  bool is_durable() const { return settings_.flush_policy() == FlushPolicy::commit; }
  // For an answer that tells of committed offsets or members: until all of that is on the disk.
  std::expected<void, protocol::ErrorCode> await_sync(const std::shared_ptr<CommitWait>& wait);

  // --- members ---
  void join(JoinAsk ask, const PendingJoin& pending, GroupCall call);
  void sync(const SyncAsk& ask, const PendingSync& pending, GroupCall call);
  protocol::ErrorCode heartbeat(const std::string& group, const MemberClaim& who, std::int32_t generation,
                                GroupCall call);
  // One result for each; the whole is refused if `who` is empty.
  std::vector<protocol::ErrorCode> leave(const std::string& group, const std::vector<MemberClaim>& who, GroupCall call);

  // --- offsets (coordinator_offsets.cpp) ---
  // Appends what may be committed as one batch; every offset gets its result. The answer waits as `wait` says.
  void commit(const CommitAsk& ask, std::vector<OffsetToCommit>& offsets, const std::shared_ptr<CommitWait>& wait,
              GroupCall call);
  // Of the partitions asked for, or all. With require_stable, offsets that a transaction may still change are errors.
  std::vector<FetchedOffset> fetch(const std::string& group, const std::optional<std::vector<TopicPartition>>& wanted,
                                   bool require_stable) const;
  protocol::ErrorCode delete_offsets(const std::string& group, std::vector<OffsetToCommit>& offsets,
                                     const std::shared_ptr<CommitWait>& wait, GroupCall call);
  // The end of a transaction that has committed offsets. `append_marker` appends its control batch to
  // log().partition(), with Origin::coordinator; it is called under the lock, and if it fails nothing changes.
  std::expected<void, protocol::ErrorCode> end_transaction(
      std::int64_t producer_id, bool commit,
      const std::function<std::expected<void, protocol::ErrorCode>()>& append_marker);

  // --- groups as a whole (coordinator_groups.cpp) ---
  GroupDescription describe(const std::string& group) const;
  std::vector<GroupDescription> list() const;  // without members
  protocol::ErrorCode delete_group(const std::string& group, const std::shared_ptr<CommitWait>& wait, GroupCall call);
  void forget_topic(std::string_view topic, GroupCall call);
  void expire_offsets(GroupCall call);  // and groups that nothing is left of

  // Ends what has lasted too long. Returns when to come again: steady milliseconds.
  std::int64_t run_timers(GroupCall call);

  InternalLog& log() { return log_; }

 private:
  struct Entry {
    explicit Entry(std::string id, Group::Limits limits) : name(std::move(id)), group(limits) {}
    std::string name;
    Group group;
    OffsetTable offsets;
    std::int64_t scheduled_ms = Deadlines::kNever;
  };
  class Journal;
  using Entries = std::map<std::string, std::unique_ptr<Entry>, std::less<>>;

  // Runs `body` under the lock, and rings the timer afterwards if it has to come earlier.
  template <class Body>
  auto change(Body&& body) {
    return under_lock(mutex_, agenda_, deadlines_, body);
  }
  template <class Body>
  auto with_group(Entry& entry, GroupCall& call, Body&& body);

  Entry* find(std::string_view group) const;
  Entry& find_or_make(const std::string& group);
  void schedule(Entry& entry) { agenda_.add(entry, entry.group.next_deadline_ms()); }
  Entries::iterator erase(Entries::iterator entry);
  void apply(const protocol::BatchView& batch, const protocol::Record& record, Moment now);
  void end(std::int64_t producer_id, bool commit);
  std::string new_member_id(const JoinAsk& ask);
  bool is_empty(const Entry& entry) const;
  // Appends tombstones, and the end of the group if nothing is left of it. False: it could not be appended.
  bool forget(Entry& entry, const std::vector<TopicPartition>& offsets, bool group_too,
              const std::shared_ptr<CommitWait>& wait, GroupCall& call);
  std::vector<TopicPartition> expired_offsets(const Entry& entry, Moment now) const;

  const BrokerSettings& settings_;
  RandomSource& random_;
  Deadlines& deadlines_;
  const TopicTable& topics_;
  InternalLog log_;

  enum class Loading : std::uint8_t { not_yet, done, failed };
  std::atomic<Loading> loading_{Loading::not_yet};
  mutable std::mutex mutex_;
  Entries groups_;
  Agenda<Entry> agenda_;
  std::map<std::int64_t, std::set<std::string>> transactions_;  // groups with pending offsets, by producer id
};

// Of the topics that a member of protocol type "consumer" reads, as its subscription says; nothing: it cannot be read.
std::optional<std::vector<std::string>> subscribed_topics(const SharedBytes& subscription);

}  // namespace iolab::core
