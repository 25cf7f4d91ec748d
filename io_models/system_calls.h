// Every system call of every front-end goes through here, once, by its own name and with its own arguments.
//
// Each function makes exactly one system call, counts it in the calling thread's block (counters.h), counts EAGAIN and
// the bytes moved, and returns what the kernel said: the result, or -errno. If a trace is attached it also records when
// the call was entered, when it returned, what CPU time the thread spent inside, and which source line made it: the
// pictures need no marks in the models. A traced recv() is a recvmsg(), which alone brings the arrival of its bytes.
#pragma once

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>

#include "io_models/counters.h"

namespace iolab::io::sys {

using Where = std::source_location;

// One traced call, or an order that was handed over and carried out by somebody else. Times are CLOCK_MONOTONIC
// nanoseconds; `result` is the kernel's, or -errno.
struct TraceRecord {
  std::int64_t entered_ns;   // of an order: when it was passed on
  std::int64_t returned_ns;  // of an order: when its result was looked at
  std::int64_t cpu_ns;       // that this thread spent between the two; 0 for an order
  std::int64_t arrived_ns;   // when the last of the received bytes had arrived in the kernel; 0: no stamp
  std::int64_t result;
  Where where;
  std::int32_t thread_id;
  std::int32_t descriptor;  // -1 where the call has none
  Call call;
  bool is_order;
};

// Called in the thread that made the call, after it returned. Null: no trace, and a call costs one test more.
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void record(const TraceRecord& record) = 0;
};
void attach_trace(TraceSink* sink);  // before serve(), or null to detach; not while threads are serving
bool traced();
// For what is no call: an order that somebody else has carried out. Nothing, without a trace.
void record_order(Call call, int descriptor, std::int64_t given_ns, std::int64_t result, std::int64_t arrived_ns,
                  Where where = Where::current());

namespace detail {

inline constinit std::atomic<TraceSink*> trace = nullptr;

std::int64_t now_ns();
struct Entry {
  std::int64_t cpu_ns;  // of the thread; read first, because reading it takes ten times as long
  std::int64_t ns;
};
Entry enter();
void record(TraceSink& sink, Call kind, int descriptor, const Entry& entry, std::int64_t result, Where where);
std::int64_t stamped_recv(TraceSink& sink, int socket, std::span<std::byte> room, int flags, Where where);

// C library calls return -1 and set errno; the kernel returned -errno in the first place.
template <class T>
T kernel_result(T result) {
  return result == -1 ? -errno : result;
}

}  // namespace detail

// Runs `call`, which returns a result or -errno, counts and traces it as `kind`. For the functions below, and for calls
// that a library makes on our behalf (liburing, glibc's AIO).
template <class F>
auto counted(Call kind, int descriptor, F&& call, Where where = Where::current()) {
  count(kind);
  TraceSink* const sink = detail::trace.load(std::memory_order_relaxed);
  const detail::Entry entry = sink == nullptr ? detail::Entry{} : detail::enter();
  const auto result = call();
  if (sink != nullptr) [[unlikely]] {
    detail::record(*sink, kind, descriptor, entry, result, where);
  }
  if (result == -EAGAIN) count(Count::would_block);
  return result;
}

inline int accept4(int listener, int flags, Where where = Where::current()) {
  return counted(
      Call::accept4, listener, [&] { return detail::kernel_result(::accept4(listener, nullptr, nullptr, flags)); },
      where);
}

inline std::int64_t recv(int socket, std::span<std::byte> room, int flags, Where where = Where::current()) {
  if (TraceSink* const sink = detail::trace.load(std::memory_order_relaxed)) [[unlikely]] {
    return detail::stamped_recv(*sink, socket, room, flags, where);
  }
  const std::int64_t bytes = counted(
      Call::recv, socket, [&] { return detail::kernel_result(::recv(socket, room.data(), room.size(), flags)); },
      where);
  if (bytes > 0) count(Count::bytes_received, static_cast<std::uint64_t>(bytes));
  return bytes;
}

// Chooses send(2) for one piece and sendmsg(2) for several. Always MSG_NOSIGNAL.
inline std::int64_t send(int socket, std::span<const iovec> pieces, int flags = 0, Where where = Where::current()) {
  const std::int64_t bytes =
      pieces.size() == 1 ? counted(
                               Call::send, socket,
                               [&] {
                                 return detail::kernel_result(
                                     ::send(socket, pieces[0].iov_base, pieces[0].iov_len, flags | MSG_NOSIGNAL));
                               },
                               where)
                         : counted(
                               Call::sendmsg, socket,
                               [&] {
                                 msghdr message{};
                                 message.msg_iov = const_cast<iovec*>(pieces.data());
                                 message.msg_iovlen = pieces.size() < IOV_MAX ? pieces.size() : IOV_MAX;
                                 return detail::kernel_result(::sendmsg(socket, &message, flags | MSG_NOSIGNAL));
                               },
                               where);
  if (bytes > 0) count(Count::bytes_sent, static_cast<std::uint64_t>(bytes));
  return bytes;
}

// Timeouts: nullptr, or -1 ms, waits for ever.
inline int poll(std::span<pollfd> entries, const timespec* timeout, Where where = Where::current()) {
  return counted(
      Call::poll, -1, [&] { return detail::kernel_result(::ppoll(entries.data(), entries.size(), timeout, nullptr)); },
      where);
}

inline int epoll_wait(int epoll, std::span<epoll_event> events, int timeout_ms, Where where = Where::current()) {
  return counted(
      Call::epoll_wait, epoll,
      [&] {
        return detail::kernel_result(::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), timeout_ms));
      },
      where);
}

int select(int highest_plus_one, fd_set* readers, fd_set* writers, timeval* timeout, Where where = Where::current());
int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event, Where where = Where::current());
// -EAGAIN: the time is over. It asked in vain, as a recv() does.
int rt_sigtimedwait(const sigset_t& signals, siginfo_t& info, const timespec* timeout, Where where = Where::current());
int tgkill(int thread_id, int signal, Where where = Where::current());  // a thread of this process

std::int64_t read(int descriptor, std::span<std::byte> room, Where where = Where::current());
std::int64_t write(int descriptor, std::span<const std::byte> bytes, Where where = Where::current());
int shutdown(int socket, int how, Where where = Where::current());
int close(int descriptor, Where where = Where::current());
int fcntl(int descriptor, int command, std::int64_t argument, Where where = Where::current());
int setsockopt(int socket, int level, int option, const void* value, socklen_t bytes, Where where = Where::current());

// Sleeps while `word` holds `expected`, until woken, at most `timeout` (relative; nullptr: for ever).
int futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* timeout,
               Where where = Where::current());
int futex_wake(std::atomic<std::uint32_t>& word, int threads, Where where = Where::current());

int sched_yield(Where where = Where::current());
int nanosleep(std::int64_t nanoseconds, Where where = Where::current());

}  // namespace iolab::io::sys
