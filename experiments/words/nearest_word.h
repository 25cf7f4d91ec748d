// What a mistyped word was probably meant to be: the candidate with the fewest changed, missing, added or swapped
// letters, if that is few enough to be a typing error at all.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace iolab::lab {

// Empty if nothing is near. Of two equally near candidates the first wins.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

// `did you mean "connections"?`, or `known are: a, b, c` if nothing is near and the list is short, or nothing.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

// The same, however long the list is.
std::string nearest_or_all(std::string_view word, std::span<const std::string> candidates);

}  // namespace iolab::lab
