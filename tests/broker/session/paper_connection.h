// A connection on paper: grants a session's wants from memory, in pieces of any size, as a front-end would.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "broker/session/kafka_session.h"
#include "tests/broker/core/test_broker.h"

namespace iolab::test {

// How large the next piece is, out of so many bytes; at least 1.
using Pieces = std::function<std::size_t(std::size_t)>;
inline Pieces whole() {
  return [](std::size_t bytes) { return bytes; };
}
inline Pieces one_byte() {
  return [](std::size_t) { return std::size_t{1}; };
}
inline Pieces random_pieces(std::uint64_t seed, std::size_t most) {
  return [random = std::mt19937_64(seed), most](std::size_t bytes) mutable {
    return std::min<std::size_t>(bytes, 1 + random() % most);
  };
}

// Plays one conversation to its end, and returns the answers. `while_waiting` is called each time that the session
// wants to be woken.
inline Frame play(io::Session& session, base::Bytes script, Pieces pieces, const std::function<void()>& while_waiting) {
  Frame answers;
  std::size_t at = 0;
  int waits = 0;
  bool finished = false;
  for (;;) {
    switch (session.want()) {
      case io::Want::receive: {
        if (finished) return answers;
        const std::span<std::byte> room = session.input();
        EXPECT_FALSE(room.empty()) << "a session that wants to receive has no room";
        if (at == script.size()) finished = true;
        const std::size_t bytes = finished ? 0 : pieces(std::min(room.size(), script.size() - at));
        std::copy_n(script.begin() + static_cast<std::ptrdiff_t>(at), bytes, room.begin());
        at += bytes;
        session.received(bytes);
        break;
      }
      case io::Want::send: {
        const std::span<const iovec> output = session.output();
        EXPECT_FALSE(output.empty()) << "a session that wants to send has nothing";
        std::size_t total = 0;
        for (const iovec& piece : output) total += piece.iov_len;
        std::size_t left = pieces(total);
        const std::size_t sent = left;
        for (const iovec& piece : output) {
          const auto* first = static_cast<const std::byte*>(piece.iov_base);
          const std::size_t bytes = std::min(left, piece.iov_len);
          answers.insert(answers.end(), first, first + bytes);
          left -= bytes;
        }
        session.sent(sent);
        break;
      }
      case io::Want::wake:
        if (++waits > 100'000) {
          ADD_FAILURE() << "a session waits for ever";
          return answers;
        }
        while_waiting();
        session.woken();
        break;
      case io::Want::close: return answers;
    }
  }
}

inline Frame play(TestBroker& broker, const Frame& script, Pieces pieces = whole()) {
  session::KafkaSession session(*broker, broker.clock, io::Waker());
  return play(session, script, std::move(pieces), [&] { broker->run_flushes(broker.clock.now()); });
}

}  // namespace iolab::test
