// The process's diary on stderr: start, stop, recovery and errors; nothing per request.
//
//   log::info("partition recovered", {{"partition", "orders-3"}, {"from_offset", 120}, {"to_offset", 164}});
//
// One line per event: time, level, sentence, then key=value pairs that a program can find again. Any thread may log.
// The sink is the project's only global, and lives in log.cpp.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace iolab::base::log {

// One key=value pair. Text with blanks or quotes is quoted in the line.
struct Pair {
  Pair(std::string_view name, std::string_view text);
  Pair(std::string_view name, const char* text) : Pair(name, std::string_view(text)) {}
  Pair(std::string_view name, const std::string& text) : Pair(name, std::string_view(text)) {}
  Pair(std::string_view name, bool flag) : key(name), value(flag ? "true" : "false") {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Pair(std::string_view name, T number) : key(name), value(std::to_string(number)) {}
  Pair(std::string_view name, double number) : key(name), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

enum class Level { info, warning, error, silent };

// Lines below this level are dropped; `info` at start. Tests set `silent` where noise is expected.
void set_level(Level least);

void info(std::string_view event, std::initializer_list<Pair> pairs = {});
void warning(std::string_view event, std::initializer_list<Pair> pairs = {});
void error(std::string_view event, std::initializer_list<Pair> pairs = {});

}  // namespace iolab::base::log
