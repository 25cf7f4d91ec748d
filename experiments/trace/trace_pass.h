// The traced pass: single requests through a model, one connection, one request at a time with a pause between them,
// every system call of the server written down. It explains and ranks nothing; no timed trial is traced.
//
// A traced server receives with recvmsg in place of recv, asks the kernel to stamp what arrives, and reads clocks
// around every call. What that costs is measured: the same requests go through an untraced server first.
#pragma once

#include <string>
#include <vector>

#include "experiments/run/run_data.h"
#include "experiments/run/trial.h"
#include "experiments/trace/kernel_events.h"
#include "experiments/trace/phases.h"

namespace iolab::lab {

struct TracedModel {
  std::string series;
  std::string missing;  // why there is nothing
  std::vector<TracedCall> calls;
  std::vector<TimedRequest> requests;
  std::vector<KernelEvent> kernel;  // empty: it was not watched
  std::vector<pid_t> threads;       // of the server
  double untraced_us = 0;           // medians of the time from sending to answer
  double traced_us = 0;
};

struct TraceSetup {
  int requests = 200;
  bool measure_overhead = true;
  bool watch_kernel = true;  // where it is permitted
  bool udp = false;          // datagrams to an echo, in place of requests to the broker
};

// Every model of the plan at one level, in its order; one that cannot run has its reason. Ctrl-C ends the list.
std::vector<TracedModel> trace_models(const RunData& data, std::size_t level, const OwnBinary& binary,
                                      const std::string& scratch, const TraceSetup& setup);

// The exemplar at this share of all requests, of each model.
std::vector<Lane> lanes_of(const std::vector<TracedModel>& models, double share);

// "one produced record of 100 B, one connection": what was traced, as recorded.
std::string traced_work(const Level& level, const TraceSetup& setup);

}  // namespace iolab::lab
