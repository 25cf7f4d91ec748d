// What each thread of a process is doing at this moment, from /proc and without root: asleep in which system call, or
// running. The difference between the I/O models, seen from outside in one look.
//
// The name of the call needs the right to trace that process: root, or, of one's own, a Yama scope that allows it
// (parents may look at their children). Without it the row says what is known, and the text says why not more.
// Source: proc_pid_syscall(5), proc_pid_stat(5).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

struct ThreadState {
  pid_t id = 0;
  std::string name;
  char state = '?';          // as ps prints it: R running, S asleep, T stopped
  std::string call;          // "epoll_wait"; empty: running, or not to be known
  std::uint64_t sleeps = 0;  // voluntary context switches since its start
  double cpu_s = 0;
  bool readable = true;  // false: the kernel does not tell us the call
};

// In order of their ids. The error: there is no such process.
std::expected<std::vector<ThreadState>, std::string> thread_states(pid_t process);

// The content of /proc/PID/task/TID/syscall: "232 0x4 ...", "running", "-1 ...".
std::string sleeping_call(std::string_view content);

// A table for people; `width` of the terminal.
std::string to_text(const std::vector<ThreadState>& threads, int width);

}  // namespace iolab::lab
