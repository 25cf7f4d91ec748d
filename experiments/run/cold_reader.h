// One client that reads old records beside the load of a trial: from a topic that is filled first and then taken out of
// memory, so that each of its fetches waits for the disk. Who else waits with it is the question of `cold-reader`.
//
// It is a second load generator, at a rate of its own that a disk can serve, over exactly the window of the first.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <thread>

#include "clients/load.h"
#include "experiments/machine/process.h"
#include "experiments/run/trial.h"
#include "experiments/spec/spec.h"

namespace iolab::lab {

class ColdReader {
 public:
  // Fills the topic and takes it out of memory; the error says which of these failed.
  static std::expected<ColdReader, std::string> start(const TrialSetup& setup, const io::Address& server,
                                                      const Timing& timing, int readers);
  void go();  // together with the load
  // Its figures by the ids of metrics, when the load has ended; the error: it did not read what it should.
  std::expected<std::map<std::string, double>, std::string> finish();

 private:
  ColdReader(ChildProcess load, std::string errors, std::chrono::milliseconds length)
      : load_(std::move(load)), errors_(std::move(errors)), length_(length) {}
  std::string expect(std::string_view word, std::chrono::milliseconds limit);

  ChildProcess load_;
  std::jthread forgetting_;
  std::string errors_;  // where its stderr goes
  std::chrono::milliseconds length_;
};

}  // namespace iolab::lab
