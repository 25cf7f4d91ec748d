#include "broker/core/producer_snapshot.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <utility>

#include "broker/base/bytes.h"
#include "broker/base/crc32c.h"

namespace iolab::core {
namespace {

constexpr std::string_view kFirstLine = "iolab-producers 2";

// Cuts the first line off.
std::string_view next_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

bool next_word(std::string_view& line, std::string_view word) {
  if (!line.starts_with(word)) return false;
  line.remove_prefix(word.size());
  return true;
}

template <class T>
bool next_number(std::string_view& line, T& number, int base = 10) {
  while (line.starts_with(' ')) line.remove_prefix(1);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return error == std::errc{};
}

bool numbers(std::string_view line, auto&... number) {
  return (next_number(line, number) && ...) && line.empty();
}

void write(std::string& text, std::int64_t id, const ProducerState& state) {
  fmt::format_to(std::back_inserter(text), "producer {} {} {} {} {} {}\n", id, state.epoch, state.coordinator_epoch,
                 state.wall_ms, state.transaction_offset, state.marker_offset);
  for (std::size_t age = state.batch_count(); age-- > 0;) {
    const ProducerState::Batch& batch = state.batch(age);
    fmt::format_to(std::back_inserter(text), "batch {} {} {}\n", batch.first_sequence, batch.last_sequence,
                   batch.base_offset);
  }
}

// The lines of one producer, whose first one has begun.
bool read(std::string_view line, std::string_view& text, ProducerStates& states) {
  std::int64_t id = -1;
  ProducerState state;
  if (!numbers(line, id, state.epoch, state.coordinator_epoch, state.wall_ms, state.transaction_offset,
               state.marker_offset)) {
    return false;
  }
  while (next_word(text, "batch")) {
    ProducerState::Batch batch{};
    if (!numbers(next_line(text), batch.first_sequence, batch.last_sequence, batch.base_offset)) return false;
    state.remember(batch);
  }
  states.restore(id, state);
  return true;
}

}  // namespace

std::string write_producer_snapshot(const ProducerStates& states, std::int64_t offset) {
  std::string text = fmt::format("{}\noffset {}\n", kFirstLine, offset);
  states.for_each([&](std::int64_t id, const ProducerState& state) { write(text, id, state); });
  for (const AbortedTransaction& aborted : states.transactions().aborted()) {
    fmt::format_to(std::back_inserter(text), "aborted {} {} {} {}\n", aborted.producer_id, aborted.first_offset,
                   aborted.last_offset, aborted.last_stable_offset);
  }
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
  if (!next_word(offset, "offset") || !numbers(offset, snapshot->offset)) return std::nullopt;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (next_word(line, "producer")) {
      if (!read(line, text, snapshot->states)) return std::nullopt;
      continue;
    }
    AbortedTransaction aborted;
    if (!next_word(line, "aborted") ||
        !numbers(line, aborted.producer_id, aborted.first_offset, aborted.last_offset, aborted.last_stable_offset)) {
      return std::nullopt;
    }
    snapshot->states.transactions().restore(aborted);
  }
  return snapshot;
}

}  // namespace iolab::core
