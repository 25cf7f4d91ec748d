// A JSON file with comments, and where in it each value stands, so that a complaint can name file, line and column.
//
// nlohmann::json parses and knows no positions; a second pass over text that is then known to be well-formed notes
// them, and finds keys that appear twice, of which the parser would silently keep the last.
#pragma once

#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct Position {
  int line = 1;
  int column = 1;
};

struct Problem {
  std::string file;
  Position position;
  std::string text;  // a sentence without its full stop
};
// "my.json:5:5: unknown key "conections": did you mean "connections"?"
std::string to_text(const Problem& problem);

using PositionMap = std::map<std::string, Position, std::less<>>;  // "/workload/connections" -> of its key

struct JsonSource {
  std::string file;  // as it is to be named in complaints
  PositionMap positions;
  Problem problem(std::string_view pointer, std::string text) const;  // at that value, or at the nearest one around it
};

// Parses into `root`. Problems: not readable, not JSON, a key twice.
std::vector<Problem> parse_json(std::string_view text, const std::string& file_name, nlohmann::ordered_json& root,
                                JsonSource& source);

std::expected<std::string, std::string> read_text_file(const std::string& path);

}  // namespace iolab::lab
