// One pair of echo servers under duet slices (clients/duet.h): one replicate of "what does B cost against A".
//
//   duet PORT_A PID_A PORT_B PID_B CONNECTIONS MESSAGE_BYTES SLICE_MS PAIRS [pause]
//
// Prints one JSON object. `pause` stops each server during the other's slices, for servers that spin when idle.
#include "clients/duet.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "experiments/run/duet_json.h"

namespace {

iolab::clients::DuetSide side(const char* port, const char* pid, bool pause) {
  iolab::clients::DuetSide result;
  result.target.port = static_cast<std::uint16_t>(std::atoi(port));
  result.pid = std::atoi(pid);
  result.pause = pause;
  return result;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 9) {
    std::fprintf(stderr, "duet PORT_A PID_A PORT_B PID_B CONNECTIONS MESSAGE_BYTES SLICE_MS PAIRS [pause]\n");
    return 2;
  }
  const bool pause = argc > 9 && std::string_view(argv[9]) == "pause";
  iolab::clients::DuetSpec spec;
  spec.baseline = side(argv[1], argv[2], pause);
  spec.others = {side(argv[3], argv[4], pause)};
  spec.load.kind = iolab::clients::LoadKind::echo;
  spec.load.connections = std::atoi(argv[5]);
  spec.load.message_bytes = static_cast<std::size_t>(std::atol(argv[6]));
  spec.slice = std::chrono::microseconds(static_cast<std::int64_t>(std::atof(argv[7]) * 1000));
  spec.pairs = std::atoi(argv[8]);
  const auto result = iolab::clients::run_duet(spec);
  if (!result) {
    std::fprintf(stderr, "duet: %s\n", result.error().c_str());
    return 1;
  }
  if (result->errors > 0) {
    std::fprintf(stderr, "duet: %llu errors, the first: %s\n", static_cast<unsigned long long>(result->errors),
                 result->note.c_str());
    return 1;
  }
  const auto ratios = iolab::lab::ratios_of(result->comparisons.front());
  std::printf("{\"cpu_ratio\": %.6f, \"rate_ratio\": %.6f, \"answered_a\": %llu, \"answered_b\": %llu}\n", ratios.cpu,
              ratios.rate, static_cast<unsigned long long>(result->answered_baseline),
              static_cast<unsigned long long>(ratios.answered));
  return 0;
}
