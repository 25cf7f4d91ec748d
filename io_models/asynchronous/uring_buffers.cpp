#include "io_models/asynchronous/uring_buffers.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

void* map(std::size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

void Unmap::operator()(void* memory) const {
  ::munmap(memory, bytes);
}

std::expected<UringBuffers, std::string> UringBuffers::make(io_uring& uring, std::uint32_t count,
                                                            std::uint32_t bytes_each) {
  UringBuffers buffers;
  const std::size_t ring_bytes = count * sizeof(io_uring_buf);
  const std::size_t memory_bytes = std::size_t{count} * bytes_each;
  buffers.ring_ = {static_cast<io_uring_buf_ring*>(map(ring_bytes)), Unmap{ring_bytes}};
  buffers.memory_ = {static_cast<std::byte*>(map(memory_bytes)), Unmap{memory_bytes}};
  if (!buffers.ring_ || !buffers.memory_) return std::unexpected("no memory for the buffers of io_uring-multishot");
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers.ring_.get());
  registration.ring_entries = count;
  registration.bgid = kGroup;
  const int result = sys::counted(Call::io_uring_register, uring.ring_fd,
                                  [&] { return ::io_uring_register_buf_ring(&uring, &registration, 0); });
  if (result < 0) {
    return std::unexpected(std::string("the kernel takes no ring of buffers (it needs Linux 5.19): ") +
                           std::strerror(-result));
  }
  buffers.count_ = count;
  buffers.bytes_each_ = bytes_each;
  ::io_uring_buf_ring_init(buffers.ring_.get());
  for (std::uint32_t number = 0; number < count; ++number) buffers.add(static_cast<std::uint16_t>(number));
  buffers.publish();
  return buffers;
}

}  // namespace iolab::io
