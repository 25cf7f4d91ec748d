// The table. A new model is a row here, a function in frontends.h and a file in its family's folder; the contract test
// then runs it without further ado.
#include "io_models/registry.h"

#include "io_models/frontends.h"

namespace iolab::io {
namespace {

// Plain sockets are everywhere; only the asynchronous models may be missing.
std::string always_available() {
  return {};
}

// What `features` of a model or of an option's value may say, and what each means for a comparison:
// - notices-lost-peer: a reset is seen at once even while a request is parked (else when it ends, at the latest)
// - edge-triggered: is told of changes only, and reads until there is no more
// - fd-below-1024: connections with higher descriptors are closed at once
// - never-sleeps: its CPU use says nothing about its work
// - kernel-thread-spins: nor does that of this one: a thread of the kernel, which belongs to the process, goes on
//   looking for orders for a while after the last one (asynchronous/uring.cpp)
// - thread-per-connection: its memory grows by a thread with each connection
// - connections-up-to-threads, connections-up-to-pool: further ones wait unserved in the listen backlog
std::vector<ModelEntry> teaching_order() {
  std::vector<ModelEntry> entries;
  entries.push_back(
      {.id = "blocking",
       .family = "blocking",
       .summary = "A thread for each connection, asleep inside recv() until the bytes have been copied to it.",
       .features = {"thread-per-connection"},
       .options = {},
       .listeners = Listeners::one_shared,
       .default_threads = 1,
       .unavailable = always_available,
       .make = make_blocking});
  entries.push_back({.id = "blocking-pool",
                     .family = "blocking",
                     .summary = "A fixed number of threads, each serving one connection to its end before the next.",
                     .features = {"connections-up-to-threads"},
                     .options = {},
                     .listeners = Listeners::one_shared,
                     .default_threads = 16,
                     .unavailable = always_available,
                     .make = make_blocking_pool});
  entries.push_back(
      {.id = "nonblocking",
       .family = "non-blocking",
       .summary = "One thread asks every socket, always; most of them answer EAGAIN.",
       .features = {"never-sleeps"},
       .options = {{"idle", "spin|yield|backoff", "spin", "what to do after a round in which nothing moved"}},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = always_available,
       .make = make_nonblocking});
  entries.push_back({.id = "select",
                     .family = "multiplexing",
                     .summary = "One sleep for all sockets; the whole bitmap of them is copied in and out each time.",
                     .features = {"fd-below-1024"},
                     .options = {},
                     .listeners = Listeners::one_per_thread,
                     .default_threads = 1,
                     .unavailable = always_available,
                     .make = make_select});
  entries.push_back({.id = "poll",
                     .family = "multiplexing",
                     .summary = "One sleep for all sockets; the whole array of them is copied in each time.",
                     .features = {"notices-lost-peer"},
                     .options = {},
                     .listeners = Listeners::one_per_thread,
                     .default_threads = 1,
                     .unavailable = always_available,
                     .make = make_poll});
  entries.push_back(
      {.id = "epoll",
       .family = "multiplexing",
       .summary = "The kernel keeps the list of sockets and hands over those that are ready (level-triggered).",
       .features = {"notices-lost-peer"},
       .options = {},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = always_available,
       .make = make_epoll});
  entries.push_back({.id = "epoll-et",
                     .family = "multiplexing",
                     .summary = "The kernel keeps the list of sockets and tells of each change once (edge-triggered).",
                     .features = {"notices-lost-peer", "edge-triggered"},
                     .options = {},
                     .listeners = Listeners::one_per_thread,
                     .default_threads = 1,
                     .unavailable = always_available,
                     .make = make_epoll_et});
  entries.push_back(
      {.id = "sigio",
       .family = "signal-driven",
       .summary = "The kernel queues a real-time signal for each change; the thread takes them one by one.",
       .features = {"notices-lost-peer", "edge-triggered"},
       .options = {},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = always_available,
       .make = make_sigio});
  entries.push_back(
      {.id = "posix-aio",
       .family = "asynchronous",
       .summary = "One order for each transfer, carried out by glibc's hidden threads, each announced by a signal.",
       .features = {"connections-up-to-pool"},
       .options = {{"pool", "1..32768", "256", "connections at once: each may occupy one of glibc's threads"}},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = posix_aio_unavailable,
       .make = make_posix_aio});
  entries.push_back(
      {.id = "io_uring",
       .family = "asynchronous",
       .summary = "One order for each transfer, carried out by the kernel; one call passes on all orders of a turn.",
       .features = {},
       .options = {{"sqpoll",
                    "off|on",
                    "off",
                    "a thread of the kernel looks for orders: fewer calls, a busy processor",
                    {{"on", "kernel-thread-spins"}}},
                   {"taskrun", "deferred|cooperative|plain", "deferred", "where the kernel finishes what has to wait"},
                   {"sockets", "plain|registered", "plain",
                    "registered: the ring knows sockets by numbers of its own"}},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = io_uring_unavailable,
       .make = make_io_uring});
  entries.push_back(
      {.id = "io_uring-multishot",
       .family = "asynchronous",
       .summary = "One standing order for each connection; the kernel chooses the memory when bytes arrive.",
       .features = {"notices-lost-peer"},
       .options = {{"buffers", "16..32768", "256", "shared by all connections; a power of two, else rounded up"},
                   {"buffer_bytes", "1024..1048576", "16384", "bytes of each: the most that one completion brings"},
                   {"taskrun", "deferred|cooperative|plain", "deferred", "where the kernel finishes what has to wait"},
                   {"sockets", "plain|registered", "plain",
                    "registered: the ring knows sockets by numbers of its own"}},
       .listeners = Listeners::one_per_thread,
       .default_threads = 1,
       .unavailable = io_uring_multishot_unavailable,
       .make = make_io_uring_multishot});
  entries.push_back(
      {.id = "null",
       .family = "control",
       .summary = "No network: recorded request bytes go into a session from memory; the cost of the broker alone.",
       .features = {},
       .options = {{"split", "0..1000000000", "0",
                    "seed of random pieces to cut the script into; 0: as much as the session takes"},
                   {"repeat", "1..1000000000", "1", "how often each script is sent on its connection"}},
       .listeners = Listeners::none,
       .default_threads = 1,
       .unavailable = always_available,
       .make = make_null});
  return entries;
}

}  // namespace

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> entries = teaching_order();
  return entries;
}

}  // namespace iolab::io
