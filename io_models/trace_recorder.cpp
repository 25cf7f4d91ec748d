#include "io_models/trace_recorder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace iolab::io {
namespace {

std::uint64_t next_run() {
  static std::atomic<std::uint64_t> runs = 0;
  return ++runs;
}

// "/where/it/was/built/io_models/socket.cpp" -> "io_models/socket.cpp"
std::string_view source_file(std::string_view path) {
  const std::size_t folder = path.find("io_models/");
  return folder == std::string_view::npos ? path : path.substr(folder);
}

}  // namespace

std::expected<std::unique_ptr<TraceRecorder>, std::string> TraceRecorder::start(const std::string& path,
                                                                                std::size_t calls_at_most) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return std::unexpected("cannot create the trace file " + path + ": " + std::strerror(errno) +
                           "; choose a path that can be written");
  }
  std::unique_ptr<TraceRecorder> recorder(new TraceRecorder(file, calls_at_most));
  sys::attach_trace(recorder.get());
  return recorder;
}

TraceRecorder::TraceRecorder(std::FILE* file, std::size_t calls_at_most)
    : file_(file), run_(next_run()), sheets_((calls_at_most + Sheet{}.calls.size() - 1) / Sheet{}.calls.size()) {}

TraceRecorder::~TraceRecorder() {
  sys::attach_trace(nullptr);
  std::vector<std::pair<const Sheet*, const sys::TraceRecord*>> calls;
  for (const Sheet& sheet : sheets_) {
    for (std::size_t i = 0; i < sheet.used; ++i) calls.emplace_back(&sheet, &sheet.calls[i]);
  }
  std::ranges::sort(calls, {}, [](const auto& call) { return std::pair(call.second->entered_ns, call.second); });
  for (const auto& [sheet, call] : calls) write_line(*sheet, *call);
  if (const std::size_t lost = lost_.load(); lost > 0) {
    std::fprintf(file_, "{\"lost_calls\":%zu,\"first_lost_ns\":%lld}\n", lost,
                 static_cast<long long>(first_lost_ns_.load()));
  }
  if (std::fclose(file_) != 0) std::fprintf(stderr, "iolab: the trace is incomplete: %s\n", std::strerror(errno));
}

TraceRecorder::Sheet* TraceRecorder::next_sheet() {
  const std::size_t number = sheets_taken_.fetch_add(1, std::memory_order_relaxed);
  if (number >= sheets_.size()) return nullptr;
  return &sheets_[number];
}

void TraceRecorder::lose(const sys::TraceRecord& record) {
  lost_.fetch_add(1, std::memory_order_relaxed);
  std::int64_t first = first_lost_ns_.load(std::memory_order_relaxed);
  while (record.entered_ns < first &&
         !first_lost_ns_.compare_exchange_weak(first, record.entered_ns, std::memory_order_relaxed)) {
    continue;
  }
}

void TraceRecorder::record(const sys::TraceRecord& record) {
  struct Mine {
    std::uint64_t run = 0;
    Sheet* sheet = nullptr;
  };
  thread_local Mine mine;
  if (mine.run != run_) {
    mine = {run_, next_sheet()};
  } else if (mine.sheet != nullptr && mine.sheet->used == mine.sheet->calls.size()) {
    mine.sheet = next_sheet();
  }
  if (mine.sheet == nullptr) return lose(record);
  // The main thread makes its first calls before it is given the name of a serving thread.
  if (const auto& its_name = detail::mine().thread_name; its_name[0] != '\0') mine.sheet->thread_name = its_name;
  mine.sheet->calls[mine.sheet->used++] = record;
}

void TraceRecorder::write_line(const Sheet& sheet, const sys::TraceRecord& call) const {
  const std::string_view kind = name(call.call);
  const std::string_view source = source_file(call.where.file_name());
  std::fprintf(file_,
               "{\"thread\":%d,\"thread_name\":\"%s\",\"call\":\"%.*s\",\"descriptor\":%d,\"entered_ns\":%lld,"
               "\"returned_ns\":%lld,\"cpu_ns\":%lld,\"result\":%lld,\"where\":\"%.*s:%u\"",
               call.thread_id, sheet.thread_name.data(), static_cast<int>(kind.size()), kind.data(), call.descriptor,
               static_cast<long long>(call.entered_ns), static_cast<long long>(call.returned_ns),
               static_cast<long long>(call.cpu_ns), static_cast<long long>(call.result),
               static_cast<int>(source.size()), source.data(), call.where.line());
  if (call.arrived_ns != 0) std::fprintf(file_, ",\"arrived_ns\":%lld", static_cast<long long>(call.arrived_ns));
  std::fputs(call.is_order ? ",\"order\":true}\n" : "}\n", file_);
}

}  // namespace iolab::io
