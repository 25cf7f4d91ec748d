#include "experiments/words/phrase.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace iolab::lab {
namespace {

std::string with_first(std::string text, int (*change)(int)) {
  if (!text.empty()) text.front() = static_cast<char>(change(static_cast<unsigned char>(text.front())));
  return text;
}

const Slot* find_slot(std::span<const Slot> slots, std::string_view name) {
  const auto found = std::ranges::find(slots, name, &Slot::name);
  return found == slots.end() ? nullptr : &*found;
}

}  // namespace

Phrase::Phrase(std::string_view text) : text_(text) {
  while (!text.empty()) {
    const auto open = std::min(text.find('{'), text.size());
    if (open > 0) pieces_.push_back({.slot = {}, .text = std::string(text.substr(0, open)), .one = {}, .many = {}});
    text.remove_prefix(open);
    if (text.empty()) return;
    const auto close = std::min(text.find('}'), text.size() - 1);
    auto inside = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
    const auto bar = inside.find('|');
    Piece piece{.slot = std::string(inside.substr(0, bar)), .text = {}, .one = {}, .many = {}};
    piece.capital = !piece.slot.empty() && std::isupper(static_cast<unsigned char>(piece.slot.front())) != 0;
    piece.slot = with_first(std::move(piece.slot), std::tolower);
    if (bar != std::string_view::npos) {
      inside.remove_prefix(bar + 1);
      piece.chooses = true;
      piece.one = inside.substr(0, inside.find('|'));
      piece.many = inside.substr(inside.find('|') + 1);
    }
    pieces_.push_back(std::move(piece));
  }
}

std::expected<std::string, std::string> Phrase::filled(std::span<const Slot> given) const {
  for (const Slot& slot : given) {
    if (!slots().contains(slot.name)) return std::unexpected(fmt::format("it has no slot {{{}}}", slot.name));
  }
  std::string text;
  for (const Piece& piece : pieces_) {
    if (piece.slot.empty()) {
      text += piece.text;
      continue;
    }
    const Slot* slot = find_slot(given, piece.slot);
    if (slot == nullptr) return std::unexpected(fmt::format("its slot {{{}}} was not filled", piece.slot));
    if (piece.chooses) {
      text += slot->text == "1" ? piece.one : piece.many;
    } else {
      text += piece.capital ? with_first(slot->text, std::toupper) : slot->text;
    }
  }
  return text;
}

std::optional<std::vector<Slot>> Phrase::taken_apart(std::string_view text) const {
  std::vector<Slot> found;
  if (!takes_apart(0, text, found)) return std::nullopt;
  return found;
}

bool Phrase::takes_apart(std::size_t at, std::string_view text, std::vector<Slot>& found) const {
  if (at == pieces_.size()) return text.empty();
  const Piece& piece = pieces_[at];
  const auto goes_on_after = [&](std::string_view start) {
    return text.starts_with(start) && takes_apart(at + 1, text.substr(start.size()), found);
  };
  if (piece.slot.empty()) return goes_on_after(piece.text);
  if (piece.chooses) return goes_on_after(piece.one) || goes_on_after(piece.many);
  if (const Slot* slot = find_slot(found, piece.slot)) return goes_on_after(std::string(slot->text));
  return fills(at, text, found);
}

bool Phrase::fills(std::size_t at, std::string_view text, std::vector<Slot>& found) const {
  const auto before = found.size();
  for (std::size_t length = text.size(); length > 0; --length) {
    found.emplace_back(pieces_[at].slot, text.substr(0, length));
    if (takes_apart(at + 1, text.substr(length), found)) return true;
    found.erase(found.begin() + static_cast<std::ptrdiff_t>(before), found.end());
  }
  return false;
}

std::set<std::string> Phrase::slots() const {
  std::set<std::string> names;
  for (const Piece& piece : pieces_) {
    if (!piece.slot.empty()) names.insert(piece.slot);
  }
  return names;
}

std::size_t Phrase::literal_bytes() const {
  std::size_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.text.size();
  return bytes;
}

}  // namespace iolab::lab
