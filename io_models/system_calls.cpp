// The calls that are not made once per request, and the clock of the trace.
#include "io_models/system_calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io_models/arrival_stamp.h"

namespace iolab::io::sys {

using detail::kernel_result;

namespace detail {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::int64_t thread_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

std::int32_t thread_id() {
  thread_local const std::int32_t id = ::gettid();
  return id;
}

Entry enter() {
  const std::int64_t cpu_ns = thread_cpu_ns();
  return {cpu_ns, now_ns()};
}

void record(TraceSink& sink, Call kind, int descriptor, const Entry& entry, std::int64_t result, Where where) {
  const std::int64_t returned_ns = now_ns();
  const std::int64_t cpu_ns = thread_cpu_ns() - entry.cpu_ns;
  sink.record({entry.ns, returned_ns, cpu_ns, 0, result, where, thread_id(), descriptor, kind, false});
}

std::int64_t stamped_recv(TraceSink& sink, int socket, std::span<std::byte> room, int flags, Where where) {
  StampedMessage message;
  msghdr& header = message.prepared_for(room);
  count(Call::recvmsg);
  const Entry entry = enter();
  const std::int64_t bytes = kernel_result(::recvmsg(socket, &header, flags));
  const std::int64_t returned_ns = now_ns();
  const std::int64_t cpu_ns = thread_cpu_ns() - entry.cpu_ns;
  const std::int64_t arrived_ns = bytes > 0 ? message.arrived_ns() : 0;
  sink.record({entry.ns, returned_ns, cpu_ns, arrived_ns, bytes, where, thread_id(), socket, Call::recvmsg, false});
  if (bytes == -EAGAIN) count(Count::would_block);
  if (bytes > 0) count(Count::bytes_received, static_cast<std::uint64_t>(bytes));
  return bytes;
}

}  // namespace detail

void attach_trace(TraceSink* sink) {
  detail::trace.store(sink, std::memory_order_relaxed);
}

bool traced() {
  return detail::trace.load(std::memory_order_relaxed) != nullptr;
}

void record_order(Call call, int descriptor, std::int64_t given_ns, std::int64_t result, std::int64_t arrived_ns,
                  Where where) {
  if (TraceSink* const sink = detail::trace.load(std::memory_order_relaxed)) {
    sink->record(
        {given_ns, detail::now_ns(), 0, arrived_ns, result, where, detail::thread_id(), descriptor, call, true});
  }
}

int select(int highest_plus_one, fd_set* readers, fd_set* writers, timeval* timeout, Where where) {
  return counted(
      Call::select, -1, [&] { return kernel_result(::select(highest_plus_one, readers, writers, nullptr, timeout)); },
      where);
}

int epoll_ctl(int epoll, int operation, int descriptor, epoll_event* event, Where where) {
  return counted(
      Call::epoll_ctl, descriptor, [&] { return kernel_result(::epoll_ctl(epoll, operation, descriptor, event)); },
      where);
}

int rt_sigtimedwait(const sigset_t& signals, siginfo_t& info, const timespec* timeout, Where where) {
  return counted(
      Call::rt_sigtimedwait, -1, [&] { return kernel_result(::sigtimedwait(&signals, &info, timeout)); }, where);
}

int tgkill(int thread_id, int signal, Where where) {
  return counted(
      Call::tgkill, -1,
      [&] { return kernel_result(static_cast<int>(::syscall(SYS_tgkill, ::getpid(), thread_id, signal))); }, where);
}

std::int64_t read(int descriptor, std::span<std::byte> room, Where where) {
  return counted(
      Call::read, descriptor, [&] { return kernel_result(::read(descriptor, room.data(), room.size())); }, where);
}

std::int64_t write(int descriptor, std::span<const std::byte> bytes, Where where) {
  return counted(
      Call::write, descriptor, [&] { return kernel_result(::write(descriptor, bytes.data(), bytes.size())); }, where);
}

int shutdown(int socket, int how, Where where) {
  return counted(Call::shutdown, socket, [&] { return kernel_result(::shutdown(socket, how)); }, where);
}

int close(int descriptor, Where where) {
  return counted(Call::close, descriptor, [&] { return kernel_result(::close(descriptor)); }, where);
}

int fcntl(int descriptor, int command, std::int64_t argument, Where where) {
  return counted(Call::fcntl, descriptor, [&] { return kernel_result(::fcntl(descriptor, command, argument)); }, where);
}

int setsockopt(int socket, int level, int option, const void* value, socklen_t bytes, Where where) {
  return counted(
      Call::setsockopt, socket, [&] { return kernel_result(::setsockopt(socket, level, option, value, bytes)); },
      where);
}

int futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, const timespec* timeout, Where where) {
  return counted(
      Call::futex_wait, -1,
      [&] {
        const auto result = static_cast<int>(
            kernel_result(::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout, nullptr, 0)));
        return result == -EAGAIN ? 0 : result;  // the word had changed already: nothing was asked in vain
      },
      where);
}

int futex_wake(std::atomic<std::uint32_t>& word, int threads, Where where) {
  return counted(
      Call::futex_wake, -1,
      [&] {
        return static_cast<int>(
            kernel_result(::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, threads, nullptr, nullptr, 0)));
      },
      where);
}

int sched_yield(Where where) {
  return counted(Call::sched_yield, -1, [] { return kernel_result(::sched_yield()); }, where);
}

int nanosleep(std::int64_t nanoseconds, Where where) {
  return counted(
      Call::nanosleep, -1,
      [&] {
        const timespec time{nanoseconds / 1'000'000'000, static_cast<long>(nanoseconds % 1'000'000'000)};
        return -::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
      },
      where);
}

}  // namespace iolab::io::sys
