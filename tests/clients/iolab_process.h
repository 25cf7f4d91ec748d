// The program as its users meet it: started with arguments, fed through stdin, judged by what it prints and how it
// ends. No process outlives its object, and none outlives the test.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io_models/socket.h"

namespace iolab::clients {

class IolabProcess {
 public:
  explicit IolabProcess(const std::vector<std::string>& arguments) {
    int in[2], out[2], err[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) std::abort();
    std::vector<char*> argv{const_cast<char*>(IOLAB_BINARY)};
    for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // a process that ends early fails its test, not all of them
    pid_ = ::fork();
    if (pid_ == 0) {
      ::signal(SIGPIPE, SIG_DFL);
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execv(IOLAB_BINARY, argv.data());
      ::_exit(127);
    }
    in_ = io::Fd(in[1]), out_ = io::Fd(out[0]), err_ = io::Fd(err[0]);
    for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
  }
  ~IolabProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  IolabProcess(const IolabProcess&) = delete;
  IolabProcess& operator=(const IolabProcess&) = delete;

  void write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::write(in_.get(), text.data(), text.size());
      if (written <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void end_input() { in_ = io::Fd(); }
  void signal(int number) const { ::kill(pid_, number); }

  // The next line of stdout, without its end; nothing at the end of stdout.
  std::optional<std::string> line() {
    for (;;) {
      if (const auto end = said_.find('\n'); end != std::string::npos) {
        auto line = said_.substr(0, end);
        said_.erase(0, end + 1);
        return line;
      }
      if (!read_into(out_, said_)) return std::nullopt;
    }
  }

  struct End {
    int exit_code = -1;
    std::string out, err;
  };
  // Closes stdin and waits until the process has ended.
  End wait() {
    end_input();
    End end;
    while (read_into(out_, said_)) continue;
    while (read_into(err_, end.err)) continue;
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    end.out = std::move(said_);
    return end;
  }

 private:
  static bool read_into(const io::Fd& fd, std::string& text) {
    std::array<char, 65536> bytes;
    const auto got = ::read(fd.get(), bytes.data(), bytes.size());
    if (got <= 0) return false;
    text.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }

  pid_t pid_ = -1;
  io::Fd in_, out_, err_;
  std::string said_;
};

inline IolabProcess::End run_iolab(const std::vector<std::string>& arguments, std::string_view input = "") {
  IolabProcess process(arguments);
  process.write(input);
  return process.wait();
}

// A broker on a fresh directory and a port of its own.
class BrokerProcess {
 public:
  explicit BrokerProcess(const std::string& model = "epoll")
      : directory_(std::filesystem::temp_directory_path() / ("iolab.clients." + std::to_string(::getpid()))),
        process_({"broker", "--model", model, "--listeners", "PLAINTEXT://127.0.0.1:0", "--log-dirs",
                  directory_.string(), "--override", "num.partitions=3"}) {
    const auto line = process_.line().value_or("");
    const auto colon = line.rfind(':');
    if (colon != std::string::npos) {
      address.port = static_cast<std::uint16_t>(std::stoi(line.substr(colon + 1)));
    }
  }
  ~BrokerProcess() {
    process_.signal(SIGTERM);
    process_.wait();
    std::filesystem::remove_all(directory_);
  }
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  std::string bootstrap() const { return address.host + ":" + std::to_string(address.port); }

  io::Address address;

 private:
  std::filesystem::path directory_;
  IolabProcess process_;
};

}  // namespace iolab::clients
