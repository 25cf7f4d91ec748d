#include "experiments/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "experiments/units.h"

namespace iolab::lab {
namespace {

constexpr std::array kMetrics{
    Metric{"requests_per_s", "requests per second", "1/s", "requests/s"},
    Metric{"latency_p50_us", "latency, median", "us", "p50", false, 0.5},
    Metric{"latency_p90_us", "latency, 90th percentile", "us", "p90", false, 0.9},
    Metric{"latency_p99_us", "latency, 99th percentile", "us", "p99", false, 0.99},
    Metric{"latency_p99_9_us", "latency, 99.9th percentile", "us", "p99.9", false, 0.999},
    Metric{"latency_max_us", "latency, largest", "us", "max"},
    Metric{"server_cpu_us_per_request", "server CPU per request", "us", "CPU/req"},
    Metric{"server_user_us_per_request", "server CPU per request, user", "us", "user"},
    Metric{"server_system_us_per_request", "server CPU per request, system", "us", "system"},
    Metric{"client_cpu_us_per_request", "client CPU per request", "us", "client/req"},
    Metric{"syscalls_per_request", "system calls per request", "", "calls/req", true},
    Metric{"wake_ups_per_request", "wake-ups per request", "", "wakes/req", true},
    Metric{"would_block_per_request", "calls in vain (EAGAIN) per request", "", "EAGAIN/req", true},
    Metric{"voluntary_switches_per_request", "voluntary context switches per request", "", "vol.sw/req", true},
    Metric{"involuntary_switches_per_request", "involuntary context switches per request", "", "inv.sw/req", true},
    Metric{"threads", "threads of the server", "", "threads", true},
    Metric{"rss_mib", "resident memory of the server", "MiB", "RSS"},
    Metric{"pss_mib", "proportional memory of the server", "MiB", "PSS"},
    Metric{"client_cpu_share", "share of its CPU that the client used", "%", "client CPU"},
    Metric{"ceiling_share", "share of the load generator's ceiling", "%", "of ceiling"},
    Metric{"server_cpu_share", "share of its CPU that the server used", "%", "server CPU"},
    Metric{"steal_share", "time stolen by the host", "%", "steal"},
    Metric{"bytes_per_s", "payload per second", "MB/s", "MB/s"},
};

}  // namespace

std::span<const Metric> metrics() {
  return kMetrics;
}

const Metric* find_metric(std::string_view id) {
  const auto found = std::ranges::find(kMetrics, id, &Metric::id);
  return found == kMetrics.end() ? nullptr : &*found;
}

std::vector<std::string> metric_ids() {
  std::vector<std::string> ids;
  for (const auto& metric : kMetrics) ids.emplace_back(metric.id);
  return ids;
}

std::string metric_text(const Metric& metric, double value) {
  if (!std::isfinite(value)) return "-";
  if (metric.unit == "%") return percent_text(value);
  if (metric.id == "threads") return with_thousands(value);
  if (metric.id == "bytes_per_s") return three_digits(value / 1e6);
  // Two decimals for every count: 2.00 says "exactly two", and a column of counts lines up.
  if (metric.exact && std::abs(value) < 1000 && (value == 0 || std::abs(value) >= 0.005))
    return with_thousands(value, 2);
  return three_digits(value);
}

std::string metric_phrase(const Metric& metric, double value) {
  const auto text = metric_text(metric, value);
  if (metric.unit.empty() || metric.unit == "%") return text;
  if (metric.id == "requests_per_s") return text + " requests/s";
  return fmt::format("{} {}", text, metric.unit);
}

}  // namespace iolab::lab
