#include "experiments/words/words.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/words/characters.h"

namespace iolab::lab {
namespace {

constexpr std::string_view kRecorded = "recorded.";

[[noreturn]] void stop(std::string_view key, std::string_view why) {
  fmt::print(stderr, "iolab: bug: the text \"{}\" cannot be said: {}\n", key, why);
  std::abort();
}

// Chinese is set without spaces between wide characters and before a percent sign, but with one between a Chinese and a
// Latin word. So a template can put spaces around its slots without knowing what will stand in them.
std::string as_set_in_chinese(const std::string& text) {
  const auto list = characters(text);
  std::string result;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const bool inside = list[i].code == ' ' && i > 0 && i + 1 < list.size();
    const bool gap = inside && ((list[i - 1].wide() && list[i + 1].wide()) || list[i + 1].code == '%');
    if (!gap) result += list[i].bytes;
  }
  return result;
}

}  // namespace

const Words& Words::in(Language language) {
  static const Words english(Language::english, catalogue_text(Language::english));
  static const Words chinese(Language::chinese, catalogue_text(Language::chinese));
  return language == Language::chinese ? chinese : english;
}

Words::Words(Language language, std::string_view catalogue) : language_(language) {
  const auto root = nlohmann::json::parse(catalogue, nullptr, false);
  if (!root.is_object()) stop(name(language), "its catalogue is no JSON object");
  for (const auto& [key, text] : root.items()) phrases_.emplace(key, Phrase(text.get<std::string>()));
}

std::string Words::say(std::string_view key, std::initializer_list<Slot> slots) const {
  return filled(key, {slots.begin(), slots.size()});
}

std::string Words::filled(std::string_view key, std::span<const Slot> slots) const {
  const auto found = phrases_.find(key);
  if (found == phrases_.end()) stop(key, "no catalogue holds this key");
  auto text = found->second.filled(slots);
  if (!text) stop(key, text.error());
  return language_ == Language::chinese ? as_set_in_chinese(*text) : std::move(*text);
}

std::string Words::joined(std::span<const std::string> items, std::string_view between) const {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) text += (i > 0 ? say(between) : "") + items[i];
  return language_ == Language::chinese ? as_set_in_chinese(text) : text;
}

std::string Words::listed(std::span<const std::string> items) const {
  if (items.size() < 2) return joined(items, "list.comma");
  return joined(std::array{joined(items.first(items.size() - 1), "list.between"), items.back()}, "list.last");
}

std::string Words::clauses(std::span<const std::string> items) const {
  return joined(items, "list.clause");
}

std::string Words::comma_parted(std::span<const std::string> items) const {
  return joined(items, "list.comma");
}

std::string Words::sentences(std::span<const std::string> items) const {
  return joined(items, "list.sentence");
}

std::string Words::retold(std::string_view text) const {
  if (language_ == Language::english) return std::string(text);
  const Phrases& english = in(Language::english).phrases();
  std::string_view best;
  std::vector<Slot> slots;
  std::size_t most = 0;  // of two templates that fit, the one that says more itself
  for (auto at = english.lower_bound(kRecorded); at != english.end() && at->first.starts_with(kRecorded); ++at) {
    const auto& [key, phrase] = *at;
    if (phrase.literal_bytes() <= most) continue;
    if (auto found = phrase.taken_apart(text)) {
      best = key;
      slots = std::move(*found);
      most = phrase.literal_bytes();
    }
  }
  if (best.empty()) return std::string(text);
  for (Slot& slot : slots) slot.text = retold(slot.text);
  return filled(best, slots);
}

std::string recorded(std::string_view key, std::initializer_list<Slot> slots) {
  return Words::in(Language::english).say(std::string(kRecorded) + std::string(key), slots);
}

}  // namespace iolab::lab
