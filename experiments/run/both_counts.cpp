#include "experiments/run/both_counts.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/words/units.h"

namespace iolab::lab {

std::string unlike_counts(const clients::LoadSpec& spec, std::uint64_t by_clients, std::uint64_t by_server) {
  constexpr std::uint64_t kLateShare = 33;  // one in
  const auto [fewer, more] = std::minmax(by_clients, by_server);
  const auto under_way = static_cast<std::uint64_t>(spec.connections) * static_cast<std::uint64_t>(spec.in_flight);
  if (more - fewer <= under_way + more / kLateShare) return {};
  return fmt::format(
      "the server counted {} requests in the window and its clients {}, which is more than the {} that may be under "
      "way: "
      "figures per request do not belong to what the clients saw",
      with_thousands(by_server), with_thousands(by_clients), with_thousands(under_way));
}

}  // namespace iolab::lab
