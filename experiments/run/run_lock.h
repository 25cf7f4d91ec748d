// One process at a time works on a run: two that continued it would both make the same trials.
//
// The lock is flock() on a file in the run's directory. The kernel lets go of it when the process ends, however it
// ends, so that a run which was killed can be continued at once; the empty file stays behind.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace iolab::lab {

class RunLock {
 public:
  // The error is a sentence: somebody else works on the run, or the file cannot be made.
  static std::expected<RunLock, std::string> take(const std::string& directory);
  // Whether somebody works on it now. For a list: to look takes the lock for a moment, if it is free.
  static bool is_taken(const std::string& directory);
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace iolab::lab
