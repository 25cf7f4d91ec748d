// A range of the log that is not in memory: a regular file is always "ready", and reading it still waits for the disk.
// Whoever serves many connections has somebody else wait: it leaves a ColdRead behind, and is woken.
//
// Threads: a ColdRead is shared by the connection that asked and by whoever reads. The one calls done() and take(), the
// other run(), or order and finish(); what was read is passed on by done().
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <utility>

#include "broker/base/buffer_pool.h"
#include "broker/core/partition.h"
#include "broker/core/wakeup.h"

namespace iolab::core {

class ColdRead {
 public:
  using Outcome = std::expected<Partition::Records, protocol::ErrorCode>;

  ColdRead(std::shared_ptr<Partition> partition, storage::ReadLocation location, base::BufferPool& buffers,
           Wakeup sleeper)
      : partition_(std::move(partition)),
        location_(std::move(location)),
        buffers_(buffers),
        sleeper_(std::move(sleeper)) {}

  // Waits for the disk, and wakes whoever waits for it.
  void run();

  // The same in two halves: this is what is to be read, and this is what came of it: bytes, or a negative errno. What
  // an order did not bring is read by run().
  struct Order {
    int descriptor = -1;
    std::int64_t position = 0;
    std::span<std::byte> into;
  };
  Order order();
  void finish(std::int64_t result);

  bool done() const { return done_.load(); }
  Outcome take() { return std::move(outcome_); }  // once, when it is done

 private:
  void end(Outcome outcome);

  const std::shared_ptr<Partition> partition_;
  const storage::ReadLocation location_;
  base::BufferPool& buffers_;
  const Wakeup sleeper_;
  std::shared_ptr<base::PooledBuffer> buffer_;  // of an order
  Outcome outcome_;
  std::atomic<bool> done_{false};  // the release of what was written before it
};

// Whose thread waits. add() is called from any thread and does not wait.
class ColdReader {
 public:
  virtual ~ColdReader() = default;
  virtual void add(std::shared_ptr<ColdRead> read) = 0;
};

}  // namespace iolab::core
