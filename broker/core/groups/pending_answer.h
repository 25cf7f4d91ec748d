// An answer of a coordinator that is given later: by another connection's request, by a timer, or by the disk.
//
// The request that waits and the coordinator share it. Whoever gives the answer holds the coordinator's lock; the
// waiting connection takes it without. With iolab.flush=commit the answer also waits until what it tells of is on the
// disk. One that nobody takes any more, because its connection has gone, harms nobody.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/waits.h"
#include "broker/core/wakeup.h"
#include "broker/protocol/error_code.h"
#include "broker/protocol/field.h"

namespace iolab::core {

// Members' bytes, which outlive the request that brought them. Null: none.
using SharedBytes = std::shared_ptr<const std::vector<std::byte>>;

inline SharedBytes copy_of(const protocol::Blob& blob) {
  return std::make_shared<const std::vector<std::byte>>(blob.bytes.begin(), blob.bytes.end());
}
inline protocol::Blob blob_of(const SharedBytes& bytes) {
  return bytes ? protocol::Blob(base::Bytes(*bytes), bytes) : protocol::Blob{};
}

struct JoinAnswer {
  struct Member {
    std::string member_id = {};
    std::optional<std::string> group_instance_id = {};
    SharedBytes metadata = {};
  };
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::int32_t generation = -1;
  std::optional<std::string> protocol_type = {}, protocol_name = {};
  std::string leader = {};
  bool skip_assignment = false;
  std::string member_id = {};
  std::vector<Member> members = {};  // for the leader alone
};

struct SyncAnswer {
  protocol::ErrorCode error = protocol::ErrorCode::none;
  std::optional<std::string> protocol_type = {}, protocol_name = {};
  SharedBytes assignment = {};
};

template <class Answer>
class PendingAnswer {
 public:
  explicit PendingAnswer(Wakeup sleeper) : sleeper_(std::move(sleeper)) {}

  const Wakeup& sleeper() const { return sleeper_; }

  // Once. `commit`, if there is one, wakes the sleeper when the disk is done; it may be over already.
  void give(Answer answer, Wakeups& wakeups, std::shared_ptr<CommitWait> commit = nullptr) {
    answer_ = std::move(answer);
    const bool waits = commit && !commit->over();
    commit_ = std::move(commit);
    given_.store(true);
    if (!waits) wakeups.add(sleeper_);
  }

  bool is_given() const { return given_.load(); }  // to whom it may concern; not yet durable
  bool is_ready() const { return given_.load() && (!commit_ || commit_->over()); }
  // Once, when it is ready.
  Answer take() {
    if (!commit_ || !commit_->failed()) return std::move(answer_);
    Answer refused;  // nothing that is not on the disk is told
    refused.error = protocol::ErrorCode::not_coordinator;
    return refused;
  }

 private:
  const Wakeup sleeper_;
  Answer answer_;
  std::shared_ptr<CommitWait> commit_;
  std::atomic<bool> given_{false};  // the release of what stands above it
};

using PendingJoin = std::shared_ptr<PendingAnswer<JoinAnswer>>;
using PendingSync = std::shared_ptr<PendingAnswer<SyncAnswer>>;

}  // namespace iolab::core
