#include "experiments/spec/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

namespace iolab::lab {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kMark = '\x1f';  // no key of ours holds it, and JSON wants it escaped

// Of a character in UTF-8.
bool is_first_byte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

// Walks over text that nlohmann has accepted: no syntax error can occur here.
class Reader {
 public:
  Reader(std::string_view text, JsonSource& source, std::vector<Problem>& problems)
      : text_(text), source_(source), problems_(problems) {}

  // Nothing: it is nested too deeply, which is what here() then points at.
  std::optional<Json> read() {
    skip_space();
    Json root = value("", {here(), 1, here(), 1});
    return too_deep() ? std::nullopt : std::optional(std::move(root));
  }

  Position too_deep_at() const { return *too_deep_at_; }

  static constexpr int kDeepest = 64;

 private:
  Json value(const std::string& pointer, Place place) {
    place.value = here();
    const auto start = at_;
    Json found;
    if (depth_ == kDeepest) {
      too_deep_at_ = place.value;
    } else if (text_[at_] == '{' || text_[at_] == '[') {
      ++depth_;
      found = text_[at_] == '{' ? object(pointer) : array(pointer);
      --depth_;
    } else {
      found = scalar();
    }
    place.value_width = width_of(text_.substr(start, at_ - start));
    source_.places.emplace(pointer, place);
    return found;
  }

  Json object(const std::string& pointer) {
    step();
    Json found = Json::object();
    std::map<std::string, int> first_lines;
    std::map<std::string, int> times;
    for (skip_space(); !too_deep() && text_[at_] != '}'; skip_space()) {
      Place place{.key = here(), .value = {}};
      const auto start = at_;
      auto key = scalar().get<std::string>();
      place.key_width = width_of(text_.substr(start, at_ - start));
      first_lines.emplace(key, place.key.line);
      const int occurrence = ++times[key];
      const auto line = first_lines[key];
      const auto written = key;
      if (occurrence > 1) key += fmt::format("{}{}", kMark, occurrence);
      const auto child = below(pointer, key);
      skip_space();
      step();  // the colon
      skip_space();
      found[key] = value(child, place);
      if (occurrence > 1) {
        problems_.push_back(
            source_.problem(child, JsonSource::At::key,
                            fmt::format("key \"{}\" appears twice, first in line {}", plain_key(written), line),
                            "the second would win silently"));
      }
      skip_space();
      if (!too_deep() && text_[at_] == ',') step();
    }
    step();
    return found;
  }

  Json array(const std::string& pointer) {
    step();
    Json found = Json::array();
    for (skip_space(); !too_deep() && text_[at_] != ']'; skip_space()) {
      found.push_back(value(below(pointer, found.size()), {here(), 1, here(), 1}));
      auto& place = source_.places.find(below(pointer, found.size() - 1))->second;
      place.key_width = place.value_width;
      skip_space();
      if (!too_deep() && text_[at_] == ',') step();
    }
    step();
    return found;
  }

  Json scalar() {
    const auto start = at_;
    if (text_[at_] == '"') {
      for (step(); text_[at_] != '"'; step()) {
        if (text_[at_] == '\\') step();
      }
      step();
    } else {
      while (at_ < text_.size() && std::string_view(",]}/ \t\r\n").find(text_[at_]) == std::string_view::npos) step();
    }
    return Json::parse(text_.substr(start, at_ - start));
  }

  void skip_space() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 2) == "//") {
        while (at_ < text_.size() && text_[at_] != '\n') step();
      } else if (text_.substr(at_, 2) == "/*") {
        while (at_ < text_.size() && text_.substr(at_, 2) != "*/") step();
        step();
        step();
      } else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
        step();
      } else {
        return;
      }
    }
  }

  void step() {
    if (at_ >= text_.size()) return;
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if (at_ >= text_.size() || is_first_byte(text_[at_])) {
      ++column_;  // what follows is a character of its own
    }
  }

  Position here() const { return {line_, column_}; }
  bool too_deep() const { return too_deep_at_.has_value(); }

  static int width_of(std::string_view token) {
    const auto first_line = token.substr(0, token.find_first_of("\r\n"));
    return static_cast<int>(std::ranges::count_if(first_line, is_first_byte));
  }

  std::string_view text_;
  JsonSource& source_;
  std::vector<Problem>& problems_;
  std::size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  int depth_ = 0;
  std::optional<Position> too_deep_at_;
};

// nlohmann counts the bytes that it has read; the last one is where it stopped.
Position position_of_byte(std::string_view text, std::size_t byte) {
  Position position;
  for (const char c : text.substr(0, byte == 0 ? 0 : byte - 1)) {
    if (c == '\n') {
      ++position.line;
      position.column = 1;
    } else if (is_first_byte(c)) {
      ++position.column;
    }
  }
  return position;
}

// nlohmann says "[json.exception.parse_error.101] parse error at line 3, column 5: syntax error while ...".
std::string what_is_wrong(const std::string& what) {
  const auto syntax = what.find("syntax error");
  return syntax == std::string::npos ? what : what.substr(syntax);
}

std::string line_of(std::string_view text, int line) {
  for (; line > 1 && !text.empty(); --line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

// What the writer of a file probably did, by what stands where the parser stopped. Empty: no idea.
struct Guess {
  std::string what;
  std::string remedy;
  bool at_last = false;  // the mistake is at the end of what was read before, and not where the parser stopped
};

Guess guess_of(std::string_view text, std::size_t byte, std::string_view complaint) {
  const auto stopped = byte == 0 ? 0 : byte - 1;
  const auto before = text.substr(0, std::min(stopped, text.size()));
  const auto last = before.find_last_not_of(" \t\r\n");
  const char previous = last == std::string_view::npos ? '\0' : before[last];
  const auto rest = stopped < text.size() ? text.substr(stopped) : std::string_view{};
  const char next = rest.empty() ? '\0' : rest.front();
  if (previous == ',' && (next == '}' || next == ']')) return {"a comma without anything behind it", "remove it", true};
  if (complaint.find("object separator") != std::string_view::npos) {
    return {"a colon is missing", "write one behind this", true};
  }
  const bool value_ended =
      previous == '"' || previous == '}' || previous == ']' || std::isalnum(static_cast<unsigned char>(previous)) != 0;
  if (value_ended && (next == '"' || next == '{' || next == '['))
    return {"a comma is missing", "write one behind this", true};
  if (next == '#' || next == ';') return {"this begins no comment in JSON", "comments begin with //"};
  if (next == '\'') return {"text in single quotation marks", "write it in double ones"};
  for (const std::string_view mark : {"\u201C", "\u201D", "\u300C", "\uFF02"}) {
    if (rest.starts_with(mark)) return {"typographic quotation marks", "write the plain ones: \"...\""};
  }
  if (rest.starts_with("\uFF0C") || rest.starts_with("\uFF1A")) {
    return {"a full-width comma or colon", "write the plain one: , or :"};
  }
  if (std::isalpha(static_cast<unsigned char>(next)) != 0 && (previous == '{' || previous == ',')) {
    return {"a name without quotation marks", "write it in double ones"};
  }
  if (rest.empty()) return {"the file ends before its last bracket is closed", "add what is missing: } or ]"};
  return {};
}

// nlohmann stops at the end of the token that it cannot use, or in the middle of a character: back to its beginning.
std::size_t beginning_of_token(std::string_view text, std::size_t byte) {
  auto at = std::min(byte == 0 ? 0 : byte - 1, text.size());
  while (at > 0 && at < text.size() && !is_first_byte(text[at])) --at;
  if (at < text.size() && text[at] == '"') {
    const auto line = text.rfind('\n', at);
    const auto opened = at == 0 ? std::string_view::npos : text.rfind('"', at - 1);
    if (opened != std::string_view::npos && (line == std::string_view::npos || opened > line)) at = opened;
  }
  return at + 1;
}

// `byte` is counted from 1.
Problem syntax_problem(const JsonSource& source, std::size_t byte, std::string what) {
  const std::string_view text = source.text;
  auto at = beginning_of_token(text, byte);
  auto guess = guess_of(text, at, what);
  if (guess.at_last) at = text.substr(0, at - 1).find_last_not_of(" \t\r\n") + 1;
  const auto position = position_of_byte(text, at);
  return {.file = source.file,
          .position = position,
          .what = guess.what.empty() ? std::move(what) : std::move(guess.what),
          .remedy = std::move(guess.remedy),
          .source_line = line_of(text, position.line)};
}

}  // namespace

Problem JsonSource::problem(std::string_view pointer, At at, std::string what, std::string remedy) const {
  auto found = places.find(pointer);
  for (auto around = pointer; found == places.end() && !around.empty(); found = places.find(around)) {
    around = around.substr(0, around.rfind('/'));
  }
  const Place place = found == places.end() ? Place{} : found->second;
  Problem problem{.file = file, .what = std::move(what), .remedy = std::move(remedy), .pointer = std::string(pointer)};
  problem.position = at == At::key ? place.key : place.value;
  problem.width = at == At::key ? place.key_width : place.value_width;
  problem.source_line = line_of(text, problem.position.line);
  // Marks of repeated keys are ours, not the file's.
  while (problem.pointer.find(kMark) != std::string::npos) {
    const auto mark = problem.pointer.find(kMark);
    problem.pointer.erase(mark, std::min(problem.pointer.find('/', mark), problem.pointer.size()) - mark);
  }
  return problem;
}

std::string below(std::string_view pointer, std::string_view key) {
  std::string child(pointer);
  child += '/';
  for (const char c : key) {
    if (c == '~') {
      child += "~0";
    } else if (c == '/') {
      child += "~1";
    } else {
      child += c;
    }
  }
  return child;
}

std::string below(std::string_view pointer, std::size_t index) {
  return fmt::format("{}/{}", pointer, index);
}

std::string plain_key(const std::string& key) {
  return key.substr(0, key.find(kMark));
}

std::expected<Json, Problem> parse_json(std::string_view text, const std::string& file_name, JsonSource& source,
                                        std::vector<Problem>& problems) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  source = {.file = file_name, .text = std::string(text), .places = {}};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return std::unexpected(Problem{.file = file_name,
                                   .position = {1, 1},
                                   .what = "the file is empty",
                                   .remedy = "iolab spec new NAME writes one to start from"});
  }
  try {
    [[maybe_unused]] const Json whole = Json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::parse_error& error) {
    return std::unexpected(syntax_problem(source, error.byte, what_is_wrong(error.what())));
  } catch (const nlohmann::json::out_of_range& error) {  // "... number overflow parsing '1e999'"
    const std::string what = error.what();
    const auto quote = what.find('\'');
    const auto number = quote == std::string::npos ? "" : what.substr(quote + 1, what.size() - quote - 2);
    return std::unexpected(syntax_problem(source, source.text.find(number) + 1, number + " is too large a number"));
  }
  Reader reader(source.text, source, problems);
  if (auto root = reader.read()) return std::move(*root);
  const auto position = reader.too_deep_at();
  return std::unexpected(Problem{.file = file_name,
                                 .position = position,
                                 .what = fmt::format("nested more than {} levels deep", Reader::kDeepest),
                                 .source_line = line_of(source.text, position.line)});
}

std::expected<std::string, std::string> read_text_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::ostringstream content;
  content << file.rdbuf();
  if (!file && !file.eof()) return std::unexpected(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  return std::move(content).str();
}

}  // namespace iolab::lab
