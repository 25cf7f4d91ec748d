// A JSON file with comments, and where in it each key and each value stands, so that a complaint can name file, line
// and column.
//
// nlohmann::json says whether the text is JSON, and knows no positions; a second pass over text that is then known to
// be well-formed notes them and builds the tree. The tree keeps what the parser would silently drop: a key that
// appears twice is in it twice, the second time under a marked name, so that both values are looked at.
#pragma once

#include <expected>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/spec/problems.h"

namespace iolab::lab {

struct Place {
  Position key;  // of an element of a list: the same as the value
  int key_width = 1;
  Position value;
  int value_width = 1;  // in its first line
};

using PlaceMap = std::map<std::string, Place, std::less<>>;  // by JSON pointer (RFC 6901): "/workload/connections"

struct JsonSource {
  std::string file;  // as it is to be named in complaints
  std::string text;
  PlaceMap places;

  enum class At : std::uint8_t { key, value };
  // At that key or value, or at the nearest one around it.
  Problem problem(std::string_view pointer, At at, std::string what, std::string remedy) const;
};

// The pointer to a key, or to an element, below another.
std::string below(std::string_view pointer, std::string_view key);
std::string below(std::string_view pointer, std::size_t index);

// The key as it stands in the file, also of those that appear more than once.
std::string plain_key(const std::string& key);

// Error: not JSON, or nested too deeply; then nothing else can be said. Keys that appear twice are added to `problems`.
std::expected<nlohmann::ordered_json, Problem> parse_json(std::string_view text, const std::string& file_name,
                                                          JsonSource& source, std::vector<Problem>& problems);

std::expected<std::string, std::string> read_text_file(const std::string& path);

}  // namespace iolab::lab
