#include "broker/core/properties.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "broker/core/property_values.h"

namespace iolab::core {
namespace {

using B = BrokerSettings;
using T = TopicSettings;
constexpr std::int64_t kInt = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kLong = std::numeric_limits<std::int64_t>::max();
constexpr auto boolean = PropertyType::boolean;
constexpr auto string = PropertyType::string;
constexpr auto integer = PropertyType::integer;
constexpr auto long_integer = PropertyType::long_integer;
constexpr auto decimal = PropertyType::decimal;
constexpr auto list = PropertyType::list;
constexpr auto none = Unit::none;
constexpr auto bytes = Unit::bytes;
constexpr auto milliseconds = Unit::milliseconds;

// clang-format off
constexpr std::array kProperties{
    Property{"listeners", "", list, none, "PLAINTEXT://127.0.0.1:9092", 0, 0, "",
             "Where to listen: PLAINTEXT://address:port; port 0 lets the kernel choose.", &B::listeners},
    Property{"advertised.listeners", "", list, none, "", 0, 0, "",
             "What clients are told to connect to, if it differs from listeners.", &B::advertised_listeners},
    Property{"node.id", "", integer, none, "1", 0, kInt, "", "This broker's id.", &B::node_id},
    Property{"broker.id", "", integer, none, "-1", -1, kInt, "", "Old name of node.id; -1: not given.", &B::broker_id},
    Property{"log.dirs", "", list, none, "iolab-data", 0, 0, "", "The data directory; one.", &B::log_dirs},
    Property{"num.partitions", "", integer, none, "1", 1, 10'000, "",
             "Partitions of a topic that is created without saying how many.", &B::num_partitions},
    Property{"default.replication.factor", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one broker.", &B::default_replication_factor},
    Property{"auto.create.topics.enable", "", boolean, none, "true", 0, 0, "",
             "Whether asking for an unknown topic's metadata creates it.", &B::auto_create_topics},
    Property{"delete.topic.enable", "", boolean, none, "true", 0, 0, "",
             "Whether DeleteTopics deletes.", &B::delete_topics},
    Property{"message.max.bytes", "max.message.bytes", integer, bytes, "1048588", 0, kInt, "",
             "Largest record batch that is accepted.", &T::max_message_bytes},
    Property{"socket.request.max.bytes", "", integer, bytes, "104857600", 1, kInt, "",
             "Largest request frame; a larger one closes the connection.", &B::socket_request_max_bytes},
    Property{"fetch.max.bytes", "", integer, bytes, "57671680", 1024, kInt, "",
             "Most record bytes in one Fetch answer, whatever the client allows.", &B::fetch_max_bytes},
    Property{"max.incremental.fetch.session.cache.slots", "", integer, none, "0", 0, kInt, "",
             "Read but without effect: every Fetch is a full one.", &B::fetch_session_slots},
    Property{"connections.max.idle.ms", "", long_integer, milliseconds, "600000", -1, kLong, "",
             "Read but without effect: idle connections are kept.", &B::connections_max_idle_ms},
    Property{"log.segment.bytes", "segment.bytes", integer, bytes, "1073741824", 1024, kInt, "",
             "A segment file is closed before it grows beyond this.", &T::segment_bytes},
    Property{"log.roll.ms", "segment.ms", long_integer, milliseconds, "", 1, kLong, "",
             "A segment file is closed when its first record is older than this.", &T::segment_ms},
    Property{"log.roll.hours", "", integer, Unit::hours, "168", 1, kInt, "",
             "As log.roll.ms, if that is not given.", &B::roll_hours},
    Property{"log.retention.ms", "retention.ms", long_integer, milliseconds, "", -1, kLong, "",
             "Segments whose newest record is older are deleted; -1: never.", &T::retention_ms},
    Property{"log.retention.minutes", "", integer, Unit::minutes, "", -1, kInt, "",
             "As log.retention.ms, if that is not given.", &B::retention_minutes},
    Property{"log.retention.hours", "", integer, Unit::hours, "168", -1, kInt, "",
             "As log.retention.ms, if neither that nor the minutes are given.", &B::retention_hours},
    Property{"log.retention.bytes", "retention.bytes", long_integer, bytes, "-1", -1, kLong, "",
             "A partition's oldest segments beyond this size are deleted; -1: no limit.", &T::retention_bytes},
    Property{"log.retention.check.interval.ms", "", long_integer, milliseconds, "300000", 1, kLong, "",
             "How often retention is applied.", &B::retention_check_interval_ms},
    Property{"log.index.size.max.bytes", "segment.index.bytes", integer, bytes, "10485760", 4, kInt, "",
             "A segment file is closed before its offset index grows beyond this.", &T::segment_index_bytes},
    Property{"log.index.interval.bytes", "index.interval.bytes", integer, bytes, "4096", 0, kInt, "",
             "Log bytes between two entries of the sparse offset index.", &T::index_interval_bytes},
    Property{"log.flush.interval.ms", "flush.ms", long_integer, milliseconds, "1000", 1, kLong, "",
             "With iolab.flush=interval: longest time from an append to its fsync.", &T::flush_interval_ms},
    Property{"log.message.timestamp.type", "message.timestamp.type", string, none, "CreateTime", 0, 0,
             "CreateTime|LogAppendTime", "Whose clock dates a record: the producer's or the broker's.",
             &T::timestamp_type},
    Property{"log.cleanup.policy", "cleanup.policy", list, none, "delete", 0, 0, "delete|compact",
             "What becomes of old segments: deleted by retention, compacted to the last record of each key, or both.",
             &T::cleanup_policy},
    Property{"log.cleaner.enable", "", boolean, none, "true", 0, 0, "",
             "Whether topics are compacted that ask for it.", &B::cleaner},
    Property{"log.cleaner.backoff.ms", "", long_integer, milliseconds, "15000", 1, kLong, "",
             "How often logs are looked at for something to compact.", &B::cleaner_backoff_ms},
    Property{"log.cleaner.dedupe.buffer.size", "", long_integer, bytes, "134217728", 1'048'576, kLong, "",
             "Memory for the keys of one log while it is compacted; what finds no room waits for the next time.",
             &B::cleaner_key_bytes},
    Property{"log.cleaner.min.cleanable.ratio", "min.cleanable.dirty.ratio", decimal, none, "0.5", 0, 1, "",
             "A log is compacted when more of it than this was not compacted yet.", &T::min_cleanable_ratio},
    Property{"log.cleaner.min.compaction.lag.ms", "min.compaction.lag.ms", long_integer, milliseconds, "0", 0, kLong,
             "", "Younger records are not compacted.", &T::min_compaction_lag_ms},
    Property{"log.cleaner.max.compaction.lag.ms", "max.compaction.lag.ms", long_integer, milliseconds,
             "9223372036854775807", 1, kLong, "",
             "Older records are compacted however small their part; segments are closed in time for it.",
             &T::max_compaction_lag_ms},
    Property{"log.cleaner.delete.retention.ms", "delete.retention.ms", long_integer, milliseconds, "86400000", 0, kLong,
             "", "How long a record without a value is kept after the values before it were compacted away.",
             &T::delete_retention_ms},
    Property{"compression.type", "compression.type", string, none, "producer", 0, 0,
             "producer|uncompressed|gzip|snappy|lz4|zstd",
             "The codec in which batches are kept; producer: as they came.", &T::compression_type},
    Property{"min.insync.replicas", "min.insync.replicas", integer, none, "1", 1, kInt, "",
             "With more than 1 a record for acks=all is refused: there is one broker.", &T::min_insync_replicas},
    Property{"producer.id.expiration.ms", "", integer, milliseconds, "86400000", 1, kInt, "",
             "How long a partition remembers a silent idempotent producer.", &B::producer_id_expiration_ms},
    Property{"group.min.session.timeout.ms", "", integer, milliseconds, "6000", 0, kInt, "",
             "Shortest session timeout that a member of a group may ask for.", &B::group_min_session_timeout_ms},
    Property{"group.max.session.timeout.ms", "", integer, milliseconds, "1800000", 0, kInt, "",
             "Longest session timeout that a member of a group may ask for.", &B::group_max_session_timeout_ms},
    Property{"group.initial.rebalance.delay.ms", "", integer, milliseconds, "3000", 0, kInt, "",
             "How long an empty group waits for more members, again after each that comes, before it starts.",
             &B::group_initial_rebalance_delay_ms},
    Property{"group.max.size", "", integer, none, "2147483647", 1, kInt, "",
             "Most members of one group.", &B::group_max_size},
    Property{"offset.metadata.max.bytes", "", integer, bytes, "4096", 0, kInt, "",
             "Longest text that a client may commit along with an offset.", &B::offset_metadata_max_bytes},
    Property{"offsets.retention.minutes", "", integer, Unit::minutes, "10080", 1, kInt, "",
             "How long offsets outlive the last member of their group, or their last commit if it never had any.",
             &B::offsets_retention_minutes},
    Property{"offsets.retention.check.interval.ms", "", long_integer, milliseconds, "600000", 1, kLong, "",
             "How often offsets are looked at for that.", &B::offsets_retention_check_interval_ms},
    Property{"offsets.topic.num.partitions", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one coordinator of groups.", &B::offsets_partitions},
    Property{"offsets.topic.replication.factor", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one broker.", &B::offsets_replication_factor},
    Property{"offsets.topic.segment.bytes", "", integer, bytes, "104857600", 1024, kInt, "",
             "As log.segment.bytes, for the topic of committed offsets.", &B::offsets_segment_bytes},
    Property{"transactional.id.expiration.ms", "", integer, milliseconds, "604800000", 1, kInt, "",
             "How long a transactional id is remembered that nobody uses.", &B::transactional_id_expiration_ms},
    Property{"transaction.max.timeout.ms", "", integer, milliseconds, "900000", 1, kInt, "",
             "Longest transaction timeout that a producer may ask for.", &B::transaction_max_timeout_ms},
    Property{"transaction.abort.timed.out.transaction.cleanup.interval.ms", "", integer, milliseconds, "10000", 1, kInt,
             "", "Read but without effect: a transaction is aborted when its time is up, and not up to 10 s later.",
             &B::transaction_abort_interval_ms},
    Property{"transaction.remove.expired.transaction.cleanup.interval.ms", "", integer, milliseconds, "3600000", 1,
             kInt, "", "How often transactional ids are looked at for their expiration.",
             &B::transaction_expiry_interval_ms},
    Property{"transaction.partition.verification.enable", "", boolean, none, "true", 0, 0, "",
             "Whether a batch is refused whose partition was not added to its transaction.", &B::verify_transactions},
    Property{"transaction.state.log.num.partitions", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one coordinator of transactions.", &B::transaction_partitions},
    Property{"transaction.state.log.replication.factor", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one broker.", &B::transaction_replication_factor},
    Property{"transaction.state.log.min.isr", "", integer, none, "1", 1, 1, "",
             "Always 1: there is one broker.", &B::transaction_min_isr},
    Property{"transaction.state.log.segment.bytes", "", integer, bytes, "104857600", 1024, kInt, "",
             "As log.segment.bytes, for the topic of transactions.", &B::transaction_segment_bytes},
    Property{"iolab.cluster.id", "", string, none, "", 0, 0, "",
             "Overrides the cluster id that the data directory holds.", &B::cluster_id},
    Property{"iolab.any.replication.factor", "", boolean, none, "false", 0, 0, "",
             "Whether topics may be created with a larger replication factor: there is one replica all the same.",
             &B::any_replication_factor},
    Property{"iolab.flush", "", string, none, "os", 0, 0, "os|interval|commit",
             "When an acknowledged record is on the disk.", &B::flush},
    Property{"iolab.fetch.cold", "", string, none, "inline", 0, 0, "inline|pool|io_uring",
             "Who reads what is not in memory: the thread that serves the connection, threads for it, or the kernel.",
             &B::fetch_cold},
    Property{"iolab.fetch.read.ahead", "", boolean, none, "true", 0, 0, "",
             "Whether the kernel may read behind what a fetch from the disk asks for; false: every such fetch waits.",
             &B::fetch_read_ahead},
    Property{"iolab.requests.per.turn", "", integer, none, "64", 1, 100'000, "",
             "Requests of one connection answered before what they produced is sent.", &B::requests_per_turn},
    Property{"iolab.output.high.water.bytes", "", integer, bytes, "1048576", 1, kInt, "",
             "Answer bytes waiting for one connection beyond which its next request waits.",
             &B::output_high_water_bytes},
    Property{"iolab.spin.rounds", "", integer, none, "0", 0, 10'000'000, "",
             "Rounds of wasted arithmetic for each request: a known slow-down, to test what the lab can see.",
             &B::spin_rounds},
    // What follows is known, checked and kept, and nothing more.
    Property{"log.flush.interval.messages", "flush.messages", long_integer, none, "9223372036854775807", 1, kLong, "",
             "Read but without effect: iolab.flush says when a log is synced.", WithoutEffect{}},
    Property{"log.segment.delete.delay.ms", "file.delete.delay.ms", long_integer, milliseconds, "60000", 0, kLong, "",
             "Read but without effect: a file is removed at once, and whoever reads it keeps it.", WithoutEffect{}},
    Property{"log.roll.jitter.ms", "segment.jitter.ms", long_integer, milliseconds, "0", 0, kLong, "",
             "Read but without effect.", WithoutEffect{}},
    Property{"log.preallocate", "preallocate", boolean, none, "false", 0, 0, "",
             "Read but without effect: files grow with what is appended.", WithoutEffect{}},
    Property{"unclean.leader.election.enable", "unclean.leader.election.enable", boolean, none, "false", 0, 0, "",
             "Read but without effect: there is one broker.", WithoutEffect{}},
    Property{"log.message.timestamp.before.max.ms", "message.timestamp.before.max.ms", long_integer, milliseconds,
             "9223372036854775807", 0, kLong, "", "Read but without effect: any time is accepted.", WithoutEffect{}},
    Property{"log.message.timestamp.after.max.ms", "message.timestamp.after.max.ms", long_integer, milliseconds,
             "9223372036854775807", 0, kLong, "", "Read but without effect: any time is accepted.", WithoutEffect{}},
    Property{"log.message.timestamp.difference.max.ms", "message.timestamp.difference.max.ms", long_integer,
             milliseconds, "9223372036854775807", 0, kLong, "",
             "Read but without effect: any time is accepted.", WithoutEffect{}},
    Property{"log.message.downconversion.enable", "message.downconversion.enable", boolean, none, "true", 0, 0, "",
             "Read but without effect: batches are never converted to an older format.", WithoutEffect{}},
    Property{"log.message.format.version", "message.format.version", string, none, "3.0-IV1", 0, 0, "",
             "Read but without effect: the format is always 2.", WithoutEffect{}},
    Property{"compression.gzip.level", "compression.gzip.level", integer, none, "-1", -1, 9, "",
             "Read but without effect.", WithoutEffect{}},
    Property{"compression.lz4.level", "compression.lz4.level", integer, none, "9", 1, 17, "",
             "Read but without effect.", WithoutEffect{}},
    Property{"compression.zstd.level", "compression.zstd.level", integer, none, "3", -131'072, 22, "",
             "Read but without effect.", WithoutEffect{}},
    Property{"leader.replication.throttled.replicas", "leader.replication.throttled.replicas", list, none, "", 0, 0, "",
             "Read but without effect: nothing is replicated.", WithoutEffect{}},
    Property{"follower.replication.throttled.replicas", "follower.replication.throttled.replicas", list, none, "", 0, 0,
             "", "Read but without effect: nothing is replicated.", WithoutEffect{}},
    Property{"remote.storage.enable", "remote.storage.enable", boolean, none, "false", 0, 0, "",
             "Read but without effect: records are kept here alone.", WithoutEffect{}},
    Property{"remote.log.copy.disable", "remote.log.copy.disable", boolean, none, "false", 0, 0, "",
             "Read but without effect: records are kept here alone.", WithoutEffect{}},
    Property{"remote.log.delete.on.disable", "remote.log.delete.on.disable", boolean, none, "false", 0, 0, "",
             "Read but without effect: records are kept here alone.", WithoutEffect{}},
    Property{"log.local.retention.ms", "local.retention.ms", long_integer, milliseconds, "-2", -2, kLong, "",
             "Read but without effect: records are kept here alone.", WithoutEffect{}},
    Property{"log.local.retention.bytes", "local.retention.bytes", long_integer, bytes, "-2", -2, kLong, "",
             "Read but without effect: records are kept here alone.", WithoutEffect{}},
};
// clang-format on

}  // namespace

std::span<const Property> properties() {
  return kProperties;
}

const Property* find_property(std::string_view name) {
  const auto* found = std::ranges::find(kProperties, name, &Property::name);
  return found == kProperties.end() ? nullptr : found;
}

const Property* find_topic_property(std::string_view name) {
  if (name.empty()) return nullptr;
  const auto* found = std::ranges::find(kProperties, name, &Property::topic_name);
  return found == kProperties.end() ? nullptr : found;
}

std::vector<std::string> list_elements(std::string_view text) {
  std::vector<std::string> elements;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view element = text.substr(0, comma);
    while (element.starts_with(' ')) element.remove_prefix(1);
    while (element.ends_with(' ')) element.remove_suffix(1);
    if (!element.empty()) elements.emplace_back(element);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return elements;
}

BrokerSettings default_settings() {
  BrokerSettings settings{};
  for (const Property& property : kProperties) {
    if (std::holds_alternative<WithoutEffect>(property.member)) continue;  // what is not kept is the default
    const bool is_number = property.type == integer || property.type == long_integer;
    if (is_number && property.default_value.empty()) {
      if (const auto* member = std::get_if<std::int64_t B::*>(&property.member)) settings.** member = kUnset;
      if (const auto* member = std::get_if<std::int64_t T::*>(&property.member))
        settings.topic_defaults.** member = kUnset;
      continue;
    }
    (void)assign_property(settings, settings.topic_defaults, property, property.name, property.default_value);
  }
  return settings;
}

std::expected<void, std::string> set_property(BrokerSettings& settings, std::string_view name, std::string_view value) {
  const Property* property = find_property(name);
  if (property == nullptr) {
    if (const Property* of_topic = find_topic_property(name)) {
      return std::unexpected(
          fmt::format("{} is a topic's setting; the broker's default for it is {}", name, of_topic->name));
    }
    return std::unexpected(fmt::format("unknown property {}{}", name, what_else(name, &Property::name)));
  }
  auto done = assign_property(settings, settings.topic_defaults, *property, name, value);
  if (done) settings.given.insert_or_assign(std::string{name}, std::string{value});
  return done;
}

std::expected<void, std::string> settle(BrokerSettings& settings) {
  constexpr std::int64_t kHourMs = 3'600'000;
  constexpr std::int64_t kMinuteMs = 60'000;
  TopicSettings& topic = settings.topic_defaults;
  if (topic.segment_ms == kUnset) {
    topic.segment_ms = settings.roll_hours * kHourMs;
    if (settings.given.contains("log.roll.hours")) settings.given["log.roll.ms"] = fmt::format("{}", topic.segment_ms);
  }
  if (topic.retention_ms == kUnset) {
    const bool minutes = settings.retention_minutes != kUnset;
    const std::int64_t amount = minutes ? settings.retention_minutes : settings.retention_hours;
    topic.retention_ms = amount < 0 ? -1 : amount * (minutes ? kMinuteMs : kHourMs);
    if (minutes || settings.given.contains("log.retention.hours")) {
      settings.given["log.retention.ms"] = fmt::format("{}", topic.retention_ms);
    }
  }
  if (settings.given.contains("broker.id") && settings.broker_id >= 0) {
    if (settings.given.contains("node.id") && settings.node_id != settings.broker_id) {
      return std::unexpected(fmt::format("node.id={} and broker.id={} name the same thing; give one of them",
                                         settings.node_id, settings.broker_id));
    }
    settings.node_id = settings.broker_id;
  }
  if (settings.log_dirs.empty()) return std::unexpected("log.dirs is empty; name a directory");
  if (settings.log_dirs.contains(',')) {
    return std::unexpected(
        fmt::format("log.dirs={}: name one directory; several are not supported", settings.log_dirs));
  }
  return {};
}

std::expected<TopicSettings, std::string> topic_settings(const BrokerSettings& broker, const Overrides& overrides) {
  TopicSettings topic = broker.topic_defaults;
  for (const auto& [name, value] : overrides) {
    const Property* property = find_topic_property(name);
    if (property == nullptr) {
      return std::unexpected(fmt::format("unknown topic setting {}{}", name, what_else(name, &Property::topic_name)));
    }
    BrokerSettings unused{};  // a row with a topic-level name points into TopicSettings
    if (auto done = assign_property(unused, topic, *property, name, value); !done) return std::unexpected(done.error());
  }
  if (topic.min_compaction_lag_ms > topic.max_compaction_lag_ms) {
    return std::unexpected(fmt::format("min.compaction.lag.ms={} is larger than max.compaction.lag.ms={}",
                                       topic.min_compaction_lag_ms, topic.max_compaction_lag_ms));
  }
  return topic;
}

std::string property_text(const BrokerSettings& settings, const Property& property) {
  return member_text(settings, settings.topic_defaults, property);
}

std::string topic_property_text(const BrokerSettings& settings, const TopicSettings& topic, const Property& property) {
  return member_text(settings, topic, property);
}

}  // namespace iolab::core
