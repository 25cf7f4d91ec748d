// The traced pass: single requests through a model, one connection, one request at a time with a pause between them,
// every system call of the server written down. It explains and ranks nothing; no timed trial is traced.
//
// A traced server receives with recvmsg in place of recv, asks the kernel to stamp what arrives, and reads clocks
// around every call. What that costs is measured in short pieces: untraced and traced servers by turns, because a
// machine changes its speed between one process and the next.
#pragma once

#include <string>
#include <vector>

#include "experiments/run/run_data.h"
#include "experiments/run/trial.h"
#include "experiments/trace/kernel_events.h"
#include "experiments/trace/phases.h"

namespace iolab::lab {

// The median of a short piece without a trace, and of the traced one right after it.
struct PairOfPieces {
  double untraced_us = 0;
  double traced_us = 0;
};

struct TracedModel {
  std::string series;
  std::string missing;  // why there is nothing
  std::vector<TracedCall> calls;
  LostCalls lost;
  std::vector<TimedRequest> requests;
  KernelRecord kernel;                // no events: it was not watched
  std::vector<ServerThread> threads;  // of the server
  pid_t client = 0;                   // the thread that sent the requests
  std::vector<PairOfPieces> pairs;    // empty: what tracing costs was not measured
};

struct TraceSetup {
  int requests = 540;  // of which 405 count: four are beyond the 99th percentile
  int pairs = 5;       // of pieces, to measure what tracing costs; 0: it is not measured
  int requests_of_a_piece = 24;
  bool watch_kernel = true;  // where it is permitted
  bool udp = false;          // datagrams to an echo, in place of requests to the broker
};

// Every model of the plan at one level, in its order; one that cannot run has its reason. Ctrl-C ends the list.
std::vector<TracedModel> trace_models(const RunData& data, std::size_t level, const OwnBinary& binary,
                                      const std::string& scratch, const TraceSetup& setup);

// The exemplar at this share of the requests that count, of each model. A kernel's record with gaps is left out of it,
// and counted.
std::vector<Lane> lanes_of(const std::vector<TracedModel>& models, double share);

// What tracing costs: "a traced request took 1.21 times as long ...", or that it cannot be told, as recorded; empty: it
// was not measured.
std::string overhead_of(const std::vector<TracedModel>& models);

// "one produced record of 100 B, one connection": what was traced, as recorded.
std::string traced_work(const Level& level, const TraceSetup& setup);

}  // namespace iolab::lab
