#include "experiments/machine/thread_states.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "experiments/machine/kernel_calls.h"
#include "experiments/spec/json_document.h"
#include "experiments/words/terminal.h"
#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

// The number behind "voluntary_ctxt_switches:" and the letter behind "State:".
void read_status(const fs::path& task, ThreadState& thread) {
  std::ifstream file(task / "status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("State:")) thread.state = line[line.find_first_not_of(" \t", 6)];
    if (line.starts_with("voluntary_ctxt_switches:")) {
      thread.sleeps = std::stoull(line.substr(line.find_first_of("0123456789")));
    }
  }
}

ThreadState look_at(const fs::path& task) {
  ThreadState thread;
  thread.id = static_cast<pid_t>(std::stol(task.filename()));
  std::ifstream comm(task / "comm");
  std::getline(comm, thread.name);
  read_status(task, thread);
  std::uint64_t ran_ns = 0;
  if (std::ifstream(task / "schedstat") >> ran_ns) thread.cpu_s = static_cast<double>(ran_ns) / 1e9;
  const auto content = read_text_file(task / "syscall");
  thread.readable = content && !content->empty();
  if (thread.readable) thread.call = sleeping_call(*content);
  return thread;
}

std::string doing(const ThreadState& thread) {
  if (thread.state == 'T' || thread.state == 't') return "stopped";
  if (!thread.call.empty()) return "asleep in " + thread.call;
  if (thread.state == 'R') return "running";
  return thread.readable ? "on its way" : "asleep";
}

}  // namespace

std::string sleeping_call(std::string_view content) {
  int number = -1;
  const auto [end, error] = std::from_chars(content.data(), content.data() + content.size(), number);
  if (error != std::errc{} || number < 0) return {};
  return system_call_name(number);
}

std::expected<std::vector<ThreadState>, std::string> thread_states(pid_t process) {
  std::vector<ThreadState> threads;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", process), error)) {
    threads.push_back(look_at(entry.path()));
  }
  if (threads.empty()) return std::unexpected(fmt::format("there is no process {}", process));
  std::ranges::sort(threads, {}, &ThreadState::id);
  return threads;
}

std::string to_text(const std::vector<ThreadState>& threads, int width) {
  // Threads of one name that do the same are one row: a thousand connections are a thousand threads in `blocking`.
  struct Row {
    std::uint64_t threads = 0;
    std::uint64_t sleeps = 0;
    double cpu_s = 0;
  };
  std::vector<std::pair<std::string, std::string>> order;
  std::map<std::pair<std::string, std::string>, Row> rows;
  for (const ThreadState& thread : threads) {
    const std::pair key{thread.name, doing(thread)};
    if (!rows.contains(key)) order.push_back(key);
    Row& row = rows[key];
    ++row.threads;
    row.sleeps += thread.sleeps;
    row.cpu_s += thread.cpu_s;
  }
  TextTable table{.headers = {{"thread", "number", "is", "went to sleep", "CPU (s)"}},
                  .right = {false, true, false, true, true},
                  .rows = {}};
  for (const auto& key : order) {
    const Row& row = rows.at(key);
    table.rows.push_back(
        {{key.first, with_thousands(static_cast<double>(row.threads)), key.second,
          with_thousands(static_cast<double>(row.sleeps)) + " times", fmt::format("{:.3f}", row.cpu_s)},
         ""});
  }
  auto terminal = look_at_terminal(stdout);
  terminal.width = width;
  std::string text = to_text(table, terminal);
  if (std::ranges::any_of(threads, [](const ThreadState& thread) { return !thread.readable; })) {
    text += folded(
                "The kernel does not tell this user in which call a thread sleeps: run as root, or look at a process "
                "that is yours (kernel.yama.ptrace_scope 0, or a child of this program: --model).",
                static_cast<std::size_t>(width), 0, 0) +
            "\n";
  }
  return text;
}

}  // namespace iolab::lab
