#include "io_models/trace_file.h"

#include <cerrno>
#include <cstring>
#include <string_view>

#include "io_models/counters.h"

namespace iolab::io {

std::expected<std::unique_ptr<TraceFile>, std::string> TraceFile::open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) {
    return std::unexpected("cannot write the trace to " + path + ": " + std::strerror(errno));
  }
  std::fputs("entered_ns\treturned_ns\tthread\tcall\tdescriptor\tresult\twhere\n", file);
  std::unique_ptr<TraceFile> trace(new TraceFile(file));
  sys::attach_trace(trace.get());
  return trace;
}

TraceFile::~TraceFile() {
  sys::attach_trace(nullptr);
  std::fclose(file_);
}

void TraceFile::record(const sys::TraceRecord& record) {
  std::string_view source = record.where.file_name();
  if (const std::size_t folder = source.find("io_models/"); folder != std::string_view::npos)
    source = source.substr(folder);
  const std::scoped_lock lock(mutex_);
  std::fprintf(file_, "%lld\t%lld\t%d\t%.*s\t%d\t%lld\t%.*s:%u\n", static_cast<long long>(record.entered_ns),
               static_cast<long long>(record.returned_ns), record.thread_id, static_cast<int>(name(record.call).size()),
               name(record.call).data(), record.descriptor, static_cast<long long>(record.result),
               static_cast<int>(source.size()), source.data(), record.where.line());
}

}  // namespace iolab::io
