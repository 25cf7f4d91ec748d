#include "experiments/machine/tracepoints.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>

namespace iolab::lab {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kFormatLost = 1U << 4;  // PERF_FORMAT_LOST; headers before Linux 6.0 do not have it

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> piece;
  for (ssize_t bytes = 0; (bytes = read(fd, piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(bytes));
  }
  return text;
}

// In a child, because of the mount: every format file, each behind a line with its name.
std::string read_formats(const std::vector<std::string>& names) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) {
    if (access("/sys/kernel/tracing/events", F_OK) != 0 && unshare(CLONE_NEWNS) == 0) {
      mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
      mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr);
    }
    for (const auto& name : names) {
      for (const char* root : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::ifstream file(std::string(root) + "/events/" + name + "/format");
        if (!file) continue;
        write_all(ends[1], "tracepoint " + name + "\n" + std::string(std::istreambuf_iterator<char>(file), {}));
        break;
      }
    }
    _exit(0);
  }
  close(ends[1]);
  auto text = child > 0 ? read_all(ends[0]) : std::string();
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return text;
}

// "	field:pid_t next_pid;	offset:56;	size:4;	signed:1;"
void read_field(const std::string& line, Tracepoint& tracepoint) {
  const auto number_after = [&](std::string_view word) {
    const auto at = line.find(word);
    return at == std::string::npos ? 0UL : std::stoul(line.substr(at + word.size()));
  };
  const auto end = line.find(';');
  auto name = line.substr(0, end);
  if (const auto bracket = name.find('['); bracket != std::string::npos) name.resize(bracket);
  name = name.substr(name.find_last_of(" *") + 1);
  tracepoint.fields[name] = {number_after("offset:"), number_after("size:")};
}

}  // namespace

std::int64_t Tracepoint::number(std::span<const std::byte> record, std::string_view field) const {
  const auto found = fields.find(field);
  if (found == fields.end() || found->second.offset + found->second.bytes > record.size()) return 0;
  std::int64_t value = 0;
  std::memcpy(&value, record.data() + found->second.offset, std::min(sizeof value, found->second.bytes));
  if (found->second.bytes == sizeof(std::int32_t)) return static_cast<std::int32_t>(value);
  return value;
}

std::vector<Tracepoint> find_tracepoints(const std::vector<std::string>& names) {
  std::vector<Tracepoint> tracepoints;
  for (const auto& name : names) tracepoints.push_back({.name = name, .id = 0, .fields = {}});
  std::istringstream lines(read_formats(names));
  Tracepoint* current = nullptr;
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kName = "tracepoint ";
    if (line.starts_with(kName)) {
      const auto found = std::ranges::find(tracepoints, line.substr(kName.size()), &Tracepoint::name);
      current = found == tracepoints.end() ? nullptr : &*found;
    } else if (current != nullptr && line.starts_with("ID: ")) {
      current->id = std::stoull(line.substr(4));
    } else if (current != nullptr && line.find("field:") != std::string::npos) {
      read_field(line, *current);
    }
  }
  return tracepoints;
}

int open_tracepoint(std::uint64_t id, pid_t thread, int cpu) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_TRACEPOINT;
  attributes.config = id;
  attributes.sample_period = 1;
  attributes.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  attributes.use_clockid = 1;
  attributes.clockid = CLOCK_MONOTONIC;
  attributes.inherit = thread > 0 ? 1 : 0;
  const auto open = [&] {
    return static_cast<int>(syscall(SYS_perf_event_open, &attributes, thread, cpu, -1, PERF_FLAG_FD_CLOEXEC));
  };
  attributes.read_format = kFormatLost;
  const int event = open();
  if (event >= 0 || errno != EINVAL) return event;
  attributes.read_format = 0;
  return open();
}

std::optional<std::uint64_t> lost_records(int event) {
  std::array<std::uint64_t, 2> counts{};  // happened, lost
  const auto bytes = read(event, counts.data(), sizeof counts);
  if (bytes != static_cast<ssize_t>(sizeof counts)) return std::nullopt;
  return counts[1];
}

std::optional<EventRing> EventRing::map(int event, std::size_t pages) {
  void* memory = mmap(nullptr, (pages + 1) * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
  if (memory == MAP_FAILED) return std::nullopt;
  return EventRing(memory, pages * kPage);
}

EventRing::~EventRing() {
  if (memory_ != nullptr) munmap(memory_, bytes_ + kPage);
}

void EventRing::drain(const Handle& handle, std::uint64_t& lost) {
  auto* page = static_cast<perf_event_mmap_page*>(memory_);
  const std::uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
  std::uint64_t tail = page->data_tail;
  std::vector<std::byte> bytes;
  while (tail < head) {
    perf_event_header header{};
    copy(tail, &header, sizeof header);
    bytes.resize(header.size - sizeof header);
    copy(tail + sizeof header, bytes.data(), bytes.size());
    if (header.type == PERF_RECORD_SAMPLE) {
      struct {
        std::uint32_t process, thread;
        std::uint64_t at_ns;
        std::uint32_t raw_bytes;
      } __attribute__((packed)) sample{};
      std::memcpy(&sample, bytes.data(), sizeof sample);
      const auto record = std::span<const std::byte>(bytes).subspan(sizeof sample);
      EventHead event{static_cast<pid_t>(sample.thread), static_cast<std::int64_t>(sample.at_ns), 0};
      std::memcpy(&event.tracepoint, record.data(), sizeof event.tracepoint);
      handle(event, record);
    } else if (header.type == PERF_RECORD_LOST) {
      std::array<std::uint64_t, 2> record{};  // id, lost
      std::memcpy(record.data(), bytes.data(), std::min(sizeof record, bytes.size()));
      lost += record[1];
    }
    tail += header.size;
  }
  __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

// A record may wrap around the end of the ring.
void EventRing::copy(std::uint64_t from, void* to, std::size_t bytes) const {
  const auto* data = static_cast<const char*>(memory_) + kPage;
  const std::size_t at = from % bytes_;
  const std::size_t first = std::min(bytes, bytes_ - at);
  std::memcpy(to, data + at, first);
  std::memcpy(static_cast<char*>(to) + first, data, bytes - first);
}

}  // namespace iolab::lab
