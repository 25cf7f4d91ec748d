#include "experiments/machine/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "experiments/machine/interrupt.h"
#include "experiments/spec/sha256.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

// Between two looks at the user's Ctrl-C and at a child that ended: short enough not to be felt, and never on the way
// of a message, which ends the wait at once.
constexpr auto kGlance = 50ms;

std::string last_error() {
  return std::strerror(errno);
}

struct Pipe {
  int read = -1;
  int write = -1;
  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read = ends[0];
    write = ends[1];
    return true;
  }
  void close() const {
    if (read >= 0) ::close(read);
    if (write >= 0) ::close(write);
  }
};

int open_stderr(const Launch& launch) {
  if (launch.quiet_stderr) return ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (!launch.stderr_file.empty()) {
    constexpr mode_t kMode = 0644;
    return ::open(launch.stderr_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  }
  return -1;
}

// Between fork and exec: only calls that are safe there.
[[noreturn]] void become(const Launch& launch, char* const* arguments, int input, int output, int errors, int complaint,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it died before the line above
  setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  signal(SIGPIPE, SIG_DFL);
  bool ready = dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0;
  if (errors >= 0) ready = ready && dup2(errors, STDERR_FILENO) >= 0;
  if (launch.network_namespace >= 0) ready = ready && setns(launch.network_namespace, CLONE_NEWNET) == 0;
  if (launch.cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(*launch.cpu, &cpus);
    ready = ready && sched_setaffinity(0, sizeof cpus, &cpus) == 0;
  }
  if (ready && launch.binary != nullptr) fexecve(launch.binary->descriptor(), arguments, environ);
  if (ready && launch.binary == nullptr) execvp(arguments[0], arguments);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(complaint, &error, sizeof error);
  _exit(127);
}

// Waits for the pipe that exec closes: what comes through it is why exec failed.
int exec_error(int complaint) {
  int error = 0;
  ssize_t bytes = 0;
  do bytes = ::read(complaint, &error, sizeof error);
  while (bytes < 0 && errno == EINTR);
  return bytes == sizeof error ? error : 0;
}

}  // namespace

std::expected<OwnBinary, std::string> OwnBinary::open() {
  const int descriptor = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(fmt::format("cannot open /proc/self/exe: {}", last_error()));
  auto hash = sha256_of_file(descriptor);
  return OwnBinary(descriptor, hash ? *hash : "unknown");
}

OwnBinary::~OwnBinary() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string ExitState::text() const {
  if (signal != 0) return fmt::format("signal {} ({})", signal, strsignal(signal));
  return fmt::format("exit code {}", code);
}

std::expected<ChildProcess, std::string> ChildProcess::start(const Launch& launch) {
  Pipe input;
  Pipe output;
  Pipe complaint;
  const int errors = open_stderr(launch);
  if (!input.open() || !output.open() || !complaint.open()) {
    auto why = fmt::format("cannot start {}: {}", launch.arguments.front(), last_error());
    input.close();
    output.close();
    complaint.close();
    if (errors >= 0) ::close(errors);
    return std::unexpected(std::move(why));
  }
  std::vector<char*> arguments;
  for (const auto& argument : launch.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(launch, arguments.data(), input.read, output.write, errors, complaint.write, parent);
  const int fork_error = pid < 0 ? errno : 0;
  ::close(input.read);
  ::close(output.write);
  ::close(complaint.write);
  if (errors >= 0) ::close(errors);
  const int error = pid < 0 ? fork_error : exec_error(complaint.read);
  ::close(complaint.read);
  if (error != 0) {
    ::close(input.write);
    ::close(output.read);
    if (pid > 0) waitpid(pid, nullptr, 0);
    return std::unexpected(fmt::format("cannot start {}: {}", launch.arguments.front(), std::strerror(error)));
  }
  return ChildProcess(pid, input.write, output.read);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      input_(std::exchange(other.input_, -1)),
      output_(std::exchange(other.output_, -1)),
      buffer_(std::move(other.buffer_)),
      exit_(other.exit_) {}

ChildProcess::~ChildProcess() {
  kill_now();
  close_input();
  if (output_ >= 0) ::close(output_);
}

std::expected<bool, std::string> ChildProcess::fill(Clock::time_point deadline, const Glance& glance) {
  for (;;) {
    if (interrupted()) return std::unexpected("interrupted");
    if (auto problem = glance ? glance() : std::string(); !problem.empty()) return std::unexpected(std::move(problem));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left <= 0ms) return std::unexpected("no answer before its deadline");
    pollfd entry{output_, POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::chrono::milliseconds>(left, kGlance).count()));
    if (ready < 0 && errno != EINTR) return std::unexpected(fmt::format("cannot wait: {}", last_error()));
    if (ready <= 0) continue;
    std::array<char, 64 * 1024> room;
    const ssize_t bytes = ::read(output_, room.data(), room.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return std::unexpected(fmt::format("cannot read: {}", last_error()));
    if (bytes == 0) return false;
    buffer_.append(room.data(), static_cast<std::size_t>(bytes));
    return true;
  }
}

std::expected<std::string, std::string> ChildProcess::read_line(Clock::time_point deadline, const Glance& glance) {
  for (;;) {
    if (const auto end = buffer_.find('\n'); end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    const auto more = fill(deadline, glance);
    if (!more) return std::unexpected(more.error());
    if (!*more) {
      const auto state = wait(std::min(deadline, Clock::now() + 1s));
      return std::unexpected(fmt::format("it ended ({})", state ? state->text() : "still running"));
    }
  }
}

std::expected<std::string, std::string> ChildProcess::read_all(Clock::time_point deadline) {
  for (;;) {
    const auto more = fill(deadline);
    if (!more) return std::unexpected(more.error());
    if (!*more) return std::move(buffer_);
  }
}

bool ChildProcess::write(std::string_view text) {
  // A child that has ended must not end us: SIGPIPE is ignored for the time of the write.
  struct sigaction ignore{};
  struct sigaction before{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  while (!text.empty()) {
    const ssize_t bytes = ::write(input_, text.data(), text.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) break;
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
  sigaction(SIGPIPE, &before, nullptr);
  return text.empty();
}

void ChildProcess::close_input() {
  if (input_ >= 0) ::close(std::exchange(input_, -1));
}

std::optional<ExitState> ChildProcess::wait(Clock::time_point deadline) {
  while (!exit_ && pid_ > 0) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      exit_ = WIFSIGNALED(status) ? ExitState{0, WTERMSIG(status)} : ExitState{WEXITSTATUS(status), 0};
    } else if (Clock::now() >= deadline) {
      return std::nullopt;
    } else {
      ::poll(nullptr, 0, 1);
    }
  }
  return exit_;
}

std::optional<ExitState> ChildProcess::stop(std::chrono::milliseconds grace) {
  if (!exit_ && pid_ > 0) ::kill(pid_, SIGTERM);
  auto state = wait(Clock::now() + grace);
  if (!state) kill_now();
  return state;
}

void ChildProcess::kill_now() {
  if (exit_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  exit_ = ExitState{0, SIGKILL};
}

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process), ignored)) {
    threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename())));
  }
  return threads;
}

std::expected<std::string, std::string> run_and_read(const Launch& launch, std::chrono::milliseconds limit) {
  auto child = ChildProcess::start(launch);
  if (!child) return std::unexpected(child.error());
  child->close_input();
  const auto deadline = ChildProcess::Clock::now() + limit;
  auto output = child->read_all(deadline);
  if (!output) return std::unexpected(fmt::format("{}: {}", launch.arguments.front(), output.error()));
  const auto state = child->wait(deadline);
  if (!state) return std::unexpected(fmt::format("{}: did not end", launch.arguments.front()));
  if (!state->ok()) return std::unexpected(fmt::format("{}: {}", launch.arguments.front(), state->text()));
  return output;
}

}  // namespace iolab::lab
