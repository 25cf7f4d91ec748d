// One client that reads old records beside the load of a trial: from a topic that is filled first and then taken out of
// memory, so that each of its fetches waits for the disk. Who else waits with it is the question of `cold-reader`.
//
// It is a second load generator, at a rate of its own that a disk can serve, over exactly the window of the first. All
// that makes the records cold is done before the window: they are dropped once, the broker lets the kernel read nothing
// ahead (iolab.fetch.read.ahead), and none is read twice. In the window nothing may disturb the load that is measured.
#pragma once

#include <expected>
#include <map>
#include <string>

#include "clients/load.h"
#include "experiments/machine/process.h"
#include "experiments/run/trial.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

struct ColdReads {
  std::map<std::string, double> figures;  // by the ids of metrics
  double cpu_s = 0;                       // of the client, inside the window
};

class ColdClient {
 public:
  // Fills the topic and takes it out of memory; the error says which of these failed.
  static std::expected<ColdClient, std::string> start(const TrialSetup& setup, const io::Address& server,
                                                      const Timing& timing, int readers);
  void go();  // together with the load
  // When the load has ended; the error: it did not read what it should.
  std::expected<ColdReads, std::string> finish();

 private:
  ColdClient(ChildProcess load, std::string errors, std::chrono::milliseconds length)
      : load_(std::move(load)), errors_(std::move(errors)), length_(length) {}
  std::string expect(std::string_view word, std::chrono::milliseconds limit);

  ChildProcess load_;
  std::string errors_;  // where its stderr goes
  std::chrono::milliseconds length_;
};

}  // namespace iolab::lab
