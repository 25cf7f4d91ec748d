// Small programs of their own, each for one question that the broker cannot answer: what the thread gets done while it
// waits, what becomes of eight bytes where ten are wanted, how many signals are lost. `iolab probe NAME` runs one and
// prints its figures; an experiment that names one in "probe" runs it as its trials.
//
// A probe is a process that talks to a peer in a thread of its own, over a real connection. It calls the kernel
// directly: nothing is counted here, and its text is to be read beside the manual pages.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::io::probes {

struct ProbeSettings {
  std::string model;  // "sigio:delivery=handler"; empty: the probe is about no model
  std::map<std::string, std::string> config;
  std::chrono::milliseconds length{1000};  // of what is measured
  int peer_cpu = -1;                       // where the peer runs; -1: anywhere
};

using Figures = std::map<std::string, double>;  // by the ids of metrics

struct Key {
  std::string_view name;
  std::string_view values;  // "a|b", "1..64", or empty: any text
  std::string_view usual;   // its default
  std::string_view summary;
};

struct Probe {
  std::string_view name;
  std::string_view question;
  std::vector<std::string_view> models;  // that it knows; empty: none
  std::vector<Key> keys;
  std::expected<Figures, std::string> (*run)(const ProbeSettings& settings);  // the error is a sentence
};

std::span<const Probe> probes();
const Probe* find_probe(std::string_view name);

// Empty, or a sentence: a model, a key or a value that this probe does not have.
std::string complaint(const Probe& probe, const ProbeSettings& settings);

// The value of a key, or its default.
std::string_view chosen(const Probe& probe, const ProbeSettings& settings, std::string_view key);
long number(const Probe& probe, const ProbeSettings& settings, std::string_view key);

}  // namespace iolab::io::probes
