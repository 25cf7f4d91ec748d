// The cheapest thing that can stand behind a front-end: every byte goes back. What is left of its cost is the model's.
//
//   echo_server MODEL [THREADS]     prints "listening PORT"; SIGTERM or SIGINT ends it
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "io_models/registry.h"
#include "io_models/signals.h"
#include "io_models/socket.h"

namespace {

namespace io = iolab::io;

class EchoSession final : public io::Session {
 public:
  io::Want want() const override { return want_; }
  std::span<std::byte> input() override { return bytes_; }
  void received(std::size_t bytes) override {
    left_ = {bytes_.data(), bytes};
    want_ = bytes > 0 ? io::Want::send : io::Want::close;
  }
  std::span<const iovec> output() override { return {&left_, 1}; }
  void sent(std::size_t bytes) override {
    left_ = {static_cast<std::byte*>(left_.iov_base) + bytes, left_.iov_len - bytes};
    if (left_.iov_len == 0) want_ = io::Want::receive;
  }
  void woken() override {}

 private:
  iovec left_{};
  io::Want want_ = io::Want::receive;
  std::array<std::byte, 16 * 1024> bytes_;  // last: what is used by every request lies together
};

class EchoHost final : public io::Host {
 public:
  std::unique_ptr<io::Session> open(io::Waker) override { return std::make_unique<EchoSession>(); }
};

int fail(const std::string& sentence, int code) {
  std::fprintf(stderr, "echo_server: %s\n", sentence.c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail("which model? echo_server MODEL [THREADS]", 2);
  io::block_model_signals();
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const auto choice = io::choose_model(argv[1]);
  if (!choice) return fail(choice.error(), 2);
  if (const std::string reason = choice->entry->unavailable(); !reason.empty()) return fail(reason, 4);
  io::FrontendSettings settings{argc > 2 ? std::atoi(argv[2]) : 0, {}, choice->options};
  auto frontend = choice->entry->make(settings);
  if (!frontend) return fail(frontend.error(), 2);
  const int threads = settings.threads > 0 ? settings.threads : choice->entry->default_threads;
  const bool shared = choice->entry->listeners == io::Listeners::one_shared;
  const auto listening = io::listen_on({}, shared ? 1 : threads, settings.limits.backlog);
  if (!listening) return fail(listening.error(), 4);
  std::printf("listening %d\n", listening->address.port);
  std::fflush(stdout);

  std::stop_source stop;
  std::thread waiting([&] {
    int signal = 0;
    sigwait(&ends, &signal);
    stop.request_stop();
  });
  std::vector<int> sockets;
  for (const io::Fd& socket : listening->sockets) sockets.push_back(socket.get());
  EchoHost host;
  (*frontend)->serve(sockets, host, stop.get_token());
  waiting.join();
}
