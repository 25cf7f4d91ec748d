#include "io_models/probes/probe.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include "io_models/probes/all.h"

namespace iolab::io::probes {
namespace {

std::string joined(const auto& words) {
  std::string text;
  for (const auto& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

bool within(std::string_view values, std::string_view value) {
  if (values.empty()) return true;
  if (const auto dots = values.find(".."); dots != std::string_view::npos) {
    long low = 0, high = 0, number = 0;
    const auto parse = [](std::string_view text, long& into) {
      return std::from_chars(text.data(), text.data() + text.size(), into).ptr == text.data() + text.size();
    };
    return parse(values.substr(0, dots), low) && parse(values.substr(dots + 2), high) && parse(value, number) &&
           number >= low && number <= high;
  }
  for (std::size_t at = 0; at <= values.size();) {
    const auto end = std::min(values.find('|', at), values.size());
    if (values.substr(at, end - at) == value) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

std::span<const Probe> probes() {
  static const std::array kProbes{phases(),       short_reads(),         meanwhile(),   aio_honesty(),
                                  lost_signal(),  signals_per_message(), edge_trap(),   event_per_arrival(),
                                  high_fd(),      copy_count(),          frozen_loop(), several_services(),
                                  java_sockets(), accept_storm()};
  return kProbes;
}

const Probe* find_probe(std::string_view name) {
  const auto all = probes();
  const auto found = std::ranges::find(all, name, &Probe::name);
  return found == all.end() ? nullptr : &*found;
}

std::string complaint(const Probe& probe, const ProbeSettings& settings) {
  const std::string who(probe.name);
  if (std::ranges::find(probe.models, settings.model) == probe.models.end() &&
      !(probe.models.empty() && settings.model.empty())) {
    if (probe.models.empty()) return who + " is about no model; leave --model out";
    return who + " knows no model '" + settings.model + "'; it has: " + joined(probe.models);
  }
  for (const auto& [name, value] : settings.config) {
    const auto key = std::ranges::find(probe.keys, name, &Key::name);
    if (key == probe.keys.end()) {
      std::vector<std::string_view> names;
      for (const auto& known : probe.keys) names.push_back(known.name);
      return who + " has no setting '" + name + "'; it has: " + joined(names);
    }
    if (!within(key->values, value)) {
      return who + ": " + name + "=" + value + " is not among its values: " + std::string(key->values);
    }
  }
  return {};
}

std::string_view chosen(const Probe& probe, const ProbeSettings& settings, std::string_view key) {
  const auto found = settings.config.find(std::string(key));
  if (found != settings.config.end()) return found->second;
  return std::ranges::find(probe.keys, key, &Key::name)->usual;
}

long number(const Probe& probe, const ProbeSettings& settings, std::string_view key) {
  return std::strtol(std::string(chosen(probe, settings, key)).c_str(), nullptr, 10);
}

}  // namespace iolab::io::probes
