// spdlog gives the clock, the locking sink and the levels; its header is heavy, so only this file includes it.
#include "broker/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>
#include <new>

namespace iolab::base::log {
namespace {

spdlog::logger& sink() {
  static spdlog::logger logger = [] {
    spdlog::logger made("iolab", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    made.flush_on(spdlog::level::trace);
    return made;
  }();
  return logger;
}

void write(spdlog::level::level_enum level, std::string_view event, std::initializer_list<Pair> pairs) {
  try {
    if (!sink().should_log(level)) return;
    std::string line(event);
    for (const Pair& pair : pairs) {
      line += ' ';
      line += pair.key;
      line += '=';
      line += pair.value;
    }
    sink().log(level, std::string_view(line));
  } catch (const std::bad_alloc&) {  // the diary ends nothing that it only tells of
    std::fputs("iolab: no memory is left to say what happened\n", stderr);
  }
}

}  // namespace

Pair::Pair(std::string_view name, std::string_view text) : key(name) {
  if (!text.empty() && text.find_first_of(" \"\\=\n\r\t") == std::string_view::npos) {
    value = text;
    return;
  }
  value = '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') value += '\\';
    // An event is one line, whatever a peer put into a name.
    value += static_cast<unsigned char>(c) < ' ' ? '?' : c;
  }
  value += '"';
}

void set_level(Level least) {
  constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::info, spdlog::level::warn, spdlog::level::err,
                                                   spdlog::level::off};
  sink().set_level(kLevels[static_cast<int>(least)]);
}

void info(std::string_view event, std::initializer_list<Pair> pairs) {
  write(spdlog::level::info, event, pairs);
}
void warning(std::string_view event, std::initializer_list<Pair> pairs) {
  write(spdlog::level::warn, event, pairs);
}
void error(std::string_view event, std::initializer_list<Pair> pairs) {
  write(spdlog::level::err, event, pairs);
}

}  // namespace iolab::base::log
