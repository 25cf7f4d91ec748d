#include "io_models/blocking/ending_threads.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "io_models/system_calls.h"

namespace iolab::io {

bool EndingThreads::start(std::function<void()> work) {
  const std::lock_guard lock(mutex_);  // held until the handle is in its place: the thread takes it from there
  const auto self = running_.emplace(running_.end());
  const int result = sys::counted(Call::thread_create, -1, [&] {
    try {
      *self = std::thread([this, self, work = std::move(work)] {
        work();
        finish(self);
      });
      return 0;
    } catch (const std::system_error&) {
      return -ENOMEM;
    }
  });
  if (result != 0) running_.erase(self);
  return result == 0;
}

void EndingThreads::finish(std::list<std::thread>::iterator self) {
  std::thread before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(finished_last_, std::move(*self));
    running_.erase(self);
    if (running_.empty()) all_finished_.notify_all();
  }
  if (before.joinable()) before.join();
}

void EndingThreads::wait_for_all() {
  std::thread last;
  {
    std::unique_lock lock(mutex_);
    all_finished_.wait(lock, [this] { return running_.empty(); });
    last = std::move(finished_last_);
  }
  if (last.joinable()) last.join();
}

}  // namespace iolab::io
