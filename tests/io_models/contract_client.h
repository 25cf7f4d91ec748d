// The other end of the contract test: a blocking TCP client whose every step has a deadline. A step that fails throws
// a sentence, which GoogleTest reports as the failure of the test.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io_models/socket.h"
#include "tests/io_models/contract_host.h"

namespace iolab::io::contract {

class Client {
 public:
  explicit Client(const Address& address);

  void send(std::string_view bytes);
  std::string receive(std::size_t bytes);  // exactly so many
  std::string receive_answer();            // one frame, without its length
  std::string ask(Letter letter, std::string_view body = {});
  bool silent(int window_ms);       // nothing, not even an end, arrives in this time
  std::size_t discard_until_end();  // end: FIN or reset; how many bytes came before it
  bool ended_by_reset() const { return reset_; }
  std::size_t unread();  // bytes in this end's receive queue

  void half_close();  // FIN, and go on reading
  void reset();       // RST in place of FIN
  void close() { socket_ = Fd(); }
  int fd() const { return socket_.get(); }

 private:
  std::size_t receive_some(char* room, std::size_t bytes, std::string_view what);

  Fd socket_;
  bool reset_ = false;
};

// Polls `condition` until it holds; false when the deadline has passed first. For what has no notification of its own.
template <class Condition>
bool eventually(Condition condition);

void wait_a_moment();  // 2 ms, between two looks at something that cannot notify

template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kDeadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    wait_a_moment();
  }
  return true;
}

}  // namespace iolab::io::contract
