#include "experiments/run/run_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// "epoll,io_uring:a=1,b=2": a comma inside a model's options does not part models.
std::vector<std::string> split_models(const std::string& text) {
  std::vector<std::string> models;
  for (const auto& part : split(text, ',')) {
    const bool option = !models.empty() && part.find('=') != std::string::npos && part.find(':') == std::string::npos;
    if (option)
      models.back() += "," + part;
    else
      models.push_back(part);
  }
  return models;
}

// As a shell takes it.
std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=,+-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::expected<SpecOptions, std::string> spec_options(const RunFlags& flags, const std::vector<ModelInfo>& models) {
  SpecOptions options{.profile = flags.profile, .known_models = ids_of(models)};
  if (!flags.models.empty() && flags.models != "all") options.models = split_models(flags.models);
  for (const auto& setting : flags.settings) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return std::unexpected(
          fmt::format("--set \"{}\" needs KEY=VALUE, for example --set idle_connections=0,1000", setting));
    }
    options.settings.emplace_back(setting.substr(0, equals), split(setting.substr(equals + 1), ','));
  }
  return options;
}

std::expected<CpuPair, std::string> parse_cpus(const std::string& text, const std::vector<int>& allowed) {
  std::map<std::string, int> chosen;
  for (const auto& part : split(text, ',')) {
    const auto equals = part.find('=');
    int cpu = -1;
    const char* end = part.data() + part.size();
    if (equals != std::string::npos) {
      const auto [stopped, error] = std::from_chars(part.data() + equals + 1, end, cpu);
      if (error != std::errc{} || stopped != end) cpu = -1;
    }
    if (cpu < 0 || !chosen.emplace(part.substr(0, equals), cpu).second) chosen.clear();
    if (chosen.empty()) break;
  }
  if (chosen.size() != 2 || !chosen.contains("server") || !chosen.contains("load")) {
    return std::unexpected(fmt::format("\"{}\" does not name one CPU for each: write server=0,load=1", text));
  }
  for (const auto& [who, cpu] : chosen) {
    if (std::ranges::find(allowed, cpu) == allowed.end()) {
      std::vector<std::string> numbers;
      for (const int one : allowed) numbers.push_back(std::to_string(one));
      return std::unexpected(
          fmt::format("this process may not use CPU {} ({}); it may use {}", cpu, who, listed(numbers)));
    }
  }
  return CpuPair{chosen["server"], chosen["load"]};
}

std::string repeat_command(const RunFlags& flags) {
  std::string text = fmt::format("iolab run {} --profile {}", quoted(flags.name), flags.profile);
  if (!flags.models.empty()) text += " --models " + quoted(flags.models);
  for (const auto& setting : flags.settings) text += " --set " + quoted(setting);
  if (!flags.filter.empty()) text += " --filter " + quoted(flags.filter);
  if (!flags.cpus.empty()) text += " --cpus " + flags.cpus;
  if (flags.yes) text += " --yes";
  return text + fmt::format(" --seed {}", flags.seed);
}

}  // namespace iolab::lab
