// What is wrong with a file or a flag, and how it is shown: all of it at once, as compilers do, with the line of the
// file and the place in it underlined.
//
//   error: unknown key "conections"
//     --> my.json:5:5
//      5 |     "conections": 1000,
//        |     ^^^^^^^^^^^^  did you mean "connections"?
//     path /workload/conections · iolab spec explain workload.connections
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/words/terminal.h"

namespace iolab::lab {

struct Position {
  int line = 1;
  int column = 1;  // in characters, as editors count
  auto operator<=>(const Position&) const = default;
};

enum class Severity : std::uint8_t { error, warning };

// Two halves of a sentence: `"3" has no unit`, `write for example "3s"`.
struct Flaw {
  std::string below;   // JSON pointer below the value in question: "/1"; empty: the value itself
  std::string what;    // is wrong
  std::string remedy;  // what to do about it; may be empty
};

struct Problem {
  std::string file;  // empty: it is in a flag, whose name `what` begins with
  Position position;
  std::string what;
  std::string remedy;  // may be empty
  Severity severity = Severity::error;
  std::string pointer;      // "/workload/conections"; empty: the whole file, or none
  std::string explains;     // the path for `iolab spec explain`; empty: none
  std::string source_line;  // empty: is not shown
  int width = 1;            // characters to be underlined
};

// In one line: `my.json:5:5: unknown key "conections": did you mean "connections"?`
std::string to_text(const Problem& problem);

// As above, at most 20 of them; then how many there are, and `ending` ("Nothing was run.").
std::string to_text(std::span<const Problem> problems, const Terminal& terminal, std::string_view ending);

bool has_errors(std::span<const Problem> problems);
// Whether an error lies in a file. If none does, they are mistakes of the command line.
bool has_errors_in_a_file(std::span<const Problem> problems);

// By place; those of flags at the end.
void sort_by_place(std::vector<Problem>& problems);

}  // namespace iolab::lab
