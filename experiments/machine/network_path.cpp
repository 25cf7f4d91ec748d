#include "experiments/machine/network_path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

#include "experiments/machine/process.h"

namespace iolab::lab {
namespace {

// A namespace belongs to a thread: one that lives just long enough to make it leaves the others where they are.
io::Fd new_namespace(std::string& problem) {
  int descriptor = -1;
  int error = 0;
  std::thread([&] {
    if (unshare(CLONE_NEWNET) == 0) descriptor = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) error = errno;
  }).join();
  if (descriptor < 0) {
    problem = fmt::format("a network namespace needs root ({}): run as root, or leave `path` at loopback",
                          std::strerror(error));
  }
  return io::Fd(descriptor);
}

std::string ip(const io::Fd& network, std::vector<std::string> words) {
  words.insert(words.begin(), "ip");
  constexpr std::chrono::seconds kLimit{5};
  const auto done =
      run_and_read({.arguments = std::move(words), .quiet_stderr = true, .network_namespace = network.get()}, kLimit);
  return done ? "" : done.error() + ": the virtual cable needs `ip` (Debian: iproute2) and a kernel with veth";
}

}  // namespace

std::expected<NetworkPath, std::string> NetworkPath::veth() {
  NetworkPath path;
  std::string problem;
  path.server_ = new_namespace(problem);
  if (problem.empty()) path.load_ = new_namespace(problem);
  if (!problem.empty()) return std::unexpected(problem);
  const auto other_end = fmt::format("/proc/{}/fd/{}", getpid(), path.load_.get());
  const io::Fd& server = path.server_;
  const io::Fd& load = path.load_;
  const std::vector<std::pair<const io::Fd*, std::vector<std::string>>> steps{
      {&server,
       {"link", "add", "iolab-server", "mtu", "1500", "type", "veth", "peer", "name", "iolab-load", "mtu", "1500",
        "netns", other_end}},
      {&server, {"addr", "add", "10.79.0.1/30", "dev", "iolab-server"}},
      {&load, {"addr", "add", "10.79.0.2/30", "dev", "iolab-load"}},
      // One segment for each packet: without it the cable carries 64 KiB at once, whatever its MTU.
      {&server, {"link", "set", "iolab-server", "gso_max_segs", "1", "up"}},
      {&load, {"link", "set", "iolab-load", "gso_max_segs", "1", "up"}},
      {&server, {"link", "set", "lo", "up"}},
      {&load, {"link", "set", "lo", "up"}},
  };
  for (const auto& [network, words] : steps) {
    if (problem = ip(*network, words); !problem.empty()) return std::unexpected(problem);
  }
  return path;
}

}  // namespace iolab::lab
