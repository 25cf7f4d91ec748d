#include "io_models/admission.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "io_models/counters.h"

namespace iolab::io {
namespace {

int allowed_by_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t all = std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max());
  return static_cast<int>(all - std::min<rlim_t>(512, all / 8));
}

}  // namespace

Admission::Admission(const Limits& limits)
    : most_(limits.connections > 0 ? limits.connections : allowed_by_descriptors()),
      reason_(limits.connections > 0 ? "that is the set limit"
                                     : "`ulimit -n` allows no more beside the server's files") {}

Admission::Admission(const Limits& limits, int most, std::string reason) : Admission(limits) {
  if (most >= most_) return;
  most_ = most;
  reason_ = std::move(reason);
}

bool Admission::try_enter() {
  if (open_.fetch_add(1, std::memory_order_relaxed) < most_) return true;
  leave();
  say_once(said_, std::to_string(most_) + " connections are open and no more are accepted, because " + reason_ +
                      "; the next ones wait until one of these ends");
  return false;
}

bool out_of_descriptors(int accept_result) {
  static std::atomic_flag said = ATOMIC_FLAG_INIT;
  switch (-accept_result) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      count(Count::accept_refused);
      say_once(said, std::string("cannot accept a connection: ") + std::strerror(-accept_result) +
                         "; raise `ulimit -n`; trying again every 50 ms");
      return true;
    default: return false;
  }
}

void say_once(std::atomic_flag& said, const std::string& sentence) {
  if (said.test_and_set(std::memory_order_relaxed)) return;
  std::fputs(("iolab: " + sentence + "\n").c_str(), stderr);
}

void give_up(const std::string& sentence) {
  std::fputs(("iolab: " + sentence + "\n").c_str(), stderr);
  std::abort();
}

}  // namespace iolab::io
