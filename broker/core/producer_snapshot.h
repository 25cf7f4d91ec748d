// Producer states as text, so that a start need not read the headers of a whole log.
//
//   iolab-producers 2
//   offset 1200                                  everything below is in here; the log is replayed from there
//   producer 4711 0 2 1795431600000 1180 900     id, epoch, coordinator epoch, wall ms, where its open transaction
//                                                began and its last marker (-1: none)
//   batch 15 19 1180                             of that producer, oldest first: first and last sequence, base offset
//   aborted 4711 850 900 901                     producer id, first and last offset, last stable offset then
//   crc32c 1a2b3c4d                              of everything above
//
// A snapshot that is damaged, of another version, or of a log that has since lost its tail, is not used: the log itself
// tells. Kafka keeps aborted transactions in a file for each segment. One text for everything is replaced as a whole,
// has one checksum and one offset up to which it holds, and is right or absent after every crash; what retention has
// deleted just does not get into the next one. It costs writing all that are still in the log each time.
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
