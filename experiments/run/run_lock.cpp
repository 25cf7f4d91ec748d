#include "experiments/run/run_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace iolab::lab {

std::expected<RunLock, std::string> RunLock::take(const std::string& directory) {
  const std::string path = directory + "/run.lock";
  constexpr mode_t kMode = 0644;
  // Read and write: over NFS flock() becomes a lock of the file's bytes, which asks for both.
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
  if (descriptor < 0) return std::unexpected(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return RunLock(descriptor);
  const int error = errno;
  ::close(descriptor);
  if (error != EWOULDBLOCK) return std::unexpected(fmt::format("cannot lock {}: {}", path, std::strerror(error)));
  return std::unexpected(
      fmt::format("another process is working on {}: wait until it has ended, or stop it", directory));
}

bool RunLock::is_taken(const std::string& directory) {
  const int descriptor = ::open((directory + "/run.lock").c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool taken = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return taken;
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace iolab::lab
