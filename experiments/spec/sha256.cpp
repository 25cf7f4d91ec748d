#include "experiments/spec/sha256.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace iolab::lab {
namespace {

constexpr std::size_t kBlockBytes = 64;
using State = std::array<std::uint32_t, 8>;

// The first 32 bits of the fractional parts of the cube roots (square roots) of the first primes: computed, because a
// table of 72 constants hides a wrong digit better than a formula does. Long double has the bits to spare.
std::uint32_t fraction_bits(long double root) {
  return static_cast<std::uint32_t>((root - std::floor(root)) * 4294967296.0L);
}

struct Constants {
  std::array<std::uint32_t, 64> round{};
  State start{};
  Constants() {
    std::size_t found = 0;
    for (int candidate = 2; found < round.size(); ++candidate) {
      bool prime = true;
      for (int divisor = 2; divisor * divisor <= candidate; ++divisor) prime = prime && candidate % divisor != 0;
      if (!prime) continue;
      const auto number = static_cast<long double>(candidate);
      round[found] = fraction_bits(std::cbrt(number));
      if (found < start.size()) start[found] = fraction_bits(std::sqrt(number));
      ++found;
    }
  }
};

const Constants& constants() {
  static const Constants kConstants;
  return kConstants;
}

void add_block(State& state, const unsigned char* block) {
  std::array<std::uint32_t, 64> w;
  for (std::size_t i = 0; i < 16; ++i) {
    w[i] = std::uint32_t{block[4 * i]} << 24 | std::uint32_t{block[4 * i + 1]} << 16 |
           std::uint32_t{block[4 * i + 2]} << 8 | std::uint32_t{block[4 * i + 3]};
  }
  for (std::size_t i = 16; i < 64; ++i) {
    const std::uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
    const std::uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  auto [a, b, c, d, e, f, g, h] = state;
  for (std::size_t i = 0; i < 64; ++i) {
    const std::uint32_t big1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t t1 = h + big1 + ((e & f) ^ (~e & g)) + constants().round[i] + w[i];
    const std::uint32_t big0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t2 = big0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const State more{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += more[i];
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  State state = constants().start;
  const std::string_view whole = bytes.substr(0, bytes.size() / kBlockBytes * kBlockBytes);
  for (std::size_t at = 0; at < whole.size(); at += kBlockBytes) {
    add_block(state, reinterpret_cast<const unsigned char*>(whole.data() + at));
  }
  // A one bit, zeros, and the length in bits, to the end of a block.
  std::array<unsigned char, 2 * kBlockBytes> tail{};
  const auto rest = bytes.substr(whole.size());
  std::memcpy(tail.data(), rest.data(), rest.size());
  tail[rest.size()] = 0x80;
  const std::size_t length = rest.size() + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (std::size_t i = 0; i < 8; ++i) tail[length - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
  for (std::size_t at = 0; at < length; at += kBlockBytes) add_block(state, tail.data() + at);
  std::string hex;
  for (const auto word : state) hex += fmt::format("{:08x}", word);
  return hex;
}

std::expected<std::string, std::string> sha256_of_file(int descriptor) {
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return std::unexpected(std::string(std::strerror(errno)));
  if (status.st_size == 0) return sha256_hex({});
  const auto bytes = static_cast<std::size_t>(status.st_size);
  void* mapped = mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (mapped == MAP_FAILED) return std::unexpected(std::string(std::strerror(errno)));
  auto hash = sha256_hex({static_cast<const char*>(mapped), bytes});
  munmap(mapped, bytes);
  return hash;
}

}  // namespace iolab::lab
