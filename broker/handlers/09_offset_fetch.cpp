// OffsetFetch, versions 1 to 9: how far groups have come.
//
// Behaviour    Offset -1 without an error where nothing was committed, also in a group that nobody knows. No list of
//              topics means all that the group has offsets of. With require_stable an offset that an open transaction
//              may still change is UNSTABLE_OFFSET_COMMIT. With iolab.flush=commit the answer waits until what it tells
//              is on the disk.
// Not here     member ids and epochs of KIP-848 groups are not looked at.
#include "broker/protocol/messages/09_offset_fetch.h"

#include "broker/handlers/entries.h"
#include "broker/handlers/group_answers.h"

namespace iolab::handlers {
namespace {

using protocol::ErrorCode;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

constexpr std::int16_t kFirstVersionWithError = 2;
constexpr std::int16_t kFirstVersionWithGroups = 8;

template <class Topic>
std::optional<std::vector<core::TopicPartition>> partitions_of(const std::optional<std::vector<Topic>>& topics) {
  if (!topics) return std::nullopt;
  std::vector<core::TopicPartition> wanted;
  for (const auto& topic : *topics) {
    for (const std::int32_t index : topic.partition_indexes) wanted.push_back({topic.name, index});
  }
  return wanted;
}

// Offsets of one topic stand together, in what was asked for as in what is known.
template <class Topic>
void fill(std::vector<Topic>& topics, const std::vector<core::FetchedOffset>& offsets) {
  for (const core::FetchedOffset& offset : offsets) {
    if (topics.empty() || topics.back().name != offset.where.topic) topics.emplace_back().name = offset.where.topic;
    topics.back().partitions.push_back({.partition_index = offset.where.partition,
                                        .committed_offset = offset.offset,
                                        .committed_leader_epoch = offset.leader_epoch,
                                        .metadata = offset.metadata,
                                        .error_code = offset.error});
  }
}

void refuse_all(OffsetFetchResponse& response, ErrorCode code) {
  response.error_code = code;
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      partition = {.partition_index = partition.partition_index, .committed_offset = -1, .error_code = code};
    }
  }
  for (auto& group : response.groups) {
    group.error_code = code;
    group.topics.clear();
  }
}

void refuse(OffsetFetchResponse& response) {
  refuse_all(response, ErrorCode::not_coordinator);
}

Outcome handle(Request& request, OffsetFetchRequest& wanted, base::GatherBuffer& out) {
  core::GroupCoordinator& groups = request.broker.groups();
  OffsetFetchResponse response;
  if (request.header.api_version >= kFirstVersionWithGroups) {
    for (const auto& asked : wanted.groups) {
      auto& group = response.groups.emplace_back();
      group.group_id = asked.group_id;
      fill(group.topics, groups.fetch(asked.group_id, partitions_of(asked.topics), wanted.require_stable));
    }
  } else {
    fill(response.topics, groups.fetch(wanted.group_id, partitions_of(wanted.topics), wanted.require_stable));
  }
  if (const ErrorCode code = groups.availability(); code != ErrorCode::none) {
    refuse_all(response, code);
    if (request.header.api_version >= kFirstVersionWithError) response.topics.clear();
    return answer(request, response, out);
  }
  return tell_after_sync(request, groups, std::move(response), refuse, out);
}

}  // namespace

ApiEntry offset_fetch() {
  return {&protocol::kOffsetFetch, decode_and_handle<OffsetFetchRequest, handle>,
          "Of some partitions or all, from version 8 on of several groups; `require_stable` is honoured. No member "
          "epochs."};
}

}  // namespace iolab::handlers
