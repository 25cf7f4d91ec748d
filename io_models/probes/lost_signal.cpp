// What does a lost signal cost?
//
// Data arrives on many sockets while the signals wait in the queue, which holds only so many. Then the thread takes the
// signals and reads where they point. Which sockets does it never hear of, and when are those found?
//
// What to notice
//   1. Plain SIGIO merges: of any number one is left, and it does not say which socket it was for.
//   2. Real-time signals queue, each with its descriptor, until RLIMIT_SIGPENDING; then one plain SIGIO says "too
//   many".
//   3. Who ignores that SIGIO never hears of the rest, until something else happens there. Who heeds it asks everybody.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;
constexpr timespec kNothingMore{0, 20'000'000};

struct Heard {
  int signals = 0;
  int overflows = 0;
  std::vector<bool> sockets;  // that a signal pointed to, or that were asked
};

void ask_for_signals(int socket, bool queued) {
  const f_owner_ex owner{F_OWNER_TID, ::gettid()};
  ::fcntl(socket, F_SETSIG, queued ? kSignal : 0);
  ::fcntl(socket, F_SETOWN_EX, &owner);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_ASYNC | O_NONBLOCK);
}

// Everybody is asked, once: what the overflow is for.
void ask_everybody(const std::vector<Pair>& pairs, Heard& heard) {
  std::vector<pollfd> entries;
  for (const auto& pair : pairs) entries.push_back({pair.near.get(), POLLIN, 0});
  ::poll(entries.data(), entries.size(), 0);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if ((entries[i].revents & POLLIN) != 0) heard.sockets[i] = true;
  }
}

Heard take_signals(const std::vector<Pair>& pairs, bool heed_overflow) {
  Heard heard{.sockets = std::vector<bool>(pairs.size())};
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kSignal);
  sigaddset(&signals, SIGIO);
  siginfo_t news;
  while (::sigtimedwait(&signals, &news, &kNothingMore) >= 0) {
    ++heard.signals;
    if (news.si_signo == SIGIO) {
      ++heard.overflows;
      if (heed_overflow) ask_everybody(pairs, heard);
      continue;
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].near.get() == news.si_fd) heard.sockets[i] = true;
    }
  }
  return heard;
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = lost_signal();
  const auto sockets = static_cast<int>(number(probe, settings, "sockets"));
  const auto room = static_cast<rlim_t>(number(probe, settings, "queue"));
  const bool queued = chosen(probe, settings, "signal") == "queued";
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kSignal);
  sigaddset(&signals, SIGIO);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // they wait, as they do for a thread that is busy
  auto pairs = connected_pairs(sockets);
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) ask_for_signals(pair.near.get(), queued);
  const rlimit limit{room, room};
  ::setrlimit(RLIMIT_SIGPENDING, &limit);

  for (const auto& pair : *pairs) ::send(pair.far.get(), "x", 1, MSG_NOSIGNAL);
  const auto began = now_ns();
  const auto heard = take_signals(*pairs, chosen(probe, settings, "overflow") == "heeded");
  const auto took_ns = now_ns() - began;
  int unheard = 0;
  for (std::size_t i = 0; i < pairs->size(); ++i) {
    char byte;
    unheard += !heard.sockets[i] && ::recv((*pairs)[i].near.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
  }
  return Figures{{"signals", static_cast<double>(heard.signals)},
                 {"overflow_signals", static_cast<double>(heard.overflows)},
                 {"sockets_never_heard_of", static_cast<double>(unheard)},
                 {"until_quiet_ms", static_cast<double>(took_ns) / 1e6}};
}

}  // namespace

Probe lost_signal() {
  return {.name = "lost-signal",
          .question = "What does a lost signal cost?",
          .models = {},
          .keys = {{"signal", "plain|queued", "queued", "SIGIO, or a real-time signal (F_SETSIG)"},
                   {"sockets", "1..1000", "64", "on which data arrives at once"},
                   {"queue", "1..100000", "32", "RLIMIT_SIGPENDING"},
                   {"overflow", "heeded|ignored", "heeded", "what is done about SIGIO; ignored is wrong on purpose"}},
          .run = run};
}

}  // namespace iolab::io::probes
