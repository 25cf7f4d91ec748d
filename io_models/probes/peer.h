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
// queues, or (0) by plain SIGIO, which does neither. The socket becomes non-blocking. The error is a sentence.
[[nodiscard]] std::expected<void, std::string> ask_for_signals(int socket, int signal);
// How many signals may wait for this process (RLIMIT_SIGPENDING). The error is a sentence.
[[nodiscard]] std::expected<void, std::string> limit_signal_queue(long room);

std::int64_t now_ns();         // CLOCK_MONOTONIC
std::int64_t thread_cpu_ns();  // of the calling thread
void sleep_until_ns(std::int64_t at_ns);
int threads_of_this_process();
// The number of the system call in which a thread of this process sleeps, kRuns if it sleeps in none; nothing: /proc
// does not say.
inline constexpr long kRuns = -1;
std::optional<long> call_asleep_in(pid_t thread);

// A thread that runs `talk` on that CPU, which can_stay_on() has allowed; joined when it goes out of scope.
[[noreturn]] void give_up(const std::string& why);  // ends the process: no figure may come of it
template <class Talk>
std::jthread peer_on(int cpu, Talk talk);
// The calling thread; -1: anywhere. The error is a sentence.
std::expected<void, std::string> stay_on(int cpu);
// Whether a thread of this process may run there, before anything is measured. Tried, and taken back.
[[nodiscard]] std::expected<void, std::string> can_stay_on(int cpu);

// In the middle of the sorted values; 0 if there are none.
double median(std::vector<double> values);

template <class Talk>
std::jthread peer_on(int cpu, Talk talk) {
  return std::jthread([cpu, talk = std::move(talk)](std::stop_token end) mutable {
    if (const auto stays = stay_on(cpu); !stays) give_up(stays.error());
    talk(end);
  });
}

}  // namespace iolab::io::probes
