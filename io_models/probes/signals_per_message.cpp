// How many signals does a message cost, over TCP and over UDP?
//
// The textbook says of signal-driven I/O that it is next to useless with TCP: the signal comes too often, and does not
// say what happened; with UDP it comes when a datagram has arrived, and that is what one wants to know. (Stevens,
// Fenner and Rudoff, UNIX Network Programming 1, section 25.2.) Here the signal is one that queues and tells its
// descriptor. Peers send a message on each socket while the thread is busy, in one part or in several, each a segment
// or a datagram. Then the thread takes the signals and reads whatever is there where they point.
//
// What to notice
//   1. Over UDP there is one signal for a datagram. Over TCP there is one for a segment, and a message has as many as
//      it likes: the first signal finds all of it, the others come in vain. That much of "too often" is true.
//   2. Each of them tells its socket. If the queue is too short for all, SIGIO says so, everybody is asked, and nobody
//      is forgotten: over TCP no more than over UDP.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;
constexpr timespec kNothingMore{0, 5'000'000};

struct Told {
  int signals = 0;
  int overflows = 0;
  int in_vain = 0;  // nothing was there to be read
  int parts = 0;    // that were read
};

std::expected<std::vector<Pair>, std::string> pairs_of(std::string_view protocol, int how_many) {
  if (protocol == "tcp") return connected_pairs(how_many);
  std::vector<Pair> pairs;
  for (int i = 0; i < how_many; ++i) {
    auto pair = datagram_pair();
    if (!pair) return std::unexpected(pair.error());
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

// Until nothing is left. A part is one byte; recv() takes one datagram, or what the segments have brought.
int read_parts(int socket) {
  std::array<char, 64> room;
  int parts = 0;
  for (ssize_t bytes = 0; (bytes = ::recv(socket, room.data(), room.size(), MSG_DONTWAIT)) > 0;) {
    parts += static_cast<int>(bytes);
  }
  return parts;
}

void take_signals(const std::vector<Pair>& pairs, const sigset_t& signals, Told& told) {
  siginfo_t news;
  while (::sigtimedwait(&signals, &news, &kNothingMore) >= 0) {
    ++told.signals;
    int parts = 0;
    if (news.si_signo == kSignal) {
      parts = read_parts(news.si_fd);
    } else {
      ++told.overflows;
      for (const auto& pair : pairs) parts += read_parts(pair.near.get());
    }
    told.in_vain += parts == 0;
    told.parts += parts;
  }
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = signals_per_message();
  const auto sockets = static_cast<int>(number(probe, settings, "sockets"));
  const auto parts = static_cast<int>(number(probe, settings, "parts"));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kSignal);
  sigaddset(&signals, SIGIO);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // they wait, as they do for a thread that is busy
  const auto pairs = pairs_of(chosen(probe, settings, "protocol"), sockets);
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (auto asked = ask_for_signals(pair.near.get(), kSignal); !asked) return std::unexpected(asked.error());
  }
  if (auto limited = limit_signal_queue(number(probe, settings, "queue")); !limited) {
    return std::unexpected(limited.error());
  }

  Told told;
  int messages = 0;
  int unheard = 0;
  const auto end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count();
  do {
    for (const auto& pair : *pairs) {
      for (int part = 0; part < parts; ++part) ::send(pair.far.get(), "x", 1, MSG_NOSIGNAL);
    }
    messages += sockets;
    take_signals(*pairs, signals, told);
    for (const auto& pair : *pairs) unheard += read_parts(pair.near.get()) > 0;
  } while (now_ns() < end_ns);
  return Figures{{"signals_per_message", 1.0 * told.signals / messages},
                 {"signals_in_vain_share", 1.0 * told.in_vain / std::max(1, told.signals)},
                 {"overflow_signals", told.overflows},
                 {"messages", 1.0 * told.parts / parts},
                 {"sockets_never_heard_of", unheard}};
}

}  // namespace

Probe signals_per_message() {
  return {.name = "signals-per-message",
          .question = "How many signals does a message cost, over TCP and over UDP?",
          .models = {},
          .keys = {{"protocol", "tcp|udp", "tcp", "of the sockets"},
                   {"parts", "1..16", "1", "of a message: segments or datagrams, each sent by itself"},
                   {"sockets", "1..200", "16", "with a message on each at once"},
                   {"queue", "1..100000", "1000", "RLIMIT_SIGPENDING"}},
          .run = run};
}

}  // namespace iolab::io::probes
