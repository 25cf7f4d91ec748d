#include "experiments/trace/in_hand.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace iolab::lab {
namespace {

bool has_received(const TracedCall& call) {
  constexpr std::array<std::string_view, 3> kReceives{"recv", "recvmsg", "aio_return"};
  const bool has_bytes = call.result > 0 || call.arrived_ns != 0;
  return has_bytes && std::ranges::find(kReceives, call.call) != kReceives.end();
}

bool answers(const TracedCall& call) {
  constexpr std::array<std::string_view, 3> kSends{"send", "sendmsg", "aio_write"};
  return std::ranges::find(kSends, call.call) != kSends.end();
}

}  // namespace

std::optional<InHand> in_hand(const std::vector<TracedCall>& calls, const TimedRequest& request) {
  const TracedCall* first = nullptr;
  for (const auto& call : calls) {
    const bool of_this = call.returned_ns > request.sent_ns && call.returned_ns <= request.answered_ns;
    if (!of_this || !has_received(call)) continue;
    if (first == nullptr || call.returned_ns < first->returned_ns) first = &call;
  }
  if (first == nullptr) return std::nullopt;
  const auto answer = std::ranges::find_if(calls, [&](const TracedCall& call) {
    const bool in_time = call.entered_ns >= first->returned_ns && call.entered_ns <= request.answered_ns;
    return in_time && answers(call) && call.descriptor == first->descriptor;
  });
  if (answer == calls.end()) return std::nullopt;
  // A long request comes in many pieces. What aio_return() says of the answer itself comes later.
  const TracedCall* last = first;
  for (const auto& call : calls) {
    const bool of_this = call.returned_ns > request.sent_ns && call.returned_ns <= answer->entered_ns;
    if (of_this && has_received(call) && call.descriptor == first->descriptor && call.returned_ns > last->returned_ns) {
      last = &call;
    }
  }
  return InHand{first->descriptor, last->thread, last->returned_ns, answer->entered_ns};
}

}  // namespace iolab::lab
