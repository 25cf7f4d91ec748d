#include "experiments/trace/trace_pass.h"

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
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "clients/dialogue.h"
#include "experiments/machine/environment.h"
#include "experiments/machine/interrupt.h"
#include "experiments/run/level_load.h"
#include "experiments/spec/json_document.h"
#include "experiments/statistics/statistics.h"
#include "experiments/words/units.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

constexpr auto kBetweenRequests = 3ms;  // so that the server has gone to sleep again
constexpr timeval kAnswerLimit{5, 0};

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void pause() {
  const timespec left{0, std::chrono::nanoseconds(kBetweenRequests).count()};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &left, nullptr);
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

// Why recv() gave nothing, and where to look.
std::string no_answer(ssize_t got) {
  constexpr const char* kWhere = "`iolab broker --model` with the same model, and one request, shows its log";
  if (got == 0) return fmt::format("the server closed the connection before it had answered a request; {}", kWhere);
  if (errno == EAGAIN || errno == EWOULDBLOCK) {
    return fmt::format("a request was not answered in {} s; {}", kAnswerLimit.tv_sec, kWhere);
  }
  return fmt::format("a request was not answered: {}; {}", std::strerror(errno), kWhere);
}

class Connection {
 public:
  Connection(const io::Address& address, std::size_t longest_answer)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), room_(longest_answer) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(address.port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit, sizeof kAnswerLimit);
    if (::connect(socket_.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) error_ = errno;
  }
  int error() const { return error_; }  // 0: it is open

  // One request, one answer; the error is a sentence.
  std::expected<TimedRequest, std::string> exchange(clients::Dialogue& dialogue, const clients::Framing& framing) {
    TimedRequest times;
    const auto request = dialogue.request(0);
    std::size_t bytes = 0;
    for (const auto& piece : request) bytes += piece.iov_len;
    times.sent_ns = now_ns();
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(request.data());
    message.msg_iovlen = request.size();
    const auto sent = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
    if (sent < 0) return std::unexpected(fmt::format("a request could not be sent: {}", std::strerror(errno)));
    if (sent != static_cast<ssize_t>(bytes)) {
      return std::unexpected(fmt::format("of a request of {} bytes only {} were sent", bytes, sent));
    }
    std::size_t have = 0;
    for (;;) {
      const auto got = ::recv(socket_.get(), room_.data() + have, room_.size() - have, 0);
      if (got <= 0) return std::unexpected(no_answer(got));
      have += static_cast<std::size_t>(got);
      const auto whole = framing.answer_bytes({room_.data(), have});
      if (whole < 0 || whole > static_cast<std::int64_t>(room_.size())) {
        return std::unexpected(fmt::format("an answer declares {} bytes, and {} are the most", whole, room_.size()));
      }
      if (whole == 0 || static_cast<std::size_t>(whole) > have) continue;
      times.answered_ns = now_ns();
      if (!dialogue.answered(0, {room_.data(), static_cast<std::size_t>(whole)}).error) return times;
      return std::unexpected(dialogue.note().empty() ? "the answer is an error" : dialogue.note());
    }
  }

 private:
  io::Fd socket_;
  int error_ = 0;
  std::vector<std::byte> room_;
};

std::expected<std::vector<TimedRequest>, std::string> send_requests(const clients::LoadSpec& spec, int how_many) {
  const auto script = clients::make_script(spec);
  if (!script) return std::unexpected(script.error());
  const auto dialogue = (*script)->dialogue(0);
  Connection connection(spec.target, std::max<std::size_t>((*script)->framing().longest_bytes, 64 << 10));
  if (connection.error() != 0) {
    return std::unexpected(fmt::format("the server at port {} cannot be reached: {}", spec.target.port,
                                       std::strerror(connection.error())));
  }
  std::vector<TimedRequest> times;
  for (int i = 0; i < how_many && !interrupted(); ++i) {
    const auto request = connection.exchange(*dialogue, (*script)->framing());
    if (!request) return std::unexpected(request.error());
    times.push_back(*request);
    pause();
  }
  return times;
}

// Datagrams of 64 B to an echo, the last of which ends it: before that one the threads of the echo can be looked at.
std::expected<std::vector<TimedRequest>, std::string> send_datagrams(std::uint16_t port, int how_many,
                                                                     const std::function<void()>& before_the_last) {
  const io::Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerLimit, sizeof kAnswerLimit);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) {
    return std::unexpected(fmt::format("the echo at 127.0.0.1:{} cannot be reached: {}; is the loopback interface up?",
                                       port, std::strerror(errno)));
  }
  std::vector<TimedRequest> times;
  std::array<std::byte, 64> message{};
  for (int i = 0; i < how_many && !interrupted(); ++i) {
    TimedRequest request{.sent_ns = now_ns(), .answered_ns = 0};
    if (::send(socket.get(), message.data(), message.size(), 0) < 0 ||
        ::recv(socket.get(), message.data(), message.size(), 0) < 0) {
      return std::unexpected(fmt::format("a datagram was not echoed: {}; `iolab udp-echo` alone shows whether it runs",
                                         std::strerror(errno)));
    }
    request.answered_ns = now_ns();
    times.push_back(request);
    pause();
  }
  before_the_last();
  ::send(socket.get(), "quit", 4, 0);
  return times;
}

double median_us(const std::vector<TimedRequest>& requests) {
  if (requests.empty()) return 0;
  const auto& middle = requests[exemplar(requests, 0.5)];
  return static_cast<double>(middle.answered_ns - middle.sent_ns) / 1000;
}

std::vector<ServerThread> named_threads_of(pid_t process) {
  std::vector<ServerThread> threads;
  for (const pid_t id : threads_of(process)) {
    threads.push_back({id, first_line(fmt::format("/proc/{}/task/{}/comm", process, id))});
  }
  return threads;
}

void empty(const std::string& directory) {
  std::error_code ignored;
  for (const auto& left : std::filesystem::directory_iterator(directory, ignored)) {
    std::filesystem::remove_all(left.path(), ignored);
  }
}

class Pass {
 public:
  Pass(const RunData& data, std::size_t level, const OwnBinary& binary, const std::string& scratch,
       const TraceSetup& setup)
      : data_(data), level_(data.spec.levels[level]), binary_(binary), scratch_(scratch), setup_(setup) {
    level_.workload.connections = 1;
    level_.workload.idle_connections = 0;
    level_.workload.stalled_connections = 0;
    level_.workload.cold_readers = 0;
    level_.workload.rate_per_s.reset();
  }

  TracedModel trace(const Series& series) {
    TracedModel traced{.series = series.id};
    for (int pair = 0; pair < setup_.pairs && !interrupted(); ++pair) {
      const auto pieces = pair_of_pieces(series);
      if (!pieces) return missing(series, pieces.error());
      traced.pairs.push_back(*pieces);
    }
    const std::string file = scratch_ + "/trace.jsonl";
    if (watch_) watch_->start();
    auto requests = requests_through(series, setup_.requests, file, &traced.threads);
    if (watch_) traced.kernel = watch_->stop();
    if (!requests) return missing(series, requests.error());
    const auto text = read_text_file(file);
    if (!text) return missing(series, text.error());
    traced.calls = parse_trace(*text);
    traced.lost = lost_calls(*text);
    traced.requests = within_trace(std::move(*requests), traced.calls, traced.lost);
    traced.client = ::gettid();
    empty(scratch_);
    return traced;
  }

  static TracedModel missing(const Series& series, const std::string& reason) {
    return {.series = series.id, .missing = reason};
  }

 private:
  // The traced piece is traced as the requests that are shown are, the kernel's own record included.
  std::expected<PairOfPieces, std::string> pair_of_pieces(const Series& series) {
    const auto plain = requests_through(series, setup_.requests_of_a_piece, "", nullptr);
    if (!plain) return std::unexpected(plain.error());
    if (watch_) watch_->start();
    const auto traced = requests_through(series, setup_.requests_of_a_piece, scratch_ + "/trace.jsonl", nullptr);
    if (watch_) watch_->stop();
    if (!traced) return std::unexpected(traced.error());
    return PairOfPieces{median_us(*plain), median_us(*traced)};
  }

  std::expected<std::vector<TimedRequest>, std::string> datagrams_through(const Series& series, int how_many,
                                                                          const std::string& trace_file,
                                                                          std::vector<ServerThread>* threads) const {
    std::vector<std::string> arguments{"iolab", "udp-echo", "--model", series.model};
    if (!trace_file.empty()) arguments.insert(arguments.end(), {"--trace", trace_file});
    const std::string errors = scratch_ + "/echo.stderr";
    auto echo = ChildProcess::start(
        {.binary = &binary_, .arguments = std::move(arguments), .cpu = data_.cpus.server, .stderr_file = errors});
    if (!echo) return std::unexpected(echo.error());
    echo->close_input();
    const auto line = echo->read_line(ChildProcess::Clock::now() + 10s);
    int port = 0;
    if (!line || std::sscanf(line->c_str(), "listening %d", &port) != 1) {
      return std::unexpected(with_last_words("the echo did not start", errors));
    }
    auto requests = send_datagrams(static_cast<std::uint16_t>(port), how_many, [&] {
      if (threads != nullptr) *threads = named_threads_of(echo->pid());
    });
    if (!echo->wait(ChildProcess::Clock::now() + 2s)) echo->stop(1s);
    return requests;
  }

  // A fresh server; what it wrote is whole when it has ended.
  std::expected<std::vector<TimedRequest>, std::string> requests_through(const Series& series, int how_many,
                                                                         const std::string& trace_file,
                                                                         std::vector<ServerThread>* threads) const {
    empty(scratch_);
    if (setup_.udp) return datagrams_through(series, how_many, trace_file, threads);
    const TrialSetup setup{.binary = &binary_, .cpus = data_.cpus, .scratch = scratch_, .trace_file = trace_file};
    auto server =
        start_server(setup, series.model, serving_threads(series, data_.spec), broker_properties(series, level_));
    if (!server) return std::unexpected(server.error());
    auto load = load_spec_for(level_, data_.spec.timing, data_.plan.seed);
    load.target = server->address;
    auto requests = send_requests(load, how_many);
    if (threads != nullptr) *threads = named_threads_of(server->process.pid());
    server->process.stop(10s);
    return requests;
  }

  const RunData& data_;
  Level level_;
  const OwnBinary& binary_;
  const std::string& scratch_;
  const TraceSetup& setup_;
  std::expected<KernelWatch, std::string> watch_ =
      setup_.watch_kernel ? KernelWatch::open() : std::unexpected(std::string());
};

}  // namespace

std::vector<TracedModel> trace_models(const RunData& data, std::size_t level, const OwnBinary& binary,
                                      const std::string& scratch, const TraceSetup& setup) {
  const PinnedHere pinned(data.cpus.load);
  Pass pass(data, level, binary, scratch, setup);
  std::vector<TracedModel> models;
  for (std::size_t number = 0; number < data.plan.series.size() && !interrupted(); ++number) {
    const auto& series = data.plan.series[number];
    if (series.role != Role::model) continue;
    const auto not_run = std::ranges::find_if(data.plan.not_run, [&](const NotRun& entry) {
      return entry.series == number && entry.level == level && !entry.filtered;
    });
    models.push_back(not_run == data.plan.not_run.end() ? pass.trace(series) : Pass::missing(series, not_run->reason));
  }
  return models;
}

namespace {

Lane lane_of(const TracedModel& model, double share) {
  const auto chosen = exemplar(model.requests, share);
  const bool is_known = model.kernel.whole() && chosen < model.requests.size();
  const auto seen = is_known ? arrival_seen(model.kernel.events, model.client, model.requests[chosen]) : std::nullopt;
  auto lane = make_lane(model.series, model.calls, model.requests, chosen, seen);
  if (is_known && !model.kernel.events.empty()) add_kernel_events(lane, model.kernel.events, model.threads);
  lane.lost_calls = model.lost.calls;
  lane.lost_records = model.kernel.lost;
  return lane;
}

Lane no_lane(const TracedModel& model) {
  Lane lane;
  lane.series = model.series;
  lane.missing = model.missing;
  return lane;
}

}  // namespace

std::vector<Lane> lanes_of(const std::vector<TracedModel>& models, double share) {
  std::vector<Lane> lanes;
  for (const auto& model : models) lanes.push_back(model.missing.empty() ? lane_of(model, share) : no_lane(model));
  return lanes;
}

std::string overhead_of(const std::vector<TracedModel>& models) {
  std::vector<double> ratios;   // of each model
  std::vector<double> spreads;  // of its untraced pieces: the slowest to the fastest
  for (const auto& model : models) {
    if (model.pairs.empty()) continue;
    std::vector<double> of_pairs;
    for (const auto& pair : model.pairs) {
      if (pair.untraced_us <= 0 || pair.traced_us <= 0) return {};
      of_pairs.push_back(pair.traced_us / pair.untraced_us);
    }
    const auto [fastest, slowest] = std::ranges::minmax(model.pairs, {}, &PairOfPieces::untraced_us);
    ratios.push_back(median(of_pairs));
    spreads.push_back(slowest.untraced_us / fastest.untraced_us);
  }
  if (ratios.empty()) return {};
  const double middle = median(ratios);
  const double spread = median(spreads);
  if (std::max(middle, 1 / middle) <= spread) {
    return recorded("timeline.overhead_unclear", {{"spread", three_digits(spread)}});
  }
  const Slot typical("median", three_digits(middle));
  if (ratios.size() == 1) return recorded("timeline.overhead_one", {typical});
  const auto [low, high] = std::ranges::minmax(ratios);
  return recorded("timeline.overhead",
                  {typical, {"models", ratios.size()}, {"low", three_digits(low)}, {"high", three_digits(high)}});
}

std::string traced_work(const Level& level, const TraceSetup& setup) {
  if (setup.udp) return recorded("timeline.work_udp");
  const Slot size("size", size_text(level.workload.record_bytes));
  return recorded(level.workload.kind == "fetch" ? "timeline.work_fetch" : "timeline.work_produce", {size});
}

}  // namespace iolab::lab
