#include "experiments/first_look.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "clients/dialogue.h"
#include "experiments/interrupt.h"
#include "experiments/json_document.h"
#include "experiments/trial.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSpec = R"({
  "version": 1,
  "name": "first-look",
  "question": "What happens to one request in each model, and what does it cost?",
  "background": "One request at a time, every call traced; then 16 busy connections, untraced: a glance.",
  "baseline": "epoll",
  "watch": ["server_cpu_us_per_request", "requests_per_s", "latency_p99_us"],
  "workload": { "kind": "produce", "connections": 16, "record_size": "100B" },
  "limits": { "total": "3m" },
  "quick": { "timing": { "warmup": "150ms", "measure": "500ms", "repeat": 1 } }
}
)";

constexpr int kRequests = 24;
constexpr auto kBetweenRequests = 3ms;  // so that the server has gone to sleep again
constexpr timeval kAnswerLimit{5, 0};

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// The lab itself is the client here: for the time of the traced requests it stays on the load's CPU.
class PinnedHere {
 public:
  explicit PinnedHere(int cpu) {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    sched_setaffinity(0, sizeof only, &only);
  }
  ~PinnedHere() { sched_setaffinity(0, sizeof before_, &before_); }
  PinnedHere(const PinnedHere&) = delete;
  PinnedHere& operator=(const PinnedHere&) = delete;

 private:
  cpu_set_t before_{};
};

class Connection {
 public:
  explicit Connection(const io::Address& address) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(address.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit, sizeof kAnswerLimit);
    open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  bool open() const { return open_; }

  // One request, one answer.
  bool exchange(clients::Dialogue& dialogue, const clients::Framing& framing, TimedRequest& times) {
    const auto request = dialogue.request(0);
    std::size_t bytes = 0;
    for (const auto& piece : request) bytes += piece.iov_len;
    times.sent_ns = now_ns();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(request.data());
    message.msg_iovlen = request.size();
    if (::sendmsg(socket_, &message, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes)) return false;
    std::size_t have = 0;
    for (;;) {
      const auto got = ::recv(socket_, room_.data() + have, room_.size() - have, 0);
      if (got <= 0) return false;
      have += static_cast<std::size_t>(got);
      const auto whole = framing.answer_bytes({room_.data(), have});
      if (whole < 0 || whole > static_cast<std::int64_t>(room_.size())) return false;
      if (whole == 0 || static_cast<std::size_t>(whole) > have) continue;
      times.answered_ns = now_ns();
      return !dialogue.answered(0, {room_.data(), static_cast<std::size_t>(whole)}).error;
    }
  }

 private:
  int socket_;
  bool open_ = false;
  std::array<std::byte, 64 * 1024> room_;
};

std::expected<std::vector<TimedRequest>, std::string> send_requests(const clients::LoadSpec& spec) {
  const auto script = clients::make_script(spec);
  if (!script) return std::unexpected(script.error());
  const auto dialogue = (*script)->dialogue(0);
  Connection connection(spec.target);
  if (!connection.open()) return std::unexpected("the server does not accept a connection");
  std::vector<TimedRequest> times;
  for (int i = 0; i < kRequests && !interrupted(); ++i) {
    TimedRequest request;
    if (!connection.exchange(*dialogue, (*script)->framing(), request)) {
      return std::unexpected(dialogue->note().empty() ? "a request was not answered" : dialogue->note());
    }
    times.push_back(request);
    const timespec pause{0, std::chrono::nanoseconds(kBetweenRequests).count()};
    ::nanosleep(&pause, nullptr);
  }
  return times;
}

Lane missing_lane(const std::string& series, const std::string& reason) {
  Lane lane;
  lane.series = series;
  lane.missing = reason;
  return lane;
}

Lane trace_model(const RunData& data, const OwnBinary& binary, const std::string& scratch, const std::string& model) {
  const TrialSetup setup{
      .binary = &binary, .cpus = data.cpus, .scratch = scratch, .trace_file = scratch + "/trace.jsonl"};
  auto server = start_server(setup, model, data.spec.threads, data.spec.levels.front().broker);
  if (!server) return missing_lane(model, server.error());
  Level one = data.spec.levels.front();
  one.workload.connections = 1;
  auto load = load_spec_for(one, data.spec.timing, data.plan.seed);
  load.target = server->address;
  const auto requests = send_requests(load);
  server->process.stop(10s);
  if (!requests) return missing_lane(model, requests.error());
  const auto trace = read_text_file(setup.trace_file);
  return trace ? make_lane(model, parse_trace(*trace), *requests) : missing_lane(model, trace.error());
}

}  // namespace

std::string_view first_look_spec() {
  return kSpec;
}

std::vector<Lane> trace_every_model(const RunData& data, const OwnBinary& binary, const std::string& scratch) {
  const PinnedHere pinned(data.cpus.load);
  std::vector<Lane> lanes;
  for (std::size_t series = 0; series < data.plan.series.size() && !interrupted(); ++series) {
    const auto& entry = data.plan.series[series];
    if (entry.role != Role::model) continue;
    const auto missing = std::ranges::find(data.plan.not_run, series, &NotRun::series);
    if (missing != data.plan.not_run.end()) {
      lanes.push_back(missing_lane(entry.id, missing->reason));
      continue;
    }
    lanes.push_back(trace_model(data, binary, scratch, entry.model));
    std::error_code ignored;
    for (const auto& left : std::filesystem::directory_iterator(scratch, ignored)) {
      std::filesystem::remove_all(left.path(), ignored);
    }
  }
  return lanes;
}

}  // namespace iolab::lab
