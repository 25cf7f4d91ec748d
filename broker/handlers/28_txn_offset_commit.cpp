// TxnOffsetCommit, versions 0 to 3: how far a group has come, if the transaction is committed.
//
// Behaviour    As OffsetCommit, but the offsets are pending until the transaction ends. The group must have been added
// to
//              the producer's transaction, or INVALID_TXN_STATE; members say their generation from version 3 on, and
//              before that nobody asks. With iolab.flush=commit the answer waits for the sync.
#include "broker/protocol/messages/28_txn_offset_commit.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::TxnOffsetCommitRequest;
using protocol::TxnOffsetCommitResponse;

void refuse(TxnOffsetCommitResponse& response) {
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == ErrorCode::none) partition.error_code = ErrorCode::not_coordinator;
    }
  }
}

// Of the whole request. `verified` is taken first, as for Produce; in whose words verify() answers, too.
ErrorCode check(const Request& request, const TxnOffsetCommitRequest& wanted, core::Partition::Verified& verified) {
  if (wanted.group_id.empty()) return ErrorCode::invalid_group_id;
  core::GroupCoordinator& groups = request.broker.groups();
  if (const ErrorCode code = groups.availability(); code != ErrorCode::none) return code;
  verified = groups.log().partition()->marker_offset(wanted.producer_id);
  const ErrorCode code = request.broker.transactions().verify(wanted.transactional_id, wanted.producer_id,
                                                              wanted.producer_epoch, core::offsets_partition());
  return code == ErrorCode::not_enough_replicas ? ErrorCode::concurrent_transactions : code;
}

Outcome handle(Request& request, TxnOffsetCommitRequest& wanted, base::GatherBuffer& out) {
  std::vector<core::OffsetToCommit> offsets = offsets_to_commit(request, wanted.topics);
  TxnOffsetCommitResponse response;
  auto wait = commit_wait(request);
  core::Partition::Verified verified;
  if (const ErrorCode code = check(request, wanted, verified); code != ErrorCode::none) {
    for (core::OffsetToCommit& offset : offsets) offset.error = code;
  } else {
    request.broker.groups().commit({.group = wanted.group_id,
                                    .who = {wanted.member_id, wanted.group_instance_id},
                                    .generation = wanted.generation_id_or_member_epoch,
                                    .producer = {wanted.producer_id, wanted.producer_epoch, verified}},
                                   offsets, wait, {request.now, request.wakeups});
  }
  tell_each(wanted.topics, offsets, response.topics);
  return answer_after_sync(request, std::move(response), std::move(wait), refuse, out);
}

}  // namespace

ApiEntry txn_offset_commit() {
  return {&protocol::kTxnOffsetCommit, decode_and_handle<TxnOffsetCommitRequest, handle>,
          "Pending until the transaction ends; then they count, or never did. No member epochs."};
}

}  // namespace iolab::handlers
