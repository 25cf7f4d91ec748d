// From a server's trace (`iolab broker --trace`) to the picture of one request: which calls its threads made between
// the moment the client sent and the moment it had its answer, and what each of them was for.
//
// A traced server is slowed by the tracing: the picture shows what happens and in which order, and its times are not
// compared with anything. Where waiting and copying are one call (recv() of a blocking socket) they are one piece,
// because from here they cannot be told apart.
#pragma once

#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct TracedCall {
  std::string call;
  std::string where;  // "io_models/multiplexing/epoll_poller.cpp:42"
  std::int64_t thread = 0;
  std::int64_t entered_ns = 0;  // CLOCK_MONOTONIC
  std::int64_t returned_ns = 0;
  std::int64_t result = 0;  // or -errno
};
// One JSON object on each line; a line that is cut short (the server was killed) ends it.
std::vector<TracedCall> parse_trace(std::string_view text);

struct TimedRequest {
  std::int64_t sent_ns = 0;      // before the client's send()
  std::int64_t answered_ns = 0;  // the client has the whole answer
};

enum class Doing : std::uint8_t {
  wait,     // asleep in the kernel until something happens
  ask,      // asked in vain: EAGAIN, or a wait that found nothing
  receive,  // taking bytes out of the socket
  work,     // the broker, between two calls
  send,
  submit,  // handing over an order, or collecting what is done
};

struct Piece {
  std::size_t thread = 0;  // index into Lane::threads
  Doing doing = Doing::work;
  std::string call;  // empty for work
  std::string where;
  double from_us = 0;  // 0 is the client's send
  double to_us = 0;
  std::int64_t result = 0;
  int repeat = 1;  // a run of calls in vain is one piece
};

// What one model did with one request.
struct Lane {
  std::string series;
  std::string missing;  // why there is nothing
  std::vector<std::string> threads;
  std::vector<Piece> pieces;
  double answered_us = 0;
  int calls = 0;           // begun or ended while the request was under way
  int calls_in_vain = 0;   // of them
  int in_vain_before = 0;  // since the request before, while there was nothing to do
  int requests = 0;        // traced, of which this one is the middle one
};

// The request nearest to the median of all but the first few, never one picked by hand.
std::size_t middle_request(const std::vector<TimedRequest>& requests);
Lane make_lane(const std::string& series, const std::vector<TracedCall>& calls,
               const std::vector<TimedRequest>& requests);

// A chart of kind "timeline" as RESULTS.md describes it.
nlohmann::ordered_json timeline_chart(const std::vector<Lane>& lanes);
// One line for each model: "epoll  epoll_wait woke at 18.2, recv 2.1, broker 9.3, send 14.0 us; answered at 61 us".
std::string timeline_text(const std::vector<Lane>& lanes, int width);

}  // namespace iolab::lab
