// One readiness loop and one thread for each listening socket; the kernel deals the connections out (SO_REUSEPORT).
#pragma once

#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "io_models/frontends.h"
#include "io_models/readiness_loop.h"

namespace iolab::io {

template <Poller P>
class ReadinessFrontend final : public Frontend {
 public:
  explicit ReadinessFrontend(FrontendSettings settings) : settings_(std::move(settings)) {}

  void serve(std::span<const int> listeners, Host& host, std::stop_token stop) override {
    Admission admission(settings_.limits);
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < listeners.size(); ++i) {
      try {
        others.emplace_back([&, i] { run_loop(i, listeners[i], host, admission, stop); });
      } catch (const std::system_error& error) {
        give_up(std::string("cannot start a serving thread: ") + error.what() + "; ask for fewer --threads");
      }
    }
    run_loop(0, listeners[0], host, admission, stop);
  }

 private:
  void run_loop(std::size_t number, int listener, Host& host, Admission& admission, const std::stop_token& stop) {
    const CountedThread counted("serve " + std::to_string(number));
    ReadinessLoop<P> loop(settings_, listener, host, admission);
    loop.run(stop);
  }

  const FrontendSettings settings_;
};

}  // namespace iolab::io
