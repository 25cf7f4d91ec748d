// Ctrl-C, in two steps: the first asks the run to stop in order, the second ends the process at once.
#pragma once

namespace iolab::lab {

// From now on SIGINT and SIGTERM are noted instead of ending the process, until the object is gone.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

bool interrupted();

}  // namespace iolab::lab
