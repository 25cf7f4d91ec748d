#include "clients/load_tally.h"

#include <sys/resource.h>

namespace iolab::clients {

ThreadCpu ThreadCpu::now() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return {seconds(usage.ru_utime), seconds(usage.ru_stime)};
}

void LoadTally::count_answer(const Window& window, const Answer& answer, Nanoseconds due, Nanoseconds now) {
  acknowledged_records += answer.records;
  const bool arrived_inside = window.contains(now);
  if (arrived_inside) {
    ++requests;
    records += answer.records;
    payload_bytes += answer.payload_bytes;
    if (now < window.middle.load(std::memory_order_relaxed)) ++first_half;
  }
  if (window.contains(due)) {
    latency_ns.record(static_cast<std::uint64_t>(std::max<Nanoseconds>(now - due, 0) + waited_for_more));
    if (!arrived_inside) ++late;
  } else if (arrived_inside) {
    ++early;
  }
}

void LoadTally::count_error(LoadError error, std::string_view what, std::uint64_t times) {
  errors[static_cast<std::size_t>(error)] += times;
  if (note.empty() && times != 0) note = what;
}

void LoadTally::merge(const LoadTally& other) {
  requests += other.requests;
  records += other.records;
  payload_bytes += other.payload_bytes;
  first_half += other.first_half;
  early += other.early;
  late += other.late;
  unsent += other.unsent;
  held_back += other.held_back;
  acknowledged_records += other.acknowledged_records;
  lost_requests += other.lost_requests;
  latency_ns.merge(other.latency_ns);
  send_delay_ns.merge(other.send_delay_ns);
  for (std::size_t i = 0; i < kLoadErrors; ++i) errors[i] += other.errors[i];
  if (note.empty()) note = other.note;
  cpu.user_s += other.cpu.user_s;
  cpu.system_s += other.cpu.system_s;
}

}  // namespace iolab::clients
