// From what a user typed, `nonblocking:idle=spin`, to an entry of the table and its options, or to a sentence that
// helps.
#include <algorithm>
#include <charconv>
#include <numeric>
#include <utility>

#include "io_models/registry.h"

namespace iolab::io {
namespace {

// Edits (insert, delete, replace) that turn one word into the other: Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

std::string joined(const std::vector<std::string_view>& names) {
  std::string list;
  for (const auto name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

// "; did you mean 'epoll'?" if one is near, and the whole choice in any case.
std::string suggestion(std::string_view typed, const std::vector<std::string_view>& names) {
  const auto nearest =
      std::ranges::min_element(names, {}, [&](std::string_view name) { return distance(typed, name); });
  std::string text;
  if (nearest != names.end() && distance(typed, *nearest) <= std::max<std::size_t>(2, typed.size() / 3)) {
    text.append("; did you mean '").append(*nearest).append("'?");
  }
  return text.append(" (there are: ").append(joined(names)).append(")");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool within(std::string_view range, std::string_view value) {
  const auto dots = range.find("..");
  long long low = 0, high = 0, number = 0;
  const auto parse = [](std::string_view text, long long& into) {
    const auto end = text.data() + text.size();
    return !text.empty() && std::from_chars(text.data(), end, into).ptr == end;
  };
  return parse(range.substr(0, dots), low) && parse(range.substr(dots + 2), high) && parse(value, number) &&
         low <= number && number <= high;
}

// Empty if the value is one of the option's; else what is wrong with it.
std::string fault(const ModelOption& option, std::string_view value) {
  if (option.values.find("..") != std::string_view::npos) {
    return within(option.values, value) ? "" : " (it is a whole number, " + std::string(option.values) + ")";
  }
  const auto values = split(option.values, '|');
  return std::ranges::find(values, value) != values.end() ? "" : suggestion(value, values);
}

std::expected<OptionValues, std::string> parse_options(const ModelEntry& entry, std::string_view text) {
  const std::string model(entry.id);
  if (entry.options.empty()) return std::unexpected("model '" + model + "' has no options");
  OptionValues chosen;
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    const std::string key(part.substr(0, equals));
    const auto option = std::ranges::find(entry.options, std::string_view(key), &ModelOption::key);
    if (option == entry.options.end()) {
      std::vector<std::string_view> keys;
      for (const auto& known : entry.options) keys.push_back(known.key);
      return std::unexpected("model '" + model + "' has no option '" + key + "'" + suggestion(key, keys));
    }
    if (equals == std::string_view::npos) {
      return std::unexpected("option '" + key + "' of model '" + model + "' needs a value: " + key + "=" +
                             std::string(option->values));
    }
    const std::string value(part.substr(equals + 1));
    if (const std::string wrong = fault(*option, value); !wrong.empty()) {
      return std::unexpected("option '" + key + "' of model '" + model + "' cannot be '" + value + "'" + wrong);
    }
    if (!chosen.emplace(key, value).second) {
      return std::unexpected("option '" + key + "' of model '" + model + "' is given twice");
    }
  }
  return chosen;
}

}  // namespace

std::expected<ModelChoice, std::string> choose_model(std::string_view text) {
  const auto colon = text.find(':');
  const std::string id(text.substr(0, colon));
  const auto entry = std::ranges::find(models(), std::string_view(id), &ModelEntry::id);
  if (entry == models().end()) {
    std::vector<std::string_view> ids;
    for (const auto& known : models()) ids.push_back(known.id);
    return std::unexpected("there is no I/O model '" + id + "'" + suggestion(id, ids));
  }
  if (colon == std::string_view::npos) return ModelChoice{&*entry, {}};
  auto options = parse_options(*entry, text.substr(colon + 1));
  if (!options) return std::unexpected(options.error());
  return ModelChoice{&*entry, std::move(*options)};
}

}  // namespace iolab::io
