#include "io_models/asynchronous/aio_pool.h"

#include <aio.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>

#include "io_models/completion_frontend.h"

namespace iolab::io {
namespace {

// "SigQ:	3/96365": queued for this user now, and how many there may be.
std::size_t free_places_for_signals() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigQ:", 0) != 0) continue;
    std::size_t after = 0;
    const std::size_t queued = std::stoul(line.substr(5), &after);
    const std::size_t most = std::stoul(line.substr(5 + after + 1));
    return most - std::min(queued, most);
  }
  return 0;
}

std::size_t wanted_pool(const FrontendSettings& settings) {
  return std::stoul(chosen(settings.options, "pool", kDefaultAioPool));
}

std::size_t pool_of_process(std::size_t wanted) {
  static std::size_t threads = 0;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (threads > 0) return threads;
  threads = wanted;
  aioinit tuning{};
  tuning.aio_threads = static_cast<int>(threads);
  tuning.aio_num = static_cast<int>(threads);
  tuning.aio_idle_time = 1;  // seconds that a thread without work stays
  ::aio_init(&tuning);
  return threads;
}

bool blocks(const std::filesystem::path& thread, int signal) {
  std::ifstream status(thread / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("SigBlk:", 0) == 0) return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return true;  // it has ended meanwhile
}

}  // namespace

std::string posix_aio_unavailable() {
#ifdef __SANITIZE_THREAD__
  // Seen with glibc 2.36: handle_fildes_io() -> pthread_create() -> calloc(), in a thread unknown to the sanitizer,
  // whose allocator then reads through a null pointer.
  return "glibc's hidden threads start further threads, which ThreadSanitizer's allocator does not survive; use "
         "another build";
#else
  return {};
#endif
}

void prepare_aio_pool(const FrontendSettings& settings) {
  pool_of_process(wanted_pool(settings));
}

// A signal that finds no place in the queue is lost, and with it, in glibc, the operation's result: bytes that were
// taken from the socket. So there are never more operations than free places. LESSON: aio-signals-need-places
Admission aio_admission(const FrontendSettings& settings) {
  constexpr std::size_t kReserve = 2;
  const std::size_t pool = std::min(wanted_pool(settings), pool_of_process(wanted_pool(settings)));
  const std::size_t places = free_places_for_signals();
  const std::size_t signals = places > kReserve ? places - kReserve : 1;
  if (signals < pool) {
    return {settings.limits, static_cast<int>(signals),
            "each may have a completion signal waiting, and the user's queue has no more places; raise `ulimit -i`"};
  }
  return {settings.limits, static_cast<int>(pool),
          "each may occupy a thread of glibc's, and the pool has no more; raise it: posix-aio:pool=1000"};
}

void require_blocked_everywhere(int signal) {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    if (blocks(thread.path(), signal)) continue;
    give_up("a thread does not block the signals of posix-aio: block_model_signals() must come first in main()");
  }
}

}  // namespace iolab::io
