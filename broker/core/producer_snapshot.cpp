#include "broker/core/producer_snapshot.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "broker/base/bytes.h"
#include "broker/base/crc32c.h"

namespace iolab::core {
namespace {

constexpr std::string_view kFirstLine = "iolab-producers 1";

// Cuts the first line off.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

template <class T>
bool next_number(std::string_view& line, T& number, int base = 10) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return error == std::errc{};
}

}  // namespace

std::string write_producer_snapshot(const ProducerStates& states, std::int64_t offset) {
  std::string text = fmt::format("{}\noffset {}\n", kFirstLine, offset);
  states.for_each([&](const ProducerStates::Remembered& batch) {
    fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {}\n", batch.producer_id, batch.epoch,
                   batch.first_sequence, batch.last_sequence, batch.base_offset, batch.wall_ms);
  });
  text += fmt::format("crc32c {:08x}\n", base::crc32c(base::as_bytes(text)));
  return text;
}

std::optional<ProducerSnapshot> read_producer_snapshot(std::string_view text) {
  const std::size_t last_line = text.rfind("crc32c ");
  if (last_line == std::string_view::npos) return std::nullopt;
  std::string_view sum = text.substr(last_line + 7);
  std::uint32_t crc = 0;
  text = text.substr(0, last_line);
  if (!next_number(sum, crc, 16) || crc != base::crc32c(base::as_bytes(text))) return std::nullopt;

  std::optional<ProducerSnapshot> snapshot(std::in_place);
  if (next_line(text) != kFirstLine) return std::nullopt;
  std::string_view offset = next_line(text);
  if (!offset.starts_with("offset ")) return std::nullopt;
  offset.remove_prefix(7);
  if (!next_number(offset, snapshot->offset)) return std::nullopt;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    ProducerStates::Remembered batch{};
    if (!next_number(line, batch.producer_id) || !next_number(line, batch.epoch) ||
        !next_number(line, batch.first_sequence) || !next_number(line, batch.last_sequence) ||
        !next_number(line, batch.base_offset) || !next_number(line, batch.wall_ms)) {
      return std::nullopt;
    }
    snapshot->states.restore(batch);
  }
  return snapshot;
}

}  // namespace iolab::core
