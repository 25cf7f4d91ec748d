// What does a lost signal cost?
//
// Data arrives on many sockets while the signals wait in the queue, which holds only so many. Then the thread takes the
// signals and asks where they point. Which sockets does it never hear of, how long after it began to listen has it
// heard of the others, and what does it cost to ask everybody?
//
// What to notice
//   1. Plain SIGIO merges: of any number one is left, and it does not say which socket it was for.
//   2. Real-time signals queue, each with its descriptor, until RLIMIT_SIGPENDING, which counts those of all processes
//      of the user; then one plain SIGIO says "too many".
//   3. Who ignores that SIGIO never hears of the rest, until something else happens there. Never is no delay: those
//      sockets are counted, the delays are of the others. Who heeds it asks everybody.
//   4. Signals come in the order of their numbers (signal(7)): SIGIO overtakes the real-time signals that wait. One
//      poll() then tells of all sockets, before the first of those.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kSignal = 36;
constexpr timespec kNothingMore{0, 20'000'000};

double us(std::int64_t ns) {
  return static_cast<double>(ns) / 1000;
}

struct Heard {
  int signals = 0;
  int overflows = 0;
  std::map<int, std::int64_t> at_ns;  // by socket: when a signal pointed to it, or it was asked
  std::vector<double> asking_everybody_us;
};

// Everybody is asked, once: what the overflow is for.
void ask_everybody(const std::vector<Pair>& pairs, Heard& heard) {
  const auto began_ns = now_ns();
  std::vector<pollfd> entries;
  for (const auto& pair : pairs) entries.push_back({pair.near.get(), POLLIN, 0});
  ::poll(entries.data(), entries.size(), 0);
  const auto told_ns = now_ns();
  for (const auto& entry : entries) {
    if ((entry.revents & POLLIN) != 0) heard.at_ns.emplace(entry.fd, told_ns);
  }
  heard.asking_everybody_us.push_back(us(told_ns - began_ns));
}

Heard take_signals(const std::vector<Pair>& pairs, const sigset_t& signals, bool queued, bool heed_overflow) {
  Heard heard;
  siginfo_t news;
  while (::sigtimedwait(&signals, &news, &kNothingMore) >= 0) {
    ++heard.signals;
    if (news.si_signo == kSignal) {
      heard.at_ns.emplace(news.si_fd, now_ns());
      continue;
    }
    heard.overflows += queued;  // a plain SIGIO is the news itself
    if (heed_overflow) ask_everybody(pairs, heard);
  }
  return heard;
}

// What was not heard of or asked for has no figure.
Figures figures_of(const Heard& heard, std::int64_t began_ns, int unheard) {
  Figures figures{{"signals", heard.signals},
                  {"overflow_signals", heard.overflows},
                  {"sockets_never_heard_of", unheard},
                  {"rounds", 1}};
  std::vector<double> after_us;
  for (const auto& [socket, at_ns] : heard.at_ns) after_us.push_back(us(at_ns - began_ns));
  if (!after_us.empty()) {
    figures["heard_after_us"] = median(after_us);
    figures["heard_after_longest_us"] = std::ranges::max(after_us);
  }
  if (!heard.asking_everybody_us.empty()) figures["asking_everybody_us"] = median(heard.asking_everybody_us);
  return figures;
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = lost_signal();
  const auto sockets = static_cast<int>(number(probe, settings, "sockets"));
  const bool queued = chosen(probe, settings, "signal") == "queued";
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, kSignal);
  sigaddset(&signals, SIGIO);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // they wait, as they do for a thread that is busy
  auto pairs = connected_pairs(sockets);
  if (!pairs) return std::unexpected(pairs.error());
  for (const auto& pair : *pairs) {
    if (auto asked = ask_for_signals(pair.near.get(), queued ? kSignal : 0); !asked) {
      return std::unexpected(asked.error());
    }
  }
  if (auto limited = limit_signal_queue(number(probe, settings, "queue")); !limited) {
    return std::unexpected(limited.error());
  }

  for (const auto& pair : *pairs) ::send(pair.far.get(), "x", 1, MSG_NOSIGNAL);
  const auto began_ns = now_ns();
  const auto heard = take_signals(*pairs, signals, queued, chosen(probe, settings, "overflow") == "heeded");
  int unheard = 0;
  for (const auto& pair : *pairs) {
    char byte;
    const bool has_data = ::recv(pair.near.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
    unheard += has_data && !heard.at_ns.contains(pair.near.get());
  }
  return figures_of(heard, began_ns, unheard);
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
