#include "experiments/json_document.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace iolab::lab {
namespace {

// Walks over text that nlohmann has accepted: no syntax error can occur here.
class PositionScanner {
 public:
  PositionScanner(std::string_view text, JsonSource& source, std::vector<Problem>& problems)
      : text_(text), source_(source), problems_(problems) {}

  void scan() {
    source_.positions[""] = here();
    value("");
  }

 private:
  void value(const std::string& pointer) {
    skip_space();
    if (at_ >= text_.size()) return;
    if (text_[at_] == '{' || text_[at_] == '[') return nested(pointer);
    if (text_[at_] == '"') {
      string();
      return;
    }
    while (at_ < text_.size() && std::string_view(",]}/ \t\r\n").find(text_[at_]) == std::string_view::npos) step();
  }

  void nested(const std::string& pointer) {
    constexpr int kDeepest = 64;
    if (depth_ == kDeepest) {
      problems_.push_back({source_.file, here(), fmt::format("nested more than {} levels deep", kDeepest)});
      at_ = text_.size();
      return;
    }
    ++depth_;
    text_[at_] == '{' ? object(pointer) : array(pointer);
    --depth_;
  }

  void object(const std::string& pointer) {
    step();
    std::map<std::string, int> seen;
    for (skip_space(); at_ < text_.size() && text_[at_] != '}'; skip_space()) {
      const Position position = here();
      const std::string key = string();
      const auto [first, is_new] = seen.emplace(key, position.line);
      if (!is_new) {
        problems_.push_back({source_.file, position,
                             fmt::format("key \"{}\" appears twice, first in line {}: the second would win silently",
                                         key, first->second)});
      }
      const std::string child = pointer + "/" + key;
      source_.positions.emplace(child, position);
      skip_space();
      step();  // the colon
      value(child);
      skip_space();
      if (at_ < text_.size() && text_[at_] == ',') step();
    }
    step();
  }

  void array(const std::string& pointer) {
    step();
    int index = 0;
    for (skip_space(); at_ < text_.size() && text_[at_] != ']'; skip_space()) {
      const std::string child = fmt::format("{}/{}", pointer, index++);
      source_.positions.emplace(child, here());
      value(child);
      skip_space();
      if (at_ < text_.size() && text_[at_] == ',') step();
    }
    step();
  }

  // Escapes are kept as they stand: a key of ours has none.
  std::string string() {
    step();
    const std::size_t start = at_;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') step();
      step();
    }
    const std::string content(text_.substr(start, at_ - start));
    step();
    return content;
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
    if (text_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  Position here() const { return {line_, static_cast<int>(at_ - line_start_) + 1}; }

  std::string_view text_;
  JsonSource& source_;
  std::vector<Problem>& problems_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
  int depth_ = 0;
};

Position position_of_byte(std::string_view text, std::size_t byte) {
  Position position;
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++position.line;
      position.column = 1;
    } else {
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

}  // namespace

std::string to_text(const Problem& problem) {
  if (problem.file.empty()) return problem.text;
  return fmt::format("{}:{}:{}: {}", problem.file, problem.position.line, problem.position.column, problem.text);
}

Problem JsonSource::problem(std::string_view pointer, std::string text) const {
  for (;;) {
    if (const auto found = positions.find(pointer); found != positions.end()) {
      return {file, found->second, std::move(text)};
    }
    const auto slash = pointer.rfind('/');
    if (slash == std::string_view::npos) return {file, {}, std::move(text)};
    pointer = pointer.substr(0, slash);
  }
}

std::vector<Problem> parse_json(std::string_view text, const std::string& file_name, nlohmann::ordered_json& root,
                                JsonSource& source) {
  source.file = file_name;
  std::vector<Problem> problems;
  try {
    root = nlohmann::ordered_json::parse(text, nullptr, true, true);
  } catch (const nlohmann::json::parse_error& error) {
    problems.push_back({file_name, position_of_byte(text, error.byte), what_is_wrong(error.what())});
    return problems;
  }
  PositionScanner(text, source, problems).scan();
  return problems;
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
