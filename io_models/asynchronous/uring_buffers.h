// Memory that the kernel may choose from when bytes arrive: a ring of buffers shared with it (Linux 5.19).
//
// An order without memory of its own costs an idle connection nothing; the buffers are as many as are in use at a time.
// They belong to all connections of the loop, so nobody may keep one: each is given back as soon as it was looked at.
// liburing 2.3 has no function that makes such a ring; it is mapped and registered here.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

namespace iolab::io {

struct Unmap {
  std::size_t bytes = 0;
  void operator()(void* memory) const;
};

class UringBuffers {
 public:
  static constexpr std::uint16_t kGroup = 0;

  // `count` is a power of two, at most 32768. The error is -errno as a sentence.
  static std::expected<UringBuffers, std::string> make(io_uring& uring, std::uint32_t count, std::uint32_t bytes_each);

  // What a result with IORING_CQE_F_BUFFER brought.
  std::span<const std::byte> of(const io_uring_cqe& result) const {
    return {memory_.get() + std::size_t{number_of(result)} * bytes_each_, static_cast<std::size_t>(result.res)};
  }
  void give_back(const io_uring_cqe& result) { add(number_of(result)); }
  void publish() {  // what was given back, at the end of a turn
    if (given_back_ == 0) return;
    ::io_uring_buf_ring_advance(ring_.get(), given_back_);
    given_back_ = 0;
  }

 private:
  UringBuffers() = default;
  static std::uint16_t number_of(const io_uring_cqe& result) {
    return static_cast<std::uint16_t>(result.flags >> IORING_CQE_BUFFER_SHIFT);
  }
  void add(std::uint16_t number) {
    std::byte* const buffer = memory_.get() + std::size_t{number} * bytes_each_;
    ::io_uring_buf_ring_add(ring_.get(), buffer, bytes_each_, number, static_cast<int>(count_ - 1), given_back_++);
  }

  std::unique_ptr<io_uring_buf_ring, Unmap> ring_;
  std::unique_ptr<std::byte, Unmap> memory_;
  std::uint32_t count_ = 0;
  std::uint32_t bytes_each_ = 0;
  int given_back_ = 0;
};

}  // namespace iolab::io
