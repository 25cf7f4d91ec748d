// Producer states as text, so that a start need not read the headers of a whole log.
//
//   iolab-producers 1
//   offset 1200                                  everything below is in here; the log is replayed from there
//   4711 0 15 19 1180 1795431600000              producer id, epoch, first and last sequence, base offset, wall ms
//   crc32c 1a2b3c4d                              of everything above
//
// A snapshot that is damaged, or of a log that has since lost its tail, is not used: the log itself tells.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/core/producer_states.h"

namespace iolab::core {

struct ProducerSnapshot {
  std::int64_t offset = 0;
  ProducerStates states;
};

std::string write_producer_snapshot(const ProducerStates& states, std::int64_t offset);
std::optional<ProducerSnapshot> read_producer_snapshot(std::string_view text);  // nothing: not to be trusted

}  // namespace iolab::core
