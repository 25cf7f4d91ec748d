// What stands in the small text files of a data directory, as text and back. FORMAT.md shows one of each.
//
// Texts that only the broker writes end in a line with a checksum of what is before it, so a damaged one is found and
// not half believed. meta.properties has none: people may look into it with an editor.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "broker/storage/cleaner_offsets.h"
#include "broker/storage/log_directory.h"

namespace iolab::storage {

inline constexpr std::int32_t kMostPartitions = 100'000;  // "-99999" behind 249 characters is the longest file name

using PartitionOffsets = std::map<std::pair<std::string, std::int32_t>, std::int64_t>;

std::string hex_of(const TopicId& id);
// For messages: what cannot be printed is escaped, and the end of a very long text left out.
std::string in_quotes(std::string_view text);

std::string identity_text(const DirectoryIdentity& identity);
// refused: another product's or a newer format. The message continues "its meta.properties ...".
Expected<DirectoryIdentity> parse_identity(std::string_view text);

std::string topic_text(const TopicDescription& topic);
Expected<TopicDescription> parse_topic(std::string_view text);

// cleaner_offsets.h says what they mean.
std::string cleaner_offsets_text(const CleanerOffsets& offsets);
Expected<CleanerOffsets> parse_cleaner_offsets(std::string_view text);

// Kafka's checkpoint files: version, count, one line of topic, partition and offset each; then our checksum.
std::string offsets_text(const PartitionOffsets& offsets);
Expected<PartitionOffsets> parse_offsets(std::string_view text);

}  // namespace iolab::storage
