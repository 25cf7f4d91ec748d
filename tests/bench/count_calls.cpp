// Runs a command and counts every system call that it and its threads and children make, seen from the kernel's side.
//
//   count_calls COMMAND ARGUMENTS...
//
// The command's standard output is ours. For each line on standard input the count so far is printed on standard error;
// at the end of the input the command gets SIGTERM. It counts the tracepoint raw_syscalls:sys_enter, about 8 ns a call:
// for counts, never for times. Without permission (root, or perf_event_paranoid at most -1) it says so and exits 4.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

namespace {

// Where tracefs is not mounted, we mount it for ourselves alone: in a mount namespace that ends with this process.
std::uint64_t tracepoint_id() {
  if (access("/sys/kernel/tracing/events", F_OK) != 0 && unshare(CLONE_NEWNS) == 0) {
    mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
  }
  for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    std::ifstream file(std::string(root) + "/events/raw_syscalls/sys_enter/id");
    std::uint64_t id = 0;
    if (file >> id) return id;
  }
  return 0;
}

int open_counter(pid_t process) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = tracepoint_id();
  attributes.inherit = 1;
  attributes.disabled = 1;
  attributes.enable_on_exec = 1;
  if (attributes.config == 0) return -1;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, process, -1, -1, PERF_FLAG_FD_CLOEXEC));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "count_calls COMMAND ARGUMENTS...\n");
    return 2;
  }
  int gate[2];
  if (pipe2(gate, O_CLOEXEC) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char go = 0;
    close(gate[1]);
    if (read(gate[0], &go, 1) != 1) _exit(1);  // until the counter is attached
    execv(argv[1], argv + 1);
    std::fprintf(stderr, "%s: %s\n", argv[1], std::strerror(errno));
    _exit(127);
  }
  const int counter = open_counter(child);
  if (counter < 0) {
    std::fprintf(stderr, "counting system calls is not permitted here: %s\n", std::strerror(errno));
    kill(child, SIGKILL);
    return 4;
  }
  if (write(gate[1], "!", 1) != 1) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    std::uint64_t calls = 0;
    if (read(counter, &calls, sizeof calls) != sizeof calls) return 1;
    std::fprintf(stderr, "%llu\n", static_cast<unsigned long long>(calls));
  }
  kill(child, SIGTERM);
  int status = 0;
  waitpid(child, &status, 0);
  return 0;
}
