// Linux calls behind file.h. What each error message names: the path, the call's meaning, the system's reason.
#include "broker/storage/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace iolab::storage {
namespace {

// Shortages pass; what is written after them may succeed. Everything else says that the disk, or the file, is broken.
StorageFault fault_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return StorageFault::no_space;
    case ENOENT: return StorageFault::not_found;
    default: return StorageFault::io;
  }
}

std::string_view remedy_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return "; free space on that file system, or lower retention.bytes";
    case EFBIG: return "; raise the file size limit (ulimit -f), or lower segment.bytes";
    case EMFILE:
    case ENFILE: return "; raise the limit of open files (ulimit -n)";
    case EACCES:
    case EPERM:
    case EROFS: return "; make it writable for this user, or choose another directory with log.dirs";
    default: return "";
  }
}

std::unexpected<StorageError> failed(std::string_view action, const std::filesystem::path& path, int error_number) {
  return std::unexpected(StorageError{
      fault_of(error_number), fmt::format("cannot {} {}: {}{}", action, path.string(),
                                          std::generic_category().message(error_number), remedy_of(error_number))});
}

// Makes one call unless a test forbids it, repeats it after EINTR where that is safe, and counts it.
template <class Function>
auto counted(const FileHooks& hooks, FileCall call, Function&& function) {
  decltype(function()) result = -1;
  const int injected = hooks.fail != nullptr ? hooks.fail(call) : 0;
  if (injected != 0) {
    errno = injected;
  } else {
    const bool repeatable = call != FileCall::close;
    do {
      result = function();
    } while (repeatable && result < 0 && errno == EINTR);
  }
  const int kept = errno;
  const bool moves_bytes = call == FileCall::pread || call == FileCall::pwrite;
  if (hooks.count != nullptr) hooks.count(call, moves_bytes && result > 0 ? static_cast<std::int64_t>(result) : 0);
  errno = kept;
  return result;
}

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

File::File(File&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), hooks_(other.hooks_), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    hooks_ = other.hooks_;
    path_ = std::move(other.path_);
  }
  return *this;
}

Expected<File> File::open(const std::filesystem::path& path, Mode mode, FileHooks hooks) {
  const int flags = mode == Mode::read_only ? O_RDONLY : mode == Mode::read_write ? O_RDWR : O_RDWR | O_CREAT;
  File file;
  file.hooks_ = hooks;
  file.path_ = path;
  file.descriptor_ =
      counted(hooks, FileCall::open, [&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644); });
  if (file.descriptor_ < 0) return failed("open", path, errno);
  return file;
}

Expected<std::size_t> File::read_at(std::int64_t position, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got = counted(hooks_, FileCall::pread, [&] {
      return ::pread(descriptor_, into.data() + done, into.size() - done, position + static_cast<off_t>(done));
    });
    if (got < 0) return failed("read", path_, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Expected<std::size_t> File::read_now(std::int64_t position, std::span<std::byte> into) const {
  std::size_t done = 0;
  while (done < into.size()) {
    const iovec rest{into.data() + done, into.size() - done};
    const ssize_t got = counted(hooks_, FileCall::preadv2, [&] {
      return ::preadv2(descriptor_, &rest, 1, position + static_cast<off_t>(done), RWF_NOWAIT);
    });
    if (got < 0 && errno != EAGAIN && errno != EOPNOTSUPP) return failed("read", path_, errno);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Expected<void> File::write_at(std::int64_t position, std::span<const std::byte> from) {
  while (!from.empty()) {
    const ssize_t put =
        counted(hooks_, FileCall::pwrite, [&] { return ::pwrite(descriptor_, from.data(), from.size(), position); });
    if (put < 0) return failed("write", path_, errno);
    if (put == 0) return failed("write", path_, EIO);
    position += put;
    from = from.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Expected<void> File::write_at(std::int64_t position, std::span<const std::byte> first,
                              std::span<const std::byte> second) {
  // The kernel only reads what an iovec points at, although its type does not say so.
  const auto piece = [](std::span<const std::byte> bytes) {
    return iovec{const_cast<std::byte*>(bytes.data()), bytes.size()};
  };
  const std::array<iovec, 2> pieces{piece(first), piece(second)};
  const ssize_t put =
      counted(hooks_, FileCall::pwrite, [&] { return ::pwritev(descriptor_, pieces.data(), pieces.size(), position); });
  if (put < 0) return failed("write", path_, errno);
  const auto done = static_cast<std::size_t>(put);
  if (done < first.size()) {
    if (auto rest = write_at(position + put, first.subspan(done)); !rest) return rest;
    return write_at(position + static_cast<std::int64_t>(first.size()), second);
  }
  return write_at(position + put, second.subspan(done - first.size()));
}

Expected<void> File::truncate(std::int64_t bytes) {
  if (counted(hooks_, FileCall::ftruncate, [&] { return ::ftruncate(descriptor_, bytes); }) != 0)
    return failed("shorten", path_, errno);
  return {};
}

Expected<void> File::sync() const {
  if (counted(hooks_, FileCall::fdatasync, [&] { return ::fdatasync(descriptor_); }) != 0)
    return failed("sync", path_, errno);
  return {};
}

Expected<std::int64_t> File::size() const {
  struct stat status{};
  if (counted(hooks_, FileCall::fstat, [&] { return ::fstat(descriptor_, &status); }) != 0)
    return failed("look at", path_, errno);
  return status.st_size;
}

void File::do_not_read_ahead() const {
  counted(hooks_, FileCall::fadvise64, [&] { return ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_RANDOM); });
}

Expected<void> File::rename_to(const std::filesystem::path& path) {
  if (auto done = rename_path(path_, path, hooks_); !done) return done;
  path_ = path;
  return {};
}

Expected<std::int64_t> File::modified_ms() const {
  struct stat status{};
  if (counted(hooks_, FileCall::fstat, [&] { return ::fstat(descriptor_, &status); }) != 0)
    return failed("look at", path_, errno);
  return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000;
}

void File::close() {
  // Everything that matters was synced before; what close() could still report would come too late to act on.
  const int descriptor = std::exchange(descriptor_, -1);
  if (descriptor >= 0) counted(FileHooks{hooks_.count, nullptr}, FileCall::close, [&] { return ::close(descriptor); });
}

FileMapping::FileMapping(const File& file, std::int64_t bytes) : hooks_(file.hooks()) {
  const auto wanted = static_cast<std::size_t>(bytes);
  void* start = MAP_FAILED;
  const int result = counted(hooks_, FileCall::mmap, [&] {
    start = ::mmap(nullptr, wanted, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    return start == MAP_FAILED ? -1 : 0;
  });
  if (result == 0) pages_ = {static_cast<std::byte*>(start), wanted};
}

FileMapping::~FileMapping() {
  if (pages_.empty()) return;
  counted(FileHooks{hooks_.count, nullptr}, FileCall::munmap, [&] { return ::munmap(pages_.data(), pages_.size()); });
}

FileMapping::FileMapping(FileMapping&& other) noexcept
    : pages_(std::exchange(other.pages_, {})), hooks_(other.hooks_) {}

FileMapping& FileMapping::operator=(FileMapping&& other) noexcept {
  std::swap(pages_, other.pages_);
  std::swap(hooks_, other.hooks_);
  return *this;
}

std::span<const std::byte> FileMapping::in_memory(std::int64_t position, std::size_t bytes) const {
  const auto first = static_cast<std::size_t>(position);
  if (first > pages_.size() || pages_.size() - first < bytes) return {};
  const std::size_t page = first - first % page_bytes();
  std::array<unsigned char, 1024> resident;
  for (auto pages = pages_.subspan(page, first + bytes - page); !pages.empty();) {
    const auto some = pages.first(std::min(pages.size(), resident.size() * page_bytes()));
    const int result =
        counted(hooks_, FileCall::mincore, [&] { return ::mincore(some.data(), some.size(), resident.data()); });
    const auto asked = std::span(resident).first((some.size() + page_bytes() - 1) / page_bytes());
    if (result != 0 || !std::ranges::all_of(asked, [](unsigned char byte) { return (byte & 1) != 0; })) return {};
    pages = pages.subspan(some.size());
  }
  return pages_.subspan(first, bytes);
}

Expected<void> sync_directory(const std::filesystem::path& directory, FileHooks hooks) {
  const int descriptor =
      counted(hooks, FileCall::open, [&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) return failed("open", directory, errno);
  const int result = counted(hooks, FileCall::fsync, [&] { return ::fsync(descriptor); });
  const int error_number = errno;
  counted(FileHooks{hooks.count, nullptr}, FileCall::close, [&] { return ::close(descriptor); });
  if (result != 0) return failed("sync", directory, error_number);
  return {};
}

Expected<void> rename_path(const std::filesystem::path& from, const std::filesystem::path& to, FileHooks hooks) {
  if (counted(hooks, FileCall::rename, [&] { return ::rename(from.c_str(), to.c_str()); }) != 0)
    return failed(fmt::format("rename {} to", from.string()), to, errno);
  return {};
}

Expected<void> remove_file(const std::filesystem::path& path, FileHooks hooks) {
  if (counted(hooks, FileCall::unlink, [&] { return ::unlink(path.c_str()); }) != 0 && errno != ENOENT)
    return failed("remove", path, errno);
  return {};
}

Expected<void> make_directory(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  const int error_number = errno;
  std::error_code ignored;
  if (error_number == EEXIST && std::filesystem::is_directory(path, ignored)) return {};
  return failed("create directory", path, error_number);
}

Expected<void> remove_directory(const std::filesystem::path& path) {
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return failed("remove directory", path, errno);
  return {};
}

Expected<std::vector<std::string>> list_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) return failed("list", directory, error.value());
  std::ranges::sort(names);
  return names;
}

Expected<DiskSpace> disk_space(const std::filesystem::path& path) {
  std::error_code error;
  const auto space = std::filesystem::space(path, error);
  if (error) return failed("look at the room on the disk of", path, error.value());
  return DiskSpace{static_cast<std::int64_t>(space.capacity), static_cast<std::int64_t>(space.available)};
}

Expected<std::string> read_file(const std::filesystem::path& path, FileHooks hooks) {
  constexpr std::int64_t kMostBytes = 64 << 20;
  const auto file = File::open(path, File::Mode::read_only, hooks);
  if (!file) return std::unexpected(file.error());
  const auto bytes = file->size();
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes > kMostBytes) return failed("read", path, EFBIG);
  std::string content(static_cast<std::size_t>(*bytes), '\0');
  const auto got = file->read_at(0, std::as_writable_bytes(std::span(content)));
  if (!got) return std::unexpected(got.error());
  content.resize(*got);
  return content;
}

Expected<void> replace_file(const std::filesystem::path& path, std::string_view content, FileHooks hooks) {
  std::filesystem::path beside = path;
  beside += ".tmp";
  {
    auto file = File::open(beside, File::Mode::create, hooks);
    if (!file) return std::unexpected(file.error());
    if (auto done = file->truncate(0); !done) return done;
    if (auto done = file->write_at(0, std::as_bytes(std::span(content))); !done) return done;
    if (auto done = file->sync(); !done) return done;
  }
  if (auto done = rename_path(beside, path, hooks); !done) return done;
  return sync_directory(path.parent_path(), hooks);
}

}  // namespace iolab::storage
