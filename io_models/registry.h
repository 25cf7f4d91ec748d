// The table of all I/O models, in teaching order: the one place where a model's id is written down.
//
// An id with options is written `nonblocking:idle=spin` or `io_uring:sqpoll=on`: the same on the command line, in
// experiment files and in the names of cells.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io_models/frontend.h"

namespace iolab::io {

struct ModelOption {
  std::string_view key;
  std::string_view values;         // "spin|yield|backoff", or "1..100000"
  std::string_view default_value;  // as it would be typed
  std::string_view summary;
  // What a value adds to the features of its model: {"on", "kernel-thread-spins"}. Of a default, the model says it.
  std::vector<std::pair<std::string_view, std::string_view>> features = {};
};

using OptionValues = std::map<std::string, std::string, std::less<>>;

// An option as it was typed, or its default.
inline std::string chosen(const OptionValues& options, std::string_view key, std::string_view otherwise) {
  const auto at = options.find(key);
  return std::string(at == options.end() ? otherwise : std::string_view(at->second));
}

struct FrontendSettings {
  int threads = 0;  // 0: the model's own default (1, but 16 for blocking-pool)
  Limits limits;
  OptionValues options;
};

// How many listening sockets serve() expects. A loop has one for each thread (SO_REUSEPORT); threads that sleep in
// accept() share one, because a connection must not wait in the queue of a busy thread while another one is free. The
// control `null` has none: whatever needs sockets leaves it out by this mark.
enum class Listeners : std::uint8_t { one_shared, one_per_thread, none };

struct ModelEntry {
  std::string_view id;       // "epoll-et"
  std::string_view family;   // Stevens' five: blocking, non-blocking, multiplexing, signal-driven, asynchronous
  std::string_view summary;  // one sentence for `iolab models` and for reports
  std::vector<std::string_view> features;  // what a reader of a comparison must know, e.g. "notices-lost-peer"
  std::vector<ModelOption> options;
  Listeners listeners;
  int default_threads;
  std::string (*unavailable)();  // why it cannot run on this machine; empty: it can
  std::expected<std::unique_ptr<Frontend>, std::string> (*make)(const FrontendSettings&);
};

std::span<const ModelEntry> models();

struct ModelChoice {
  const ModelEntry* entry;
  OptionValues options;
};
// "nonblocking:idle=spin" -> entry and options. The error is one sentence that names the nearest id, key or value.
std::expected<ModelChoice, std::string> choose_model(std::string_view text);

}  // namespace iolab::io
