// Every system call of every front-end goes through here, once, by its own name and with its own arguments.
//
// Each function makes exactly one system call, counts it in the calling thread's block (counters.h), counts EAGAIN, and
// returns what the kernel said: the result, or -errno. If a trace is attached it also records when the call was
// entered, when it returned, and which source line made it: the pictures need no marks in the models.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>

#include "io_models/counters.h"

namespace iolab::io::sys {

using Where = std::source_location;

// One traced call. Times are CLOCK_MONOTONIC nanoseconds; `result` is the kernel's, or -errno.
struct TraceRecord {
  std::int64_t entered_ns;
  std::int64_t returned_ns;
  std::int64_t result;
  Where where;
  std::int32_t thread_id;
  std::int32_t descriptor;  // -1 where the call has none
  Call call;
};

// Called in the thread that made the call, after it returned. Null: no trace, and a call costs one test more.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void record(const TraceRecord& record) = 0;
};
void attach_trace(TraceSink* sink);  // before serve(), or null to detach; not while threads are serving

int accept4(int listener, int flags, Where where = Where::current());
std::int64_t recv(int socket, std::span<std::byte> room, int flags, Where where = Where::current());
// Chooses send(2) for one piece and sendmsg(2) for several. Always MSG_NOSIGNAL.
std::int64_t send(int socket, std::span<const iovec> pieces, int flags = 0, Where where = Where::current());
std::int64_t read(int descriptor, std::span<std::byte> room, Where where = Where::current());
std::int64_t write(int descriptor, std::span<const std::byte> bytes, Where where = Where::current());
int shutdown(int socket, int how, Where where = Where::current());
int close(int descriptor, Where where = Where::current());

// Timeouts: nullptr waits for ever.
int select(int highest_plus_one, fd_set* readers, fd_set* writers, timeval* timeout, Where where = Where::current());
int poll(std::span<pollfd> entries, const timespec* timeout, Where where = Where::current());  // ppoll(2)
int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms, Where where = Where::current());
int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event, Where where = Where::current());
int rt_sigtimedwait(const sigset_t& signals, siginfo_t& info, const timespec* timeout, Where where = Where::current());

int sched_yield(Where where = Where::current());
int nanosleep(std::int64_t nanoseconds, Where where = Where::current());

// For calls that a library makes on our behalf (liburing, glibc's AIO): runs `call`, counts and traces it as `kind`.
// `call` returns the result or -errno.
template <class F>
auto counted(Call kind, int descriptor, F&& call, Where where = Where::current());

}  // namespace iolab::io::sys
