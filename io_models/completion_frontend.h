// One completion loop and one thread for each listening socket; the kernel deals the connections out (SO_REUSEPORT).
#pragma once

#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "io_models/completion_loop.h"
#include "io_models/frontends.h"

namespace iolab::io {

template <CompletionPort Port>
class CompletionFrontend final : public Frontend {
 public:
  explicit CompletionFrontend(FrontendSettings settings) : settings_(std::move(settings)) {}

  void serve(std::span<const int> listeners, Host& host, std::stop_token stop) override {
    Admission admission = admission_for();
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
  Admission admission_for() const {
    if constexpr (requires { Port::admission(settings_); }) {
      return Port::admission(settings_);
    } else {
      return Admission(settings_.limits);
    }
  }

  void run_loop(std::size_t number, int listener, Host& host, Admission& admission, const std::stop_token& stop) {
    const CountedThread counted("serve " + std::to_string(number));
    CompletionLoop<Port> loop(settings_, number, listener, host, admission);
    loop.run(stop);
  }

  const FrontendSettings settings_;
};

}  // namespace iolab::io
