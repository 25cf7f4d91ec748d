// In which system call does a Java program wait for data?
//
// A small Java program connects and reads, in one of the ways that Java has for it. Nothing is sent to it. The kernel
// says where its threads sleep (/proc/PID/task/TID/syscall), and whether the socket is non-blocking (/proc/PID/fdinfo).
//
// What to notice
//   1. Socket.read() on a thread of the system sleeps in the receiving call: model one.
//   2. With a timeout, or on a virtual thread, the virtual machine makes the socket non-blocking and waits with poll()
//      or epoll_wait(): the program is written as model one, and is model three.
//   3. A channel in non-blocking mode that is asked in a loop is model two, with its price; with a Selector it is
//      epoll.
//      LESSON: look-at-the-call-not-at-the-name
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProgram = R"java(
import java.net.*;
import java.nio.ByteBuffer;
import java.nio.channels.*;

class Waits {
  static Socket connected(int port) throws Exception { return new Socket("127.0.0.1", port); }
  static SocketChannel channel(int port, boolean blocking) throws Exception {
    SocketChannel channel = SocketChannel.open(new InetSocketAddress("127.0.0.1", port));
    channel.configureBlocking(blocking);
    return channel;
  }
  static void read(Socket socket) throws Exception { socket.getInputStream().read(); }

  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    ByteBuffer room = ByteBuffer.allocateDirect(16);
    switch (arguments[1]) {
      case "socket": read(connected(port)); break;
      case "socket-with-timeout": {
        Socket socket = connected(port);
        socket.setSoTimeout(60_000);
        read(socket);
        break;
      }
      case "virtual-thread": {
        Runnable work = () -> {
          try { read(connected(port)); } catch (Exception gone) { }
        };
        ((Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work)).join();
        break;
      }
      case "channel": channel(port, true).read(room); break;
      case "channel-non-blocking": {
        SocketChannel channel = channel(port, false);
        while (channel.read(room) == 0) { }
        break;
      }
      case "selector": {
        Selector selector = Selector.open();
        channel(port, false).register(selector, SelectionKey.OP_READ);
        selector.select();
        break;
      }
    }
  }
}
)java";

// A directory that goes with everything in it.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "iolab-java-XXXXXX").string();
    path_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
  }
  ~Scratch() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The virtual machine; killed when it goes out of scope, if it has not ended.
class Java {
 public:
  Java(const std::string& program, std::uint16_t port, std::string_view way, const std::string& words) {
    const auto port_text = std::to_string(port);
    const std::string way_text(way);
    pid_ = ::fork();
    if (pid_ != 0) return;
    const int file = ::open(words.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execlp("java", "java", "-XX:TieredStopAtLevel=1", "-Xshare:auto", program.c_str(), port_text.c_str(),
             way_text.c_str(), nullptr);
    ::_exit(errno == ENOENT ? kNoJava : 126);
  }
  ~Java() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Java(const Java&) = delete;
  Java& operator=(const Java&) = delete;

  static constexpr int kNoJava = 127;
  pid_t pid() const { return pid_; }
  // Its exit code if it has ended; else -1.
  int ended() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_ = -1;
};

std::string directory_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

bool is_socket(pid_t pid, std::string_view descriptor) {
  std::error_code error;
  return fs::read_symlink(directory_of(pid) + "/fd/" + std::string(descriptor), error).string().starts_with("socket:");
}

// One look: where do its threads sleep?
struct Asleep {
  bool told = false;        // /proc said it of one of them at least
  bool in_receive = false;  // of a socket
  bool in_poll = false;
  bool in_epoll = false;
};

Asleep look(pid_t pid) {
  Asleep asleep;
  std::error_code error;
  for (const auto& task : fs::directory_iterator(directory_of(pid) + "/task", error)) {
    std::ifstream file(task.path() / "syscall");
    std::string call, first;  // "0 0x5 0x7f..."; "running" of a thread that runs
    asleep.told |= static_cast<bool>(file >> call);
    file >> first;
    long number = -1;
    unsigned long descriptor = 0;
    std::from_chars(call.data(), call.data() + call.size(), number);
    if (first.starts_with("0x")) std::from_chars(first.data() + 2, first.data() + first.size(), descriptor, 16);
    const bool receives = number == SYS_read || number == SYS_recvfrom || number == SYS_recvmsg;
    asleep.in_receive |= receives && is_socket(pid, std::to_string(descriptor));
#ifdef SYS_poll
    asleep.in_poll |= number == SYS_poll;
#endif
#ifdef SYS_epoll_wait
    asleep.in_epoll |= number == SYS_epoll_wait;
#endif
    asleep.in_poll |= number == SYS_ppoll;
    asleep.in_epoll |= number == SYS_epoll_pwait;
  }
  return asleep;
}

bool has_a_nonblocking_socket(pid_t pid) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_of(pid) + "/fd", error)) {
    const auto descriptor = entry.path().filename().string();
    if (!is_socket(pid, descriptor)) continue;
    std::ifstream file(directory_of(pid) + "/fdinfo/" + descriptor);
    for (std::string word; file >> word;) {
      if (word != "flags:") continue;
      unsigned flags = 0;
      file >> std::oct >> flags;
      if ((flags & O_NONBLOCK) != 0) return true;
    }
  }
  return false;
}

// User and system time of a process, in ticks of its own.
double cpu_seconds(pid_t pid) {
  std::ifstream file(directory_of(pid) + "/stat");
  std::stringstream text;
  text << file.rdbuf();
  std::string rest = text.str();
  rest.erase(0, rest.rfind(')') + 1);
  std::istringstream fields(rest);
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string last_words(const std::string& path) {
  std::ifstream file(path);
  std::string text, line;
  while (std::getline(file, line)) {
    if (line.find("NoSuchMethodException") != std::string::npos) {
      return "this Java has no virtual threads; those from version 21 on have";
    }
    if (text.empty()) text = line;
  }
  return "java could not run the program: " + (text.empty() ? std::string("it said nothing") : text);
}

// Its connection, once it has one. Starting takes a second or two.
std::expected<Fd, std::string> connection_of(Java& java, int listener, const std::string& words) {
  for (int patience = 0; patience < 600; ++patience) {
    pollfd entry{listener, POLLIN, 0};
    if (::poll(&entry, 1, 100) > 0) return Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    const int code = java.ended();
    if (code == Java::kNoJava) {
      return std::unexpected(
          "there is no java here; install a JDK of version 17 or later, on Debian: "
          "apt-get install openjdk-17-jdk-headless");
    }
    if (code >= 0) return std::unexpected(last_words(words));
  }
  return std::unexpected("java did not connect within a minute");
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = java_sockets();
  const auto listening = listen_on({}, 1, 1);
  if (!listening) return std::unexpected(listening.error());
  const Scratch scratch;
  const auto program = scratch.path() + "/Waits.java";
  const auto words = scratch.path() + "/words";
  if (scratch.path().empty() || !(std::ofstream(program) << kProgram).flush()) {
    return std::unexpected("cannot write the Java program below " + fs::temp_directory_path().string() + ": " +
                           std::strerror(errno) + "; set TMPDIR to a directory that can be written to");
  }
  Java java(program, listening->address.port, chosen(probe, settings, "way"), words);
  const auto connection = connection_of(java, listening->sockets.front().get(), words);
  if (!connection) return std::unexpected(connection.error());
  constexpr std::int64_t kSettleNs = 500'000'000;  // from the connection to the wait
  constexpr std::int64_t kBetweenLooksNs = 5'000'000;
  sleep_until_ns(now_ns() + kSettleNs);
  const auto began_ns = now_ns();
  const auto end_ns = began_ns + std::chrono::nanoseconds(settings.length).count();
  const double cpu_before = cpu_seconds(java.pid());
  double looks = 0, in_receive = 0, in_poll = 0, in_epoll = 0;
  for (; now_ns() < end_ns; sleep_until_ns(now_ns() + kBetweenLooksNs)) {
    const Asleep asleep = look(java.pid());
    if (!asleep.told) continue;
    ++looks;
    in_receive += asleep.in_receive;
    in_poll += asleep.in_poll;
    in_epoll += asleep.in_epoll;
  }
  const double cpu = (cpu_seconds(java.pid()) - cpu_before) * 1e9 / static_cast<double>(now_ns() - began_ns);
  if (java.ended() >= 0) return std::unexpected(last_words(words));
  if (looks == 0) {
    return std::unexpected("nothing was seen of the program's sleep: " + directory_of(java.pid()) +
                           "/task/*/syscall could not be read; try it as the user who owns the process, or as root");
  }
  return Figures{{"asleep_in_receive_share", in_receive / looks},
                 {"asleep_in_poll_share", in_poll / looks},
                 {"asleep_in_epoll_share", in_epoll / looks},
                 {"nonblocking_sockets", has_a_nonblocking_socket(java.pid()) ? 1.0 : 0.0},
                 {"wait_cpu_share", cpu},
                 {"rounds", looks}};
}

}  // namespace

Probe java_sockets() {
  return {.name = "java-sockets",
          .question = "In which system call does a Java program wait for data?",
          .models = {},
          .keys = {{"way", "socket|socket-with-timeout|virtual-thread|channel|channel-non-blocking|selector", "socket",
                    "how the program reads; it needs a JDK, virtual threads one of version 21"}},
          .run = run};
}

}  // namespace iolab::io::probes
