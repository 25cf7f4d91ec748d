#include "broker/handlers/dispatch.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "broker/handlers/entries.h"
#include "broker/protocol/messages/18_api_versions.h"

namespace iolab::handlers {
namespace {

constexpr std::int16_t kApiVersionsKey = static_cast<std::int16_t>(protocol::ApiKey::api_versions);

const ApiEntry* find(std::int16_t key) {
  const auto table = apis();
  const auto found =
      std::ranges::find(table, key, [](const ApiEntry& entry) { return static_cast<std::int16_t>(entry.api->key); });
  return found == table.end() ? nullptr : &*found;
}

// KIP-511: in a version that every client reads, with the range to try again with.
Outcome say_which_versions(const protocol::RequestHeader& header, base::GatherBuffer& out) {
  constexpr const protocol::Api& api = protocol::kApiVersions;
  protocol::ApiVersionsResponse response;
  response.error_code = protocol::ErrorCode::unsupported_version;
  response.api_keys.push_back({kApiVersionsKey, api.first, api.last});
  return protocol::write_response(out, header.correlation_id, 0, response) ? answered() : close_connection();
}

}  // namespace

std::span<const ApiEntry> apis() {
  static const std::array table{produce(),
                                fetch(),
                                list_offsets(),
                                metadata(),
                                offset_commit(),
                                offset_fetch(),
                                find_coordinator(),
                                join_group(),
                                heartbeat(),
                                leave_group(),
                                sync_group(),
                                describe_groups(),
                                list_groups(),
                                api_versions(),
                                create_topics(),
                                delete_topics(),
                                delete_records(),
                                init_producer_id(),
                                offset_for_leader_epoch(),
                                add_partitions_to_txn(),
                                add_offsets_to_txn(),
                                end_txn(),
                                write_txn_markers(),
                                txn_offset_commit(),
                                describe_configs(),
                                alter_configs(),
                                describe_log_dirs(),
                                create_partitions(),
                                delete_groups(),
                                elect_leaders(),
                                incremental_alter_configs(),
                                alter_partition_reassignments(),
                                list_partition_reassignments(),
                                offset_delete(),
                                describe_cluster(),
                                describe_producers(),
                                describe_transactions(),
                                list_transactions(),
                                describe_topic_partitions()};
  return table;
}

Outcome dispatch(base::Bytes frame, core::Broker& broker, core::Moment now, const core::Wakeup& sleeper,
                 core::Wakeups& wakeups, base::GatherBuffer& out) {
  const auto header = protocol::peek_request_header(frame);
  if (!header) return close_connection();
  const ApiEntry* entry = find(header->api_key);
  if (entry == nullptr) return close_connection();
  if (!entry->api->speaks(header->api_version)) {
    return header->api_key == kApiVersionsKey ? say_which_versions(*header, out) : close_connection();
  }
  auto whole = protocol::read_request_header(frame, entry->api->is_flexible(header->api_version));
  if (!whole) return close_connection();
  Request request{broker, now, std::move(whole->header), whole->body, sleeper, wakeups};
  return entry->handle(request, out);
}

std::string describe_support() {
  std::string text =
      "# What of Kafka's protocol this broker speaks\n\n"
      "Made from the table of APIs in `broker/handlers/dispatch.cpp`, which also answers ApiVersions; a test compares\n"
      "the two. What is not in the table is not advertised, and a request for it closes the connection.\n\n"
      "| key | API | advertised | spoken | flexible from | behaviour |\n"
      "|---:|---|---|---|---|---|\n";
  for (const ApiEntry& entry : apis()) {
    const protocol::Api& api = *entry.api;
    fmt::format_to(std::back_inserter(text), "| {} | {} | {}-{} | {}-{} | {} | {} |\n",
                   static_cast<std::int16_t>(api.key), api.name, api.advertised_first, api.last, api.first, api.last,
                   api.flexible == protocol::kNeverFlexible ? std::string("never") : std::to_string(api.flexible),
                   entry.behaviour);
  }
  text +=
      "\n## Settings\n\nKafka's names; our own begin with `iolab.`. The same table answers DescribeConfigs.\n\n"
      "| property | of a topic | default | what it does |\n|---|---|---|---|\n";
  for (const core::Property& property : core::properties()) {
    const auto code = [](std::string_view name) { return name.empty() ? std::string() : fmt::format("`{}`", name); };
    std::string summary{property.summary};
    fmt::format_to(std::back_inserter(text), "| {} | {} | {} | {} |\n", code(property.name), code(property.topic_name),
                   code(property.default_value), summary);
  }
  return text;
}

}  // namespace iolab::handlers
