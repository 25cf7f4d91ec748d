// SIGTERM and SIGINT as a descriptor: the first one asks the front-end to drain, a second one leaves at once.
#pragma once

#include <stop_token>

#include "broker/session/broker_host.h"

namespace iolab::session {

class StopSignals final : public Watched {
 public:
  // Blocks both in this thread and all that it starts. Before any other thread exists. `exit_code`: of leaving at once.
  explicit StopSignals(int exit_code);
  // Lets them have their ordinary effect again: whatever still runs then can be interrupted.
  ~StopSignals() override;
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  int descriptor() const override { return descriptor_; }
  void readable() override;
  std::stop_token token() const { return stop_.get_token(); }

 private:
  const int exit_code_;
  int descriptor_ = -1;
  std::stop_source stop_;
};

}  // namespace iolab::session
