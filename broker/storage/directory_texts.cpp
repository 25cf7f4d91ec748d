#include "broker/storage/directory_texts.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

#include "broker/base/bytes.h"
#include "broker/base/crc32c.h"

namespace iolab::storage {
namespace {

constexpr int kDirectoryFormat = 1;
constexpr int kTopicFormat = 1;
constexpr std::string_view kChecksumKey = "crc32c ";

std::unexpected<StorageError> wrong(std::string message, StorageFault fault = StorageFault::corrupt) {
  return std::unexpected(StorageError{fault, std::move(message)});
}

template <class Number>
std::optional<Number> number_of(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Takes the next line off `text`.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

// Takes what stands before `separator` off `text`; all of it if there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

std::string with_checksum(std::string text) {
  return text + fmt::format("{}{:08x}\n", kChecksumKey, base::crc32c(base::as_bytes(text)));
}

// What stands before a right checksum line.
Expected<std::string_view> without_checksum(std::string_view text) {
  const std::size_t line = text.rfind(kChecksumKey);
  if (line == std::string_view::npos || !text.ends_with('\n')) return wrong("its last line is missing");
  const std::string_view value = text.substr(line + kChecksumKey.size(), text.size() - line - kChecksumKey.size() - 1);
  const std::string_view content = text.substr(0, line);
  if (value.size() != 8 || number_of<std::uint32_t>(value, 16) != base::crc32c(base::as_bytes(content)))
    return wrong("its checksum is wrong");
  return content;
}

// Values of configurations are free text: line ends and percent signs are written as %0a and the like.
std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '%' || c == 0x7f) {
      result += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto code = number_of<std::uint8_t>(text.substr(i + 1, 2), 16);
    if (!code || i + 2 >= text.size()) return std::nullopt;
    result += static_cast<char>(*code);
    i += 2;
  }
  return result;
}

std::optional<TopicId> id_of(std::string_view hex) {
  TopicId id{};
  if (hex.size() != 2 * id.size()) return std::nullopt;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto value = number_of<std::uint8_t>(hex.substr(2 * i, 2), 16);
    if (!value) return std::nullopt;
    id[i] = std::byte{*value};
  }
  return id;
}

}  // namespace

std::string hex_of(const TopicId& id) {
  std::string hex;
  for (const std::byte b : id) hex += fmt::format("{:02x}", std::to_integer<unsigned>(b));
  return hex;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMostShown = 60;
  return fmt::format("\"{}{}\"", escaped(text.substr(0, kMostShown)), text.size() > kMostShown ? "..." : "");
}

std::string identity_text(const DirectoryIdentity& identity) {
  return fmt::format("# The data directory of an iolab broker\nversion=1\ncluster.id={}\nnode.id={}\niolab.format={}\n",
                     identity.cluster_id, identity.node_id, kDirectoryFormat);
}

Expected<DirectoryIdentity> parse_identity(std::string_view text) {
  DirectoryIdentity identity;
  std::optional<int> format;
  std::optional<std::int32_t> node_id;
  while (!text.empty()) {
    std::string_view value = take_line(text);
    if (value.starts_with('#')) continue;
    const std::string_view key = take_until(value, '=');
    if (key == "cluster.id") identity.cluster_id = value;
    if (key == "node.id") node_id = number_of<std::int32_t>(value);
    if (key == "iolab.format") format = number_of<int>(value);
  }
  if (!format)
    return wrong("has no iolab.format: another program wrote it; choose another directory with log.dirs",
                 StorageFault::refused);
  if (*format > kDirectoryFormat)
    return wrong(fmt::format("says iolab.format={}, and this program knows formats up to {}; use the newer iolab that "
                             "wrote it, or choose another directory with log.dirs",
                             *format, kDirectoryFormat),
                 StorageFault::refused);
  if (!node_id || identity.cluster_id.empty())
    return wrong("lacks node.id or cluster.id; restore the file from a copy", StorageFault::refused);
  identity.node_id = *node_id;
  return identity;
}

std::string topic_text(const TopicDescription& topic) {
  std::string text = fmt::format("iolab-topic {}\nname {}\nid {}\npartitions {}\n", kTopicFormat, topic.name,
                                 hex_of(topic.id), topic.partitions);
  for (const auto& [key, value] : topic.configs) text += fmt::format("config {}={}\n", escaped(key), escaped(value));
  return with_checksum(std::move(text));
}

Expected<TopicDescription> parse_topic(std::string_view text) {
  const auto content = without_checksum(text);
  if (!content) return std::unexpected(content.error());
  TopicDescription topic;
  topic.partitions = 0;
  bool has_id = false;
  std::optional<int> format;
  for (std::string_view rest = *content; !rest.empty();) {
    std::string_view value = take_line(rest);
    const std::string_view key = take_until(value, ' ');
    if (key == "iolab-topic") format = number_of<int>(value);
    if (key == "name") topic.name = value;
    if (key == "partitions") topic.partitions = number_of<std::int32_t>(value).value_or(0);
    if (key == "id") {
      const auto id = id_of(value);
      has_id = id.has_value();
      if (id) topic.id = *id;
    }
    if (key == "config") {
      const auto name = unescaped(take_until(value, '='));
      const auto setting = unescaped(value);
      if (!name || !setting) return wrong("a config line cannot be read");
      topic.configs[*name] = *setting;
    }
  }
  if (format != kTopicFormat) return wrong("its format is not known to this program", StorageFault::refused);
  if (!has_id || topic.name.empty() || topic.partitions < 1) return wrong("its name, id or partitions are missing");
  return topic;
}

std::string cleaner_offsets_text(const CleanerOffsets& offsets) {
  return with_checksum(
      fmt::format("iolab-cleaner 1\ncleaned-below {}\ngaps-below {}\n", offsets.cleaned_below, offsets.gaps_below));
}

Expected<CleanerOffsets> parse_cleaner_offsets(std::string_view text) {
  const auto content = without_checksum(text);
  if (!content) return std::unexpected(content.error());
  std::string_view rest = *content;
  if (take_line(rest) != "iolab-cleaner 1") return wrong("its version is unknown");
  const auto number_behind = [&](std::string_view key) -> std::optional<std::int64_t> {
    std::string_view line = take_line(rest);
    return take_until(line, ' ') == key ? number_of<std::int64_t>(line) : std::nullopt;
  };
  const auto cleaned_below = number_behind("cleaned-below");
  const auto gaps_below = number_behind("gaps-below");
  if (!cleaned_below || !gaps_below) return wrong("a line cannot be read");
  return CleanerOffsets{.cleaned_below = *cleaned_below, .gaps_below = *gaps_below};
}

std::string offsets_text(const PartitionOffsets& offsets) {
  std::string text = fmt::format("0\n{}\n", offsets.size());
  for (const auto& [partition, offset] : offsets)
    text += fmt::format("{} {} {}\n", partition.first, partition.second, offset);
  return with_checksum(std::move(text));
}

Expected<PartitionOffsets> parse_offsets(std::string_view text) {
  const auto content = without_checksum(text);
  if (!content) return std::unexpected(content.error());
  std::string_view rest = *content;
  if (take_line(rest) != "0") return wrong("its version is unknown");
  const auto count = number_of<std::size_t>(take_line(rest));
  PartitionOffsets offsets;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    const std::string_view topic = take_until(line, ' ');
    const auto partition = number_of<std::int32_t>(take_until(line, ' '));
    const auto offset = number_of<std::int64_t>(line);
    if (topic.empty() || !partition || !offset || *offset < 0) return wrong("a line cannot be read");
    offsets[{std::string(topic), *partition}] = *offset;
  }
  if (count != offsets.size()) return wrong("lines are missing");
  return offsets;
}

}  // namespace iolab::storage
