// Byte buffers that are used again, so that a megabyte costs no page faults the second time.
//
// Sizes are powers of two from 4 KiB to 4 MiB; what is larger comes from and returns to the heap. The pool keeps at
// most a fixed number of bytes idle. Content is never cleared and never assumed to be clear.
//
// Threads: any thread takes and gives back. Threads spread over shards, so that two of them rarely meet at one lock; a
// buffer returns to the shard of whoever gives it back.
#pragma once

#include <array>
#include <cstddef>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace iolab::base {

class BufferPool;

// Owns one buffer; gives it back to its pool. The pool must outlive it.
class PooledBuffer {
 public:
  PooledBuffer() = default;
  PooledBuffer(PooledBuffer&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
  PooledBuffer& operator=(PooledBuffer&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~PooledBuffer() { reset(); }

  void reset();
  std::span<std::byte> bytes() const { return bytes_; }
  std::byte* data() const { return bytes_.data(); }
  std::size_t size() const { return bytes_.size(); }
  explicit operator bool() const { return !bytes_.empty(); }

 private:
  friend class BufferPool;
  PooledBuffer(BufferPool* pool, std::span<std::byte> bytes) : pool_(pool), bytes_(bytes) {}

  BufferPool* pool_ = nullptr;
  std::span<std::byte> bytes_;
};

class BufferPool {
 public:
  static constexpr std::size_t kSmallest = 4 * 1024;
  static constexpr std::size_t kLargest = 4 * 1024 * 1024;

  explicit BufferPool(std::size_t idle_bytes = 32 * 1024 * 1024) : idle_bytes_per_shard_(idle_bytes / kShards) {}
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // At least that many bytes, at least one. Throws std::bad_alloc only where `new` would.
  PooledBuffer take(std::size_t bytes);

 private:
  friend class PooledBuffer;
  static constexpr std::size_t kShards = 4;
  static constexpr std::size_t kClasses = 11;  // 4 KiB << 0 .. 4 KiB << 10
  struct alignas(64) Shard {
    std::mutex mutex;
    std::array<std::vector<std::byte*>, kClasses> free;
    std::size_t idle_bytes = 0;
  };

  Shard& shard();
  void give_back(std::span<std::byte> bytes);

  std::size_t idle_bytes_per_shard_;
  std::array<Shard, kShards> shards_;
};

}  // namespace iolab::base
