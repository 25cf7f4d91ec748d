// Why should a socket that select() watches be non-blocking?
//
// One loop serves eight neighbours, who ask in turn and get a short answer, and one customer, who has ordered 64 MB and
// reads nothing of it. select() says that the customer's socket is writable: there is room for some bytes. Not for all.
//
// What to notice
//   1. Blocking: send() copies what fits and then sleeps until the rest has gone, which is never. The loop is in that
//      call, and the neighbours wait as well, though select() would tell of every one of them.
//   2. Non-blocking: send() takes what fits and returns. The rest stays with the loop until there is room again.
//      LESSON: writable-is-not-all
#include <poll.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr int kNeighbours = 8;
constexpr std::size_t kOrderBytes = 64'000'000;
constexpr int kPatienceMs = 50;  // of a neighbour; after that the answer is missing
constexpr std::int64_t kBetweenQuestionsNs = 1'000'000;

struct Loop {
  const std::vector<Pair>& neighbours;
  const std::vector<std::byte>& goods;  // made before anybody asks: filling them takes as long as a frozen loop
  int customer;
  bool blocking;
  std::int64_t end_ns;

  void run() const {
    std::size_t sent = 0;
    bool customer_is_there = true;
    while (now_ns() < end_ns) {
      fd_set readers, writers;
      FD_ZERO(&readers);
      FD_ZERO(&writers);
      int highest = customer;
      for (const auto& neighbour : neighbours) {
        FD_SET(neighbour.near.get(), &readers);
        highest = std::max(highest, neighbour.near.get());
      }
      if (customer_is_there && sent < goods.size()) FD_SET(customer, &writers);
      timeval patience{.tv_sec = 0, .tv_usec = 10'000};
      if (::select(highest + 1, &readers, &writers, nullptr, &patience) <= 0) continue;
      if (FD_ISSET(customer, &writers)) {
        const auto rest = std::span(goods).subspan(sent);
        const int flags = MSG_NOSIGNAL | (blocking ? 0 : MSG_DONTWAIT);
        const ssize_t bytes = ::send(customer, rest.data(), rest.size(), flags);
        customer_is_there = bytes >= 0;
        if (bytes > 0) sent += static_cast<std::size_t>(bytes);
      }
      for (const auto& neighbour : neighbours) {
        if (FD_ISSET(neighbour.near.get(), &readers)) answer(neighbour.near.get());
      }
    }
  }
  static void answer(int socket) {
    std::byte question;
    if (::recv(socket, &question, 1, MSG_DONTWAIT) == 1) ::send(socket, &question, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
};

struct Heard {
  int asked = 0;
  std::vector<double> answered_after_us;
  std::int64_t longest_wait_ns = 0;
};

// The neighbours, one after the other. Who gets no answer in time asks no more: a late answer is none to the next.
void ask_in_turn(const std::vector<Pair>& neighbours, std::int64_t end_ns, Heard& heard) {
  std::vector<std::int64_t> waiting_since(neighbours.size(), 0);
  for (std::size_t turn = 0; now_ns() < end_ns; ++turn) {
    const auto who = turn % neighbours.size();
    const int socket = neighbours[who].far.get();
    const auto asked_ns = now_ns();
    if (waiting_since[who] == 0) {
      ++heard.asked;
      std::byte word{};
      ::send(socket, &word, 1, MSG_NOSIGNAL);
      pollfd answer{socket, POLLIN, 0};
      if (::poll(&answer, 1, kPatienceMs) > 0 && ::recv(socket, &word, 1, MSG_DONTWAIT) == 1) {
        heard.answered_after_us.push_back(static_cast<double>(now_ns() - asked_ns) / 1000);
      } else {
        waiting_since[who] = asked_ns;
      }
    }
    sleep_until_ns(asked_ns + kBetweenQuestionsNs);
  }
  for (const auto since_ns : waiting_since) {
    if (since_ns != 0) heard.longest_wait_ns = std::max(heard.longest_wait_ns, now_ns() - since_ns);
  }
  for (const double us : heard.answered_after_us) {
    heard.longest_wait_ns = std::max(heard.longest_wait_ns, static_cast<std::int64_t>(us * 1000));
  }
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = frozen_loop();
  auto neighbours = connected_pairs(kNeighbours);
  if (!neighbours) return std::unexpected(neighbours.error());
  auto customer = connected_pair();
  if (!customer) return std::unexpected(customer.error());
  if (customer->near.get() >= FD_SETSIZE) return std::unexpected("select() cannot watch a descriptor above 1023");
  const std::vector<std::byte> goods(kOrderBytes);
  const Loop loop{.neighbours = *neighbours,
                  .goods = goods,
                  .customer = customer->near.get(),
                  .blocking = chosen(probe, settings, "sockets") == "blocking",
                  .end_ns = now_ns() + std::chrono::nanoseconds(settings.length).count()};
  Heard heard;
  {
    const auto peer = peer_on(settings.peer_cpu, [&](const std::stop_token&) {
      ask_in_turn(*neighbours, loop.end_ns, heard);
      customer->far = Fd();  // hangs up, which ends a send() that sleeps
    });
    loop.run();
  }
  const auto answers = static_cast<double>(heard.answered_after_us.size());
  Figures figures{{"questions", heard.asked},
                  {"answered_share", answers / std::max(1, heard.asked)},
                  {"longest_silence_ms", static_cast<double>(heard.longest_wait_ns) / 1e6}};
  if (answers > 0) figures["answered_after_us"] = median(heard.answered_after_us);
  return figures;
}

}  // namespace

Probe frozen_loop() {
  return {.name = "frozen-loop",
          .question = "Why should a socket that select() watches be non-blocking?",
          .models = {},
          .keys = {{"sockets", "non-blocking|blocking", "non-blocking", "blocking is wrong on purpose"}},
          .run = run};
}

}  // namespace iolab::io::probes
