// All that a report says, in one language: templates by key from experiments/catalogue/en.json and zh.json, which are
// part of the binary. Rules decide in C++ when something is said; how it is said stands in the catalogues, which hold
// the same keys with the same slots (tests/experiments/words/words_test.cpp, tests/scripts/catalogue_test.py).
//
// What the lab records while it runs (reasons, facts of the machine, the picture of a traced request) is recorded in
// English, because a recorded run has no reader yet. Those texts have keys that begin with "recorded.", and retold()
// finds the template behind such a text and says the same in its own language.
#pragma once

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "experiments/words/language.h"
#include "experiments/words/phrase.h"

namespace iolab::lab {

class Words {
 public:
  static const Words& in(Language language);
  Language language() const { return language_; }

  // An unknown key, a slot that is not filled or one that does not exist is a bug: it ends the program with a sentence.
  std::string say(std::string_view key, std::initializer_list<Slot> slots = {}) const;
  bool knows(std::string_view key) const { return phrases_.contains(key); }

  std::string listed(std::span<const std::string> items) const;        // "a, b and c"
  std::string clauses(std::span<const std::string> items) const;       // "a; b"
  std::string comma_parted(std::span<const std::string> items) const;  // "a, b"
  std::string sentences(std::span<const std::string> items) const;     // "One. Two."

  // Text that no template fits, such as a message of the operating system, stays as it is.
  std::string retold(std::string_view recorded) const;

  using Phrases = std::map<std::string, Phrase, std::less<>>;
  const Phrases& phrases() const { return phrases_; }

 private:
  Words(Language language, std::string_view catalogue);
  std::string filled(std::string_view key, std::span<const Slot> slots) const;
  std::string joined(std::span<const std::string> items, std::string_view between) const;

  Language language_;
  Phrases phrases_;
};

// What is recorded, in English: recorded("reason.no_model") says "recorded.reason.no_model".
std::string recorded(std::string_view key, std::initializer_list<Slot> slots = {});

// The texts of the catalogues; written into the binary by experiments/catalogue.cmake.
std::string_view catalogue_text(Language language);

}  // namespace iolab::lab
