// Threads that come and go by themselves, and can all be waited for.
//
// The last one to finish joins the one that finished before it. So at any time at most one ended thread waits for its
// join, however many came and went, and nobody has to collect them.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace iolab::io {

class EndingThreads {
 public:
  ~EndingThreads() { wait_for_all(); }

  // False: the system allows no more threads. `work` was not called.
  bool start(std::function<void()> work);
  void wait_for_all();

 private:
  void finish(std::list<std::thread>::iterator self);

  std::mutex mutex_;
  std::condition_variable all_finished_;
  std::list<std::thread> running_;
  std::thread finished_last_;
};

}  // namespace iolab::io
