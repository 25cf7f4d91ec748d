// Child processes: the server, the load generator and the program that draws. Each is started on a CPU of its own, dies
// with its parent whatever happens to it, and can be waited for only with a deadline.
//
// Every process of a plan is the same opened file: a build that replaces the binary in the middle of a run changes
// nothing. Children live in a process group of their own, so that Ctrl-C reaches only the lab, which then ends them in
// order. Not for several threads: the kernel ties "dies with its parent" to the thread that started the child.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::lab {

// The running program's own file, opened once.
class OwnBinary {
 public:
  static std::expected<OwnBinary, std::string> open();
  OwnBinary(OwnBinary&& other) noexcept : descriptor_(other.descriptor_), sha256_(std::move(other.sha256_)) {
    other.descriptor_ = -1;
  }
  OwnBinary& operator=(OwnBinary&&) = delete;
  ~OwnBinary();
  int descriptor() const { return descriptor_; }
  const std::string& sha256() const { return sha256_; }

 private:
  OwnBinary(int descriptor, std::string sha256) : descriptor_(descriptor), sha256_(std::move(sha256)) {}
  int descriptor_;
  std::string sha256_;
};

struct Launch {
  const OwnBinary* binary = nullptr;        // or, if null, arguments[0] is looked up in PATH
  std::vector<std::string> arguments = {};  // with argv[0]
  std::optional<int> cpu = {};              // pinned there, and with it every thread it starts
  std::string stderr_file = {};             // empty: ours
  bool quiet_stderr = false;                // to /dev/null
  int network_namespace = -1;               // a descriptor; -1: ours
};

struct ExitState {
  int code = 0;    // if signal is 0
  int signal = 0;  // what ended it
  bool ok() const { return code == 0 && signal == 0; }
  std::string text() const;  // "exit code 3", "signal 9 (Killed)"
};

// Called about every 50 ms while a line is waited for; a text ends the wait and becomes its error.
using Glance = std::function<std::string()>;

class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;

  static std::expected<ChildProcess, std::string> start(const Launch& launch);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();  // kills it if it still runs

  pid_t pid() const { return pid_; }
  // The next line of its stdout, without the newline. The error says why there is none: its end, the deadline, or an
  // interruption by the user.
  std::expected<std::string, std::string> read_line(Clock::time_point deadline, const Glance& glance = {});
  // Everything until its stdout ends.
  std::expected<std::string, std::string> read_all(Clock::time_point deadline);
  // False if it does not read any more. Closes with close_input().
  bool write(std::string_view text);
  void close_input();

  std::optional<ExitState> wait(Clock::time_point deadline);
  // SIGTERM, then SIGKILL when the grace is over. Nothing if it had to be killed.
  std::optional<ExitState> stop(std::chrono::milliseconds grace);
  void kill_now();

 private:
  ChildProcess(pid_t pid, int input, int output) : pid_(pid), input_(input), output_(output) {}
  std::expected<bool, std::string> fill(Clock::time_point deadline, const Glance& glance = {});

  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string buffer_;
  std::optional<ExitState> exit_;
};

// Its threads at this moment; none: it has ended.
std::vector<pid_t> threads_of(pid_t process);

// Runs it to its end and returns its stdout. The error names the command and how it ended.
std::expected<std::string, std::string> run_and_read(const Launch& launch, std::chrono::milliseconds limit);

}  // namespace iolab::lab
