// The load generator: one fixed client for every I/O model, so that what differs is the server. Its own loop is epoll
// (level-triggered), with many connections for each thread; requests are built before the run and only patched in it.
//
// What belongs to the measured window: an answer counts (requests, records, bytes, rate) if it *arrives* inside the
// window; a latency counts if its request was *due* inside the window, however late the answer came. Due means the
// intended time in an open loop and the time of sending in a closed one: a server that stalls cannot hide it by keeping
// the client from asking ("coordinated omission"; Gil Tene's wrk2 does the same).
//
// Left out: TLS, groups and transactions. acks=0 is refused, because without an answer there is nothing to measure.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "clients/histogram.h"
#include "io_models/socket.h"

namespace iolab::clients {

enum class LoadKind : std::uint8_t {
  echo,     // a service that sends every message back: no Kafka at all (tests/bench, ceilings)
  produce,  // Produce requests, each with one prebuilt record batch for one partition
  fetch,    // Fetch requests over a topic that holds such batches, from start to end and again
};

enum class Arrivals : std::uint8_t {
  closed,  // each connection keeps `in_flight` requests outstanding: measures capacity, hides stalls
  open,    // requests fall due at a fixed rate, whatever the server does: measures latency
};

struct LoadSpec {
  io::Address target;
  LoadKind kind = LoadKind::produce;

  int connections = 16;      // that send requests
  int idle_connections = 0;  // that are opened, served once, and then only there
  // Of the idle ones: they never read an answer, and ask until the server has read nothing more for a second. The
  // load begins then; a server that reads on until the connect deadline is an error.
  int stalled_connections = 0;
  int in_flight = 1;  // requests outstanding on each connection, at most
  int threads = 1;    // the first is the calling thread

  std::size_t message_bytes = 64;  // echo

  std::string topic = "load";      // produce, fetch
  int partitions = 1;              // connection i uses partition i modulo this; the topic is created if it is missing
  std::size_t record_bytes = 100;  // value of each record; keys are absent
  int records_per_batch = 1;
  std::string codec = "none";  // none | gzip | snappy | lz4 | zstd
  int acks = 1;                // 1, or -1 for all

  std::size_t fetch_max_bytes = 1 << 20;  // for each request and partition
  int fetch_max_wait_ms = 500;
  // Bytes each partition must hold before a fetch load starts; what is missing is produced first, unmeasured.
  std::size_t prefill_bytes = 16 << 20;

  Arrivals arrivals = Arrivals::closed;
  double rate_per_s = 0;  // open loop: requests per second over all connections
  // Open loop: the first record of each request was due so long before the request: a producer that waits for more
  // (Kafka's linger.ms). Its latency counts from then.
  std::chrono::microseconds waited_for_more{0};
  // Open loop: before a request falls due the thread spins this long instead of sleeping. Sending gets punctual to the
  // microsecond and the client's CPU share stops meaning anything. Only with a CPU to itself.
  std::chrono::microseconds spin_before_due{0};

  std::chrono::milliseconds warmup{1000};
  std::chrono::milliseconds measure{3000};
  // Every connection is opened and served once before the load starts. It goes on with those that are there when all
  // are, when this long has passed, or when none has been added for the time of the stall.
  std::chrono::milliseconds connect_deadline{20'000};
  std::chrono::milliseconds connect_stall{2'000};
  std::chrono::milliseconds answer_deadline{5'000};  // after the window, for answers still owed

  bool verify = true;  // every byte of every answer; what a request costs the client is in the ceiling, too
  std::uint64_t seed = 1;
};

// What went wrong, by kind; nothing of it ends the run by itself.
enum class LoadError : std::uint8_t {
  refused,           // connect() failed (errno in the note)
  never_served,      // connected, but without an answer until the connect deadline
  closed_by_server,  // while connecting or in the run; requests outstanding then are lost with it
  unanswered,        // sent, before the window or in it, and without an answer until the answer deadline
  broker_error,      // a Kafka error code (the first one is in the note)
  wrong_answer,      // unexpected length, correlation id, topic or partition
  wrong_offset,      // offsets not contiguous, or not growing
  wrong_bytes,       // an echo or a fetched batch differs from what was sent, base offset and leader epoch apart
  count_,
};
inline constexpr std::size_t kLoadErrors = static_cast<std::size_t>(LoadError::count_);
std::string_view name(LoadError error);    // "never_served"
std::string_view name(LoadKind kind);      // "produce"
std::string_view name(Arrivals arrivals);  // "closed"

struct LoadResult {
  int connections_served = 0;  // of LoadSpec::connections
  int idle_connections_served = 0;
  std::uint64_t connect_ns = 0;  // until the last of them was served

  double duration_s = 0;            // of the window
  std::uint64_t requests = 0;       // answered inside the window, without error
  std::uint64_t records = 0;        // in them: acknowledged or fetched
  std::uint64_t payload_bytes = 0;  // in them: messages (once), record batches; not the protocol around them
  double requests_per_s = 0;
  double first_half_per_s = 0;  // steady state: the two should agree
  double second_half_per_s = 0;

  std::uint64_t early = 0;  // answered inside the window, due before it: counted in `requests`, not in `latency_ns`
  std::uint64_t late = 0;   // due inside the window, answered after it: counted in `latency_ns`, not in `requests`

  // Open loop: due inside the window, never sent until the answer deadline, because its connection had no room. Counted
  // in `latency_ns` with the time it had waited by then, which is too little, but not nothing.
  std::uint64_t unsent = 0;

  Histogram latency_ns;  // answer received minus due
  // Open loop: how late the client itself was, that is, the time of sending minus the time at which the request was due
  // and its connection had room for it.
  Histogram send_delay_ns;
  std::uint64_t held_back = 0;  // open loop: due while its connection had `in_flight` requests outstanding

  std::array<std::uint64_t, kLoadErrors> errors{};
  std::string note;  // the first error in words; empty if there was none

  // All threads of the load, inside the window.
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  double cpu_share = 0;        // of one CPU, of the busiest thread
  bool client_kept_up = true;  // false: the client, not the server, limited the rate (open loop: 99 % of sends within 1
                               // ms of when they could go; the caller compares a closed loop with measure_ceiling())
  bool overloaded = false;  // open loop: less than 99 % of the requested rate was answered; latency includes queueing

  std::uint64_t acknowledged_records = 0;  // produce: since the start, warm-up included
  bool end_offsets_checked = false;        // produce: the log grew by exactly that (and by what was unanswered at most)

  std::uint64_t errors_total() const;
};

// Called by the first thread of the load, in its loop, exactly at the border: keep them short. All may be empty.
struct LoadEvents {
  // Everything that could be connected is connected and has been served once; the topic is ready. The load starts when
  // this returns (the process form waits for a line on stdin in it). False: end here.
  std::function<bool(const LoadResult& so_far)> on_ready;
  std::function<void()> on_window_start;
  std::function<void()> on_window_end;
  // Every answer that was owed is in or given up, every connection still open: the moment to look at a server at rest.
  // The connections are closed when this returns.
  std::function<void()> on_answered;
  std::stop_token stop;  // ends the run early: what has been measured until then is the result
};

// Blocks until the run is over. The error is a sentence: a spec that makes no sense, a target that serves no connection
// at all, a topic that cannot be prepared. Raises the soft limit of open files to the hard one if it has to.
std::expected<LoadResult, std::string> run_load(const LoadSpec& spec, const LoadEvents& events = {});

// The same load against the cheapest server that can answer it (one epoll thread, canned answers, pinned to
// `server_cpu` if that is not negative): what this client can reach at most on this machine, now. The result's own
// `cpu_share` says whether the client or that server was the limit. `spec.target` and `idle_connections` are ignored,
// the arrivals become a closed loop.
std::expected<LoadResult, std::string> measure_ceiling(LoadSpec spec, int server_cpu);

}  // namespace iolab::clients
