// What every probe stands on: a connection over loopback, a peer at its other end, and clocks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "io_models/socket.h"

namespace iolab::io::probes {

struct Pair {
  Fd near;  // the probe's
  Fd far;   // the peer's
};
// TCP over 127.0.0.1, TCP_NODELAY at both ends, both blocking. The error is a sentence.
std::expected<Pair, std::string> connected_pair();
std::expected<std::vector<Pair>, std::string> connected_pairs(int how_many);
// UDP over 127.0.0.1: the far socket is connected to the near one.
std::expected<Pair, std::string> datagram_pair();

// What comes in at the socket is signalled to this thread: by that real-time signal, which tells the descriptor and
// queues, or (0) by plain SIGIO, which does neither. The socket becomes non-blocking.
void ask_for_signals(int socket, int signal);

std::int64_t now_ns();         // CLOCK_MONOTONIC
std::int64_t thread_cpu_ns();  // of the calling thread
void sleep_until_ns(std::int64_t at_ns);
int threads_of_this_process();
// The number of the system call in which a thread of this process sleeps, kRuns if it sleeps in none; nothing: /proc
// does not say.
inline constexpr long kRuns = -1;
std::optional<long> call_asleep_in(pid_t thread);

// A thread that runs `talk` on that CPU; joined when it goes out of scope.
template <class Talk>
std::jthread peer_on(int cpu, Talk talk);
void stay_on(int cpu);  // the calling thread; -1: anywhere

// In the middle of the sorted values; 0 if there are none.
double median(std::vector<double> values);

template <class Talk>
std::jthread peer_on(int cpu, Talk talk) {
  return std::jthread([cpu, talk = std::move(talk)](std::stop_token end) mutable {
    stay_on(cpu);
    talk(end);
  });
}

}  // namespace iolab::io::probes
