#include "experiments/run/cold_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "experiments/words/units.h"

namespace iolab::lab {
namespace {

namespace fs = std::filesystem;

// What a reader has been sent is mapped by the broker, and stays: a few hundred KiB.
constexpr double kMostInMemory = 0.1;

class OpenFile {
 public:
  explicit OpenFile(const std::string& name) : descriptor_(::open(name.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

std::string failed(std::string_view what, const std::string& file, int error) {
  return fmt::format("cannot {} {}: {}", what, file, std::strerror(error));
}

}  // namespace

std::expected<std::vector<std::string>, std::string> log_files(const std::string& data, const std::string& topic) {
  constexpr long kTmpfs = 0x01021994;
  struct statfs where{};
  if (::statfs(data.c_str(), &where) == 0 && where.f_type == kTmpfs) {
    return std::unexpected(
        "the directory of the run lies in memory (tmpfs): there is nothing cold; name another with --out");
  }
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& partition : fs::directory_iterator(data, error)) {
    if (!partition.path().filename().string().starts_with(topic + "-")) continue;
    for (const auto& file : fs::directory_iterator(partition.path(), error)) {
      if (file.path().extension() == ".log") files.push_back(file.path());
    }
  }
  if (error) return std::unexpected(fmt::format("cannot read {}: {}", data, error.message()));
  if (files.empty()) return std::unexpected(fmt::format("{} holds no log of the topic '{}'", data, topic));
  return files;
}

std::string take_out_of_memory(const std::string& file) {
  {
    const OpenFile opened(file);
    if (opened.descriptor() < 0) return failed("open", file, errno);
    if (::fdatasync(opened.descriptor()) != 0) return failed("sync", file, errno);
    const int error = ::posix_fadvise(opened.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
    if (error != 0) return failed("drop from memory", file, error);
  }
  const auto left = share_in_memory(file);
  if (!left) return left.error();
  if (*left <= kMostInMemory) return {};
  return fmt::format(
      "{} of the pages of {} are still in memory after they were dropped: little would be read from the disk",
      percent_text(*left), file);
}

std::expected<double, std::string> share_in_memory(const std::string& file) {
  const OpenFile opened(file);
  struct stat status{};
  if (opened.descriptor() < 0 || ::fstat(opened.descriptor(), &status) != 0) {
    return std::unexpected(failed("open", file, errno));
  }
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (bytes == 0) return 0.0;
  void* const pages = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, opened.descriptor(), 0);  // touches none of them
  if (pages == MAP_FAILED) return std::unexpected(failed("map", file, errno));
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((bytes + page_bytes - 1) / page_bytes);
  const int error = ::mincore(pages, bytes, resident.data()) == 0 ? 0 : errno;
  ::munmap(pages, bytes);
  if (error != 0) return std::unexpected(failed("ask what is in memory of", file, error));
  const auto there = std::ranges::count_if(resident, [](unsigned char page) { return (page & 1) != 0; });
  return static_cast<double>(there) / static_cast<double>(resident.size());
}

}  // namespace iolab::lab
