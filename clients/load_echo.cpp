// Echo: every message carries its connection and its number, so that one that was lost, doubled, or sent to another
// connection is noticed, and not only one that was damaged.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "clients/dialogue.h"

namespace iolab::clients {
namespace {

class EchoDialogue final : public Dialogue {
 public:
  EchoDialogue(const LoadSpec& spec, int connection)
      : verify_(spec.verify), bytes_(spec.message_bytes), messages_(bytes_ * static_cast<std::size_t>(spec.in_flight)) {
    std::mt19937_64 random(spec.seed * 1'000'003 + static_cast<std::uint64_t>(connection));
    for (auto& byte : messages_) byte = static_cast<std::byte>(random());
    for (std::size_t slot = 0; slot < static_cast<std::size_t>(spec.in_flight); ++slot) {
      pieces_.push_back({messages_.data() + slot * bytes_, bytes_});
    }
  }

  std::span<const iovec> request(std::uint32_t slot) override {
    ++number_;
    std::memcpy(pieces_[slot].iov_base, &number_, std::min(bytes_, sizeof number_));
    return {&pieces_[slot], 1};
  }

  Answer answered(std::uint32_t slot, std::span<const std::byte> answer) override {
    if (verify_ && std::memcmp(answer.data(), pieces_[slot].iov_base, bytes_) != 0) {
      if (note_.empty()) note_ = "an echo differs from the message that was sent";
      return {.error = LoadError::wrong_bytes};
    }
    return {.records = 1, .payload_bytes = bytes_};
  }

  const std::string& note() const override { return note_; }

 private:
  bool verify_;
  std::size_t bytes_;
  std::uint64_t number_ = 0;
  std::vector<std::byte> messages_;
  std::vector<iovec> pieces_;
  std::string note_;
};

class EchoScript final : public Script {
 public:
  explicit EchoScript(const LoadSpec& spec) : spec_(spec), framing_{.fixed_bytes = spec.message_bytes, .probe = {}} {
    framing_.probe.resize(spec.message_bytes, std::byte{'?'});
  }
  const Framing& framing() const override { return framing_; }
  std::unique_ptr<Dialogue> dialogue(int connection) const override {
    return std::make_unique<EchoDialogue>(spec_, connection);
  }

 private:
  LoadSpec spec_;
  Framing framing_;
};

}  // namespace

MadeScript echo_script(const LoadSpec& spec) {
  return std::make_unique<EchoScript>(spec);
}

std::int64_t Framing::answer_bytes(std::span<const std::byte> bytes) const {
  if (fixed_bytes != 0) return bytes.size() < fixed_bytes ? 0 : static_cast<std::int64_t>(fixed_bytes);
  if (bytes.size() < 4) return 0;
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::uint32_t>(bytes[i]);
  if (length < 4 || length > longest_bytes) return -1;
  return static_cast<std::int64_t>(length) + 4;
}

}  // namespace iolab::clients
