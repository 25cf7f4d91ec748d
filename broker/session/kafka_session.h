// One connection that speaks Kafka's protocol, without a socket: bytes in, bytes out, one want at a time.
//
// Requests are taken from the receive buffer one after the other and answered in that order. One that waits for data
// stops the ones behind it; one that waits for the disk does not, but is still answered in its turn. The buffer grows
// with what has arrived, never with what a frame claims, and is given back when it is empty.
//
// Left out: authentication and encryption. Threads: the one that serves the connection; wake-ups come from any.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "broker/base/buffer_pool.h"
#include "broker/handlers/handler.h"
#include "io_models/frontend.h"

namespace iolab::session {

class KafkaSession final : public io::Session {
 public:
  KafkaSession(core::Broker& broker, core::Clock& clock, io::Waker waker);

  io::Want want() const override { return want_; }
  std::span<std::byte> input() override;
  void received(std::size_t bytes) override;
  std::span<const iovec> output() override;
  void sent(std::size_t bytes) override;
  void woken() override;

 private:
  // A request that was taken and not yet answered, or answered behind one that was not.
  struct Pending {
    std::unique_ptr<handlers::Parked> parked;
    base::GatherBuffer answer;
  };
  enum class Frame : std::uint8_t { whole, partial, refused };

  void advance();
  void resume_pending(core::Moment now);
  void take_requests(core::Moment now);
  Frame next_frame(base::Bytes& frame) const;
  void handle(base::Bytes frame, core::Moment now, core::Wakeups& wakeups);
  bool may_take_another() const;
  io::Want decide() const;

  void tidy_input();
  void give_input_back();
  std::size_t frame_bytes_at_begin() const;

  core::Broker& broker_;
  core::Clock& clock_;
  core::Wakeup sleeper_;

  base::PooledBuffer input_;
  std::byte no_memory_{};  // where a byte is received for which there was no buffer
  std::size_t begin_ = 0;  // of what was received and not yet taken
  std::size_t end_ = 0;
  std::size_t usual_bytes_ = base::BufferPool::kSmallest;  // what to begin with: grows with what really came

  std::vector<Pending> pending_;  // in order of the requests
  std::size_t pending_bytes_ = 0;
  base::GatherBuffer out_;
  std::size_t out_sent_ = 0;
  std::vector<iovec> pieces_;
  std::int64_t taken_this_turn_ = 0;

  io::Want want_ = io::Want::receive;
  bool peer_finished_ = false;
  bool closing_ = false;  // answer what is owed, then close
};

}  // namespace iolab::session
