#include "experiments/spec/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

constexpr std::array kMetrics{
    Metric{"requests_per_s", "1/s"},
    Metric{"records_per_s", "1/s"},
    Metric{"latency_p50_us", "us", false, 0.5},
    Metric{"latency_p90_us", "us", false, 0.9},
    Metric{"latency_p99_us", "us", false, 0.99},
    Metric{"latency_p99_9_us", "us", false, 0.999},
    Metric{"latency_max_us", "us"},
    Metric{"server_cpu_us_per_request", "us"},
    Metric{"server_cpu_us_per_record", "us"},
    Metric{"server_user_us_per_request", "us"},
    Metric{"server_system_us_per_request", "us"},
    Metric{"client_cpu_us_per_request", "us"},
    Metric{"syscalls_per_request", "", true},
    Metric{"wake_ups_per_request", "", true},
    Metric{"would_block_per_request", "", true},
    Metric{"copied_bytes_per_request", "B", true},
    Metric{"voluntary_switches_per_request", "", true},
    Metric{"involuntary_switches_per_request", "", true},
    Metric{"threads", "", true},
    Metric{"rss_mib", "MiB"},
    Metric{"pss_mib", "MiB"},
    Metric{"client_cpu_share", "%"},
    Metric{"ceiling_share", "%"},
    Metric{"server_cpu_share", "%"},
    Metric{"steal_share", "%"},
    Metric{"bytes_per_s", "MB/s"},
};

// What probes (io_models/probes) and cold readers tell.
constexpr std::array kProbeMetrics{
    Metric{"cold_reads_per_s", "1/s"},
    Metric{"cold_read_p50_us", "us"},
    Metric{"sent_gib_per_s", "GiB/s"},
    Metric{"sender_cpu_us_per_mib", "us"},
    Metric{"memcpy_share", "%"},
    Metric{"phase1_us", "us"},
    Metric{"asleep_share", "%"},
    Metric{"asleep_in_receive_share", "%"},
    Metric{"returned_before_data_share", "%"},
    Metric{"after_arrival_us", "us"},
    Metric{"notice_us", "us"},
    Metric{"copy_call_us", "us"},
    Metric{"wait_cpu_us", "us"},
    Metric{"copy_cpu_us", "us"},
    Metric{"receive_cpu_us", "us"},
    Metric{"work_done_share", "%"},
    Metric{"handled_after_us", "us"},
    Metric{"thread_cpu_share", "%"},
    Metric{"messages", "", true},
    Metric{"first_bytes", "", true},
    Metric{"second_bytes", "", true},
    Metric{"first_after_ms", "ms"},
    Metric{"whole_after_ms", "ms"},
    Metric{"calls", "", true},
    Metric{"threads_waiting", "", true},
    Metric{"orders_served_share", "%"},
    Metric{"in_order_share", "%"},
    Metric{"served_behind_silence_share", "%"},
    Metric{"write_passed_read_share", "%"},
    Metric{"bytes_when_signalled", "", true},
    Metric{"bytes_when_sigio_signalled", "", true},
    Metric{"signals", "", true},
    Metric{"overflow_signals", "", true},
    Metric{"sockets_never_heard_of", "", true},
    Metric{"heard_after_us", "us"},
    Metric{"heard_after_longest_us", "us"},
    Metric{"asking_everybody_us", "us"},
    Metric{"signals_per_message", "", true},
    Metric{"signals_in_vain_share", "%"},
    Metric{"whole_messages_share", "%"},
    Metric{"bytes_left_share", "%"},
    Metric{"events_per_message", "", true},
    Metric{"reads_per_message", "", true},
    Metric{"stuck_ms", "ms"},
    Metric{"events_per_arrival", "", true},
    Metric{"events_without_arrival", "", true},
    Metric{"wait_us", "us"},
    Metric{"highest_descriptor", "", true},
    Metric{"questions", "", true},
    Metric{"answered_share", "%"},
    Metric{"answered_after_us", "us"},
    Metric{"longest_silence_ms", "ms"},
    Metric{"kinds_served", "", true},
    Metric{"waits_per_question", "", true},
    Metric{"asleep_in_poll_share", "%"},
    Metric{"asleep_in_epoll_share", "%"},
    Metric{"nonblocking_sockets", "", true},
    Metric{"wait_cpu_share", "%"},
    Metric{"accept_cpu_us", "us"},
    Metric{"calls_per_connection", "", true},
    Metric{"accepted_share", "%"},
    Metric{"rounds", ""},
};

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

std::span<const Metric> probe_metrics() {
  return kProbeMetrics;
}

const Metric* find_metric(std::string_view id) {
  for (const auto& list : {metrics(), probe_metrics()}) {
    const auto found = std::ranges::find(list, id, &Metric::id);
    if (found != list.end()) return &*found;
  }
  return nullptr;
}

std::vector<std::string> metric_ids() {
  std::vector<std::string> ids;
  for (const auto& list : {metrics(), probe_metrics()}) {
    for (const auto& metric : list) ids.emplace_back(metric.id);
  }
  return ids;
}

std::optional<Better> better_when(std::string_view metric) {
  const Metric* found = find_metric(metric);
  if (found == nullptr || found->unit == "%") return std::nullopt;
  const bool more_is_better = metric == "requests_per_s" || metric == "records_per_s" || metric == "bytes_per_s" ||
                              metric == "messages" || metric == "sent_gib_per_s" || metric == "kinds_served";
  return more_is_better ? Better::higher : Better::lower;
}

bool told_by_load(std::string_view metric) {
  constexpr std::array<std::string_view, 5> kBeginnings{"requests_", "records_", "bytes_per_s", "latency_", "client_"};
  return std::ranges::any_of(kBeginnings, [&](std::string_view one) { return metric.starts_with(one); });
}

bool duets_measure(std::string_view metric) {
  return metric == "server_cpu_us_per_request" || metric == "requests_per_s";
}

std::string metric_label(const Words& words, const Metric& metric) {
  return words.say(fmt::format("metric.{}", metric.id));
}

std::string metric_short_label(const Words& words, const Metric& metric) {
  return words.say(fmt::format("metric_short.{}", metric.id));
}

std::string metric_text(const Metric& metric, double value) {
  if (!std::isfinite(value)) return "-";
  if (metric.unit == "%") return percent_text(value);
  if (metric.id == "threads" || metric.id == "copied_bytes_per_request") return with_thousands(value);
  if (metric.id == "bytes_per_s") return three_digits(value / 1e6);
  // Two decimals for every count: 2.00 says "exactly two", and a column of counts lines up.
  if (metric.exact && std::abs(value) < 1000 && (value == 0 || std::abs(value) >= 0.005))
    return with_thousands(value, 2);
  return three_digits(value);
}

std::string metric_phrase(const Words& words, const Metric& metric, double value) {
  const auto text = metric_text(metric, value);
  if (metric.unit.empty() || metric.unit == "%") return text;
  if (metric.id == "requests_per_s") return words.say("unit.requests_per_s", {{"value", text}});
  return words.say("unit.other", {{"value", text}, {"unit", metric.unit}});
}

}  // namespace iolab::lab
