// Is POSIX AIO asynchronous?
//
// Many reads are ordered at once, on one descriptor or on many; the peer answers all of them. Who does the reading, how
// many at a time, and does a write wait behind a read that has nothing to read?
//
// What to notice
//   1. glibc's "asynchronous" is a thread of this process in an ordinary blocking read(). /proc/self/task counts them.
//   2. Orders for one descriptor number are carried out one after the other, by one thread.
//   3. More silent descriptors than threads: the others get no service, though their data is there.
//   4. When the signal of a completion comes, the bytes are in the buffer. That much of the promise is kept. SIGIO
//      comes before anybody has read: its signal says that one can begin, this one that it is done.
#include <aio.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr std::size_t kBytes = 16;
constexpr std::int64_t kPatienceNs = 300'000'000;

struct Order {
  std::unique_ptr<aiocb> block = std::make_unique<aiocb>();  // glibc keeps its address
  std::array<char, kBytes> room{};
  bool given = false;
  bool done = false;
};

// False: glibc or the kernel has no room for it.
bool give(Order& order, int socket) {
  order.block->aio_fildes = socket;
  order.block->aio_buf = order.room.data();
  order.block->aio_nbytes = order.room.size();
  order.block->aio_sigevent.sigev_notify = SIGEV_NONE;
  order.given = ::aio_read(order.block.get()) == 0;
  return order.given;
}

// How many are done by then.
int served(std::deque<Order>& orders, std::int64_t until_ns) {
  int count = 0;
  while (count < static_cast<int>(orders.size()) && now_ns() < until_ns) {
    for (auto& order : orders) {
      if (!order.given || order.done || ::aio_error(order.block.get()) == EINPROGRESS) continue;
      order.done = true;
      count += ::aio_return(order.block.get()) == static_cast<ssize_t>(kBytes);
    }
    sleep_until_ns(now_ns() + 1'000'000);
  }
  return count;
}

// Takes back what nobody has begun, and waits for the rest, which a shutdown() of its socket ends: until then glibc
// writes into the order's memory.
void settle(std::deque<Order>& orders) {
  for (auto& order : orders) {
    if (!order.given || order.done) continue;
    ::aio_cancel(order.block->aio_fildes, order.block.get());
    while (::aio_error(order.block.get()) == EINPROGRESS) sleep_until_ns(now_ns() + 100'000);
    order.done = true;
  }
}

// Peers of the last descriptors speak, those of the first are silent: who is served?
std::optional<double> served_behind_silence(int silent, int speaking) {
  auto pairs = connected_pairs(silent + speaking);
  if (!pairs) return std::nullopt;
  std::deque<Order> orders(pairs->size());
  bool given = true;
  for (std::size_t i = 0; i < orders.size(); ++i) given = give(orders[i], (*pairs)[i].near.get()) && given;
  const std::array<char, kBytes> message{};
  for (std::size_t i = static_cast<std::size_t>(silent); i < pairs->size(); ++i) {
    ::send((*pairs)[i].far.get(), message.data(), message.size(), MSG_NOSIGNAL);
  }
  const int count = served(orders, now_ns() + kPatienceNs);
  for (const auto& pair : *pairs) ::shutdown(pair.near.get(), SHUT_RDWR);  // close() would complete nothing
  settle(orders);
  if (!given) return std::nullopt;
  return 1.0 * count / speaking;
}

// A write to a descriptor on which a read waits: does the peer have it while the read still waits?
std::optional<double> write_passes_read() {
  auto pair = connected_pair();
  if (!pair) return std::nullopt;
  Order read;
  if (!give(read, pair->near.get())) return std::nullopt;
  aiocb write{};
  std::array<char, kBytes> message{};
  write.aio_fildes = pair->near.get();
  write.aio_buf = message.data();
  write.aio_nbytes = message.size();
  write.aio_sigevent.sigev_notify = SIGEV_NONE;
  const bool written = ::aio_write(&write) == 0;
  const timeval limit{0, static_cast<suseconds_t>(kPatienceNs / 1000)};
  ::setsockopt(pair->far.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  std::array<char, kBytes> room;
  const bool passed = ::recv(pair->far.get(), room.data(), room.size(), 0) > 0;
  ::shutdown(pair->near.get(), SHUT_RDWR);
  while (::aio_error(read.block.get()) == EINPROGRESS || (written && ::aio_error(&write) == EINPROGRESS)) {
    sleep_until_ns(now_ns() + 100'000);
  }
  if (!written) return std::nullopt;
  return passed ? 1 : 0;
}

constexpr int kSignal = 36;
std::atomic<char*> signalled_room = nullptr;
std::atomic<int> bytes_at_signal = -1;

void look_into_the_buffer(int) {
  const char* const room = signalled_room;
  int there = 0;
  for (std::size_t i = 0; i < kBytes; ++i) there += room[i] == 'x';
  bytes_at_signal = there;
}

// The peer sends as many bytes as there is room for, and the signal comes. -1: it does not.
void send_and_await_signal(int peer, int signal, char* room) {
  signalled_room = room;
  bytes_at_signal = -1;
  struct sigaction action{};
  action.sa_handler = look_into_the_buffer;
  ::sigaction(signal, &action, nullptr);
  const std::string message(kBytes, 'x');
  ::send(peer, message.data(), message.size(), MSG_NOSIGNAL);
  for (const auto until = now_ns() + kPatienceNs; bytes_at_signal < 0 && now_ns() < until;) {
    sleep_until_ns(now_ns() + 100'000);
  }
  ::signal(signal, SIG_IGN);
}

// What is in the buffer when SIGIO says "you can begin"? The order is to be given by a recv(), after the signal.
std::expected<std::optional<double>, std::string> bytes_when_sigio_signalled() {
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  std::array<char, kBytes> room{};
  ::signal(SIGIO, SIG_IGN);  // one that nobody wants would end the process
  if (auto asked = ask_for_signals(pair->near.get(), 0); !asked) return std::unexpected(asked.error());
  send_and_await_signal(pair->far.get(), SIGIO, room.data());
  const int bytes = bytes_at_signal;
  if (bytes < 0) return std::optional<double>();
  (void)::recv(pair->near.get(), room.data(), room.size(), 0);
  return bytes;
}

// What is in the buffer when the signal says "done"?
std::optional<double> bytes_when_signalled() {
  auto pair = connected_pair();
  if (!pair) return std::nullopt;
  Order order;
  order.block->aio_fildes = pair->near.get();
  order.block->aio_buf = order.room.data();
  order.block->aio_nbytes = order.room.size();
  order.block->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
  order.block->aio_sigevent.sigev_signo = kSignal;
  if (::aio_read(order.block.get()) != 0) return std::nullopt;
  send_and_await_signal(pair->far.get(), kSignal, order.room.data());
  ::shutdown(pair->near.get(), SHUT_RDWR);
  while (::aio_error(order.block.get()) == EINPROGRESS) sleep_until_ns(now_ns() + 100'000);
  if (bytes_at_signal < 0) return std::nullopt;
  return bytes_at_signal;
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = aio_honesty();
  const auto descriptors = static_cast<int>(number(probe, settings, "descriptors"));
  const auto each = static_cast<int>(number(probe, settings, "orders"));
  aioinit pool{};
  pool.aio_threads = static_cast<int>(number(probe, settings, "threads"));
  pool.aio_num = 4096;
  ::aio_init(&pool);  // only before the first order
  const int threads_before = threads_of_this_process();

  auto pairs = connected_pairs(descriptors);
  if (!pairs) return std::unexpected(pairs.error());
  std::deque<Order> orders(static_cast<std::size_t>(descriptors * each));
  std::string refused;
  for (std::size_t i = 0; i < orders.size() && refused.empty(); ++i) {
    if (!give(orders[i], (*pairs)[i % pairs->size()].near.get())) refused = std::strerror(errno);
  }
  if (!refused.empty()) {
    for (const auto& pair : *pairs) ::shutdown(pair.near.get(), SHUT_RDWR);
    settle(orders);
    return std::unexpected("aio_read() takes no more orders: " + refused + "; ask for fewer with --set orders");
  }
  sleep_until_ns(now_ns() + 20'000'000);
  const int threads_waiting = threads_of_this_process() - threads_before;
  // One message for each order: what is read first on a descriptor was ordered first, if orders keep their order.
  for (int round = 0; round < each; ++round) {
    for (const auto& pair : *pairs) {
      const std::string message(kBytes, static_cast<char>('a' + round % 26));
      ::send(pair.far.get(), message.data(), message.size(), MSG_NOSIGNAL);
    }
  }
  const int count = served(orders, now_ns() + kPatienceNs + std::chrono::nanoseconds(settings.length).count());
  int in_order = 0;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    in_order += orders[i].room[0] == static_cast<char>('a' + static_cast<int>(i / pairs->size()) % 26);
  }
  for (const auto& pair : *pairs) ::shutdown(pair.near.get(), SHUT_RDWR);
  settle(orders);
  Figures figures{{"threads_waiting", static_cast<double>(threads_waiting)},
                  {"orders_served_share", static_cast<double>(count) / static_cast<double>(orders.size())},
                  {"in_order_share", static_cast<double>(in_order) / static_cast<double>(orders.size())},
                  {"rounds", static_cast<double>(each)}};
  const auto add = [&](const char* name, std::optional<double> value) {  // what could not be tried has no figure
    if (value) figures[name] = *value;
  };
  constexpr int kSpeaking = 4;
  add("served_behind_silence_share", served_behind_silence(pool.aio_threads, kSpeaking));
  add("write_passed_read_share", write_passes_read());
  add("bytes_when_signalled", bytes_when_signalled());
  const auto at_sigio = bytes_when_sigio_signalled();
  if (!at_sigio) return std::unexpected(at_sigio.error());
  add("bytes_when_sigio_signalled", *at_sigio);
  return figures;
}

}  // namespace

Probe aio_honesty() {
  return {.name = "aio-honesty",
          .question = "Is POSIX AIO asynchronous?",
          .models = {},
          .keys = {{"descriptors", "1..64", "8", "with orders on each"},
                   {"orders", "1..64", "8", "on each descriptor, at the same time"},
                   {"threads", "1..64", "16", "that glibc may start"}},
          .run = run};
}

}  // namespace iolab::io::probes
