#include "broker/base/buffer_pool.h"

#include <algorithm>
#include <atomic>
#include <bit>

namespace iolab::base {
namespace {

std::size_t class_of(std::size_t bytes) {
  return static_cast<std::size_t>(std::countr_zero(bytes) - std::countr_zero(BufferPool::kSmallest));
}

}  // namespace

void PooledBuffer::reset() {
  if (pool_ != nullptr) pool_->give_back(bytes_);
  pool_ = nullptr;
  bytes_ = {};
}

BufferPool::~BufferPool() {
  for (Shard& shard : shards_) {
    for (auto& buffers : shard.free) {
      for (std::byte* buffer : buffers) delete[] buffer;
    }
  }
}

BufferPool::Shard& BufferPool::shard() {
  static std::atomic<unsigned> threads{0};
  thread_local const unsigned mine = threads.fetch_add(1, std::memory_order_relaxed);
  return shards_[mine % kShards];
}

PooledBuffer BufferPool::take(std::size_t bytes) {
  if (bytes > kLargest) return {this, {new std::byte[bytes], bytes}};
  const std::size_t size = std::bit_ceil(std::max(bytes, kSmallest));
  {
    Shard& mine = shard();
    const std::scoped_lock lock(mine.mutex);
    auto& buffers = mine.free[class_of(size)];
    if (!buffers.empty()) {
      std::byte* buffer = buffers.back();
      buffers.pop_back();
      mine.idle_bytes -= size;
      return {this, {buffer, size}};
    }
  }
  return {this, {new std::byte[size], size}};
}

void BufferPool::give_back(std::span<std::byte> bytes) {
  if (bytes.size() <= kLargest) {
    Shard& mine = shard();
    const std::scoped_lock lock(mine.mutex);
    if (mine.idle_bytes + bytes.size() <= idle_bytes_per_shard_) {
      mine.free[class_of(bytes.size())].push_back(bytes.data());
      mine.idle_bytes += bytes.size();
      return;
    }
  }
  delete[] bytes.data();
}

}  // namespace iolab::base
