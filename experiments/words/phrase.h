// One template of a catalogue: text with named slots. It can be filled, and, the other way round, text that it may have
// been filled to can be taken apart again.
//
//   "{n} {n|trial|trials} per cell"   {n} is a slot; {n|a|b} chooses: the first form if that slot reads "1"
//   "{Model} never sleeps."           a slot with a capital letter begins a sentence, and so does what fills it
#pragma once

#include <concepts>
#include <expected>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/words/units.h"

namespace iolab::lab {

struct Slot {
  std::string name;
  std::string text;
  Slot(std::string_view slot, std::string_view content) : name(slot), text(content) {}
  Slot(std::string_view slot, std::integral auto number)
      : name(slot), text(with_thousands(static_cast<double>(number))) {}
};

class Phrase {
 public:
  explicit Phrase(std::string_view text);
  // The error names a slot that was not given, or one that was given and has no place.
  std::expected<std::string, std::string> filled(std::span<const Slot> slots) const;
  // What the slots held if this is the template behind `text`; where several ways are possible, the one whose first
  // slots hold most.
  std::optional<std::vector<Slot>> taken_apart(std::string_view text) const;
  std::set<std::string> slots() const;
  std::size_t literal_bytes() const;
  const std::string& text() const { return text_; }  // as the catalogue has it

 private:
  struct Piece {
    std::string slot;  // empty: `text` stands as it is
    std::string text;
    bool capital = false;
    bool chooses = false;
    std::string one;
    std::string many;
  };
  bool takes_apart(std::size_t piece, std::string_view text, std::vector<Slot>& found) const;
  bool fills(std::size_t piece, std::string_view text, std::vector<Slot>& found) const;

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace iolab::lab
