// The control: no sockets, no kernel between client and server. Recorded request bytes are copied into a session from
// memory and its answers are taken out, so that what is left of the cost is the broker's own.
//
// It keeps the contract in all else: one want at a time, wake-ups from other threads, any cut of the stream. It is not
// part of the socket contract test, because it has no peers that could be slow, lost or many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "io_models/frontend.h"

namespace iolab::io {

struct NullSettings {
  std::vector<std::string> scripts =
      {};                          // files of request bytes, as a client would have sent them; one connection each
  std::string answers = {};        // a file for the answers of all connections, in that order; empty: only counted
  std::uint64_t split_seed = 0;    // 0: as much at once as the session has room for; else pieces of random length
  std::size_t split_bytes = 4096;  // the longest of those pieces
  std::uint64_t repeat = 1;        // each script is sent this often on its connection, for benchmarks
};

// serve() takes no listeners. It plays the scripts one after the other in the calling thread, each as one connection
// that ends with the peer's FIN, and returns after the last, or when stop is requested: at once if it waits for a
// wake-up, else before the next piece.
class NullFrontend final : public Frontend {
 public:
  // Reads the scripts into memory. The error is a sentence with the file and the cause.
  // Through the registry, FrontendSettings.options holds the same under "script" (several: one a line), "answers",
  // "split" and "repeat".
  static std::expected<std::unique_ptr<NullFrontend>, std::string> make(NullSettings settings, Limits limits);

  void serve(std::span<const int> listeners, Host& host, std::stop_token stop) override;

  std::uint64_t bytes_answered() const { return bytes_answered_; }

 private:
  class Bell;
  class Sink;
  NullFrontend(NullSettings settings, Limits limits, std::vector<std::vector<std::byte>> scripts);
  void play(std::span<const std::byte> script, Host& host, Sink& sink, const std::stop_token& stop);

  const NullSettings settings_;
  const Limits limits_;
  const std::vector<std::vector<std::byte>> scripts_;
  std::uint64_t bytes_answered_ = 0;
};

}  // namespace iolab::io
