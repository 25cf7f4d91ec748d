// The two phases of the textbook's figure, from a trace: waiting for data, and what comes after it. All that one model
// did with one request, as pieces of the time of its threads, with 0 where the data had arrived in the kernel.
//
// Where the border lies is measured: the kernel stamps what arrives (io_models/arrival_stamp.h). Where two things are
// one call they are one piece, because from here they cannot be told apart: a blocking recv() wakes up and copies.
// Where no stamp can be had (posix-aio), the kernel's own record is taken if the machine permits it; else only the
// sender's clock bounds the arrival, 0 is where it sent, and what may lie on either side of the arrival is unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "experiments/trace/trace_file.h"

namespace iolab::lab {

struct TimedRequest {
  std::int64_t sent_ns = 0;      // before the client's send()
  std::int64_t answered_ns = 0;  // the client has the whole answer
};

enum class Doing : std::uint8_t {
  blocked,         // asleep in a call, and the data is not there
  spinning,        // asking in vain
  handed_over,     // not a thread's time: an order for data that is not there yet lies with the kernel or a helper
  unknown,         // the request was sent before it began; when its data came is not known
  notice,          // the data is there; the thread does not know it yet
  copy,            // in the call that receives, and the data was there when it began
  wake_and_copy,   // in the call that receives, and the data came while it lasted
  awake_and_copy,  // in that call, and the thread has the CPU: where the copy begins was not seen
  task_work,       // in the thread's own call io_uring's task work ran, and copied
  copied_inside,   // the data is there; whether it is copied in this call or by somebody else was not seen
  copied_for_us,   // the data is there, and somebody else copies it before the thread hears of it
  carried_out,     // not a thread's time: the data of an order is there, and its result has not been looked at
  work,            // the session and what is behind it, in no call
  broker_waits,    // the request is in and its answer is not ready: asleep, or asking in vain, until the broker has it
  reply,           // sending the answer, or handing it over to be sent
  other,           // any other call, such as reading the bell by which another thread woke this one
};

struct Piece {
  std::size_t row = 0;  // index into Lane::rows
  Doing doing = Doing::work;
  std::string call;  // empty for work
  std::string where;
  double from_us = 0;  // 0: the data has arrived
  double to_us = 0;
  double cpu_us = 0;                        // of this call, the part of it that is drawn as another piece included
  std::optional<std::int64_t> result = {};  // of the call, where it is known
  int repeat = 1;                           // of a run: how many calls in vain it has
  bool is_run = false;                      // calls in vain one after another, and pauses between them: one piece

  double length_us() const { return to_us - from_us; }
};

enum class Border : std::uint8_t {
  none,     // nothing was traced
  exact,    // the kernel's stamp of the last byte
  seen,     // no stamp, but the kernel's record of the bytes being put into the socket's queue
  at_most,  // the sender's clock: the data arrived after this moment, so what is said to follow it lasted at most so
            // long
};

enum class Row : std::uint8_t {
  thread,         // of the layer
  order,          // that was handed over
  helper,         // a thread that makes calls of its own, as only the kernel sees
  kernel_thread,  // a thread of io_uring's own: it makes no calls
};

// What one model did with one request.
struct Lane {
  std::string series;
  std::string missing;  // why there is nothing
  std::vector<Row> rows;
  std::vector<std::int64_t> threads;  // id of each row's thread; 0 for an order
  std::vector<Piece> pieces;
  Border border = Border::none;
  double sent_us = 0;      // not above 0
  double answered_us = 0;  // the client has it
  double window_us = 0;    // from the answer before to the arrival: what the threads did in it is drawn

  // While there was nothing to do: of the thread that served.
  double blocked_us = 0;
  double blocked_cpu_us = 0;  // of the calls that it slept in, whole
  bool only_waits = true;     // those calls do nothing but wait, so that CPU is what sleeping cost
  int asked_in_vain = 0;

  int calls = 0;                   // begun or ended between send and answer
  int calls_in_vain = 0;           // of them
  int requests = 0;                // counted, of which this is one
  std::int64_t lost_calls = 0;     // of later requests: the trace had no room for them
  std::uint64_t lost_records = 0;  // of the kernel: then nothing is drawn that rests on its record
  std::int64_t zero_ns = 0;        // CLOCK_MONOTONIC, of the arrival

  bool asks() const;  // rather than sleeps, while the data is not there
  double total_us(Doing doing) const;
};

// The row of the thread in which the answer was made.
std::size_t serving_row(const Lane& lane);

// Exemplars are chosen by rule, never by hand: the request nearest to that share of those that count, which are all but
// the first quarter, in which connections and caches are cold. 0.5: the median; 1: the slowest.
std::size_t exemplar(const std::vector<TimedRequest>& requests, double share);
std::size_t how_many_count(const std::vector<TimedRequest>& requests);
// Those that the trace holds whole: one that had no room for all calls (io_models/trace_recorder.h) has lost later
// ones.
std::vector<TimedRequest> within_trace(std::vector<TimedRequest> requests, const std::vector<TracedCall>& calls,
                                       const LostCalls& lost = {});
// `seen_ns`: when the kernel was seen to put the data into the socket's queue, for a trace that has no stamp.
Lane make_lane(const std::string& series, const std::vector<TracedCall>& calls,
               const std::vector<TimedRequest>& requests, std::size_t chosen, std::optional<std::int64_t> seen_ns = {});

}  // namespace iolab::lab
