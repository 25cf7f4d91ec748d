// The one door to the disk: every file call of the broker is made here, and counted here.
//
// A File owns a descriptor and nothing else: no position, no buffer, no lock. All calls take a position, so any number
// of threads may read one file while one thread appends to it. EINTR is retried and a short read or write is continued;
// what comes back is whole or an error. A failed sync() must never be repeated: the kernel may have dropped the dirty
// pages and would answer "done" to a second call (Rebello et al., "Can Applications Recover
// from fsync Failures?", USENIX ATC 2020), so the caller must give up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/storage/storage_error.h"

namespace iolab::storage {

// What is counted, under the names of the system calls.
enum class FileCall : std::uint8_t {
  open,
  close,
  pread,
  preadv2,
  pwrite,
  fdatasync,
  fsync,
  ftruncate,
  rename,
  unlink,
  fstat,
  mmap,
  munmap,
  mincore,
  fadvise64
};

// How others look at, and tests interfere with, the file calls. Copied into every File; both may be null.
struct FileHooks {
  // After each call, from the calling thread: bytes moved by pread and pwrite, else 0.
  void (*count)(FileCall call, std::int64_t bytes) = nullptr;
  // Before each call: not 0 is the errno with which the call is to fail, without being made.
  int (*fail)(FileCall call) = nullptr;
};

class File {
 public:
  enum class Mode : std::uint8_t { read_only, read_write, create };  // create: read and write, made if missing

  File() = default;
  ~File() { close(); }
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;

  static Expected<File> open(const std::filesystem::path& path, Mode mode, FileHooks hooks);

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }
  const FileHooks& hooks() const { return hooks_; }

  // Reads at most into.size() bytes; fewer only at the end of the file.
  Expected<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) const;
  // What of it can be had without waiting for the disk (preadv2 with RWF_NOWAIT), from the start of the range: fewer
  // bytes where the rest is not in memory, or where the file ends.
  Expected<std::size_t> read_now(std::int64_t position, std::span<std::byte> into) const;
  // Writes all of `from` or fails; after a failure any prefix may have reached the file.
  Expected<void> write_at(std::int64_t position, std::span<const std::byte> from);
  // The same for two pieces that belong together, in one call.
  Expected<void> write_at(std::int64_t position, std::span<const std::byte> first, std::span<const std::byte> second);
  Expected<void> truncate(std::int64_t bytes);
  // fdatasync: the bytes, and the length where it grew. Never call it again after it failed.
  Expected<void> sync() const;
  Expected<std::int64_t> size() const;
  // From now on the kernel reads from the disk what is asked for, and nothing behind it. A wish: it may be ignored.
  void do_not_read_ahead() const;
  // Another name for the open file, which may take that of another file.
  Expected<void> rename_to(const std::filesystem::path& path);
  // Milliseconds since 1970 of the last change.
  Expected<std::int64_t> modified_ms() const;
  void close();

 private:
  int descriptor_ = -1;
  FileHooks hooks_;
  std::filesystem::path path_;
};

// The pages of a file, as the page cache holds them, in our address space: what is sent from here was not copied
// before. Only the kernel may look at the bytes. Where a page cannot be read any more it says EFAULT, and we would get
// SIGBUS.
class FileMapping {
 public:
  FileMapping() = default;  // of nothing
  // `bytes` may reach beyond the end of the file, for what will be appended. Fails in silence: see in_memory().
  FileMapping(const File& file, std::int64_t bytes);
  ~FileMapping();
  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&& other) noexcept;

  // A range of which every page is in memory. Empty: it is not, or not mapped; the range has to be read.
  std::span<const std::byte> in_memory(std::int64_t position, std::size_t bytes) const;

 private:
  std::span<std::byte> pages_;
  FileHooks hooks_;
};

// Makes created, renamed and removed names of a directory durable.
Expected<void> sync_directory(const std::filesystem::path& directory, FileHooks hooks);
Expected<void> rename_path(const std::filesystem::path& from, const std::filesystem::path& to, FileHooks hooks);
// Removing what is not there is no error.
Expected<void> remove_file(const std::filesystem::path& path, FileHooks hooks);
Expected<void> make_directory(const std::filesystem::path& path);
// An empty one.
Expected<void> remove_directory(const std::filesystem::path& path);
// Names in a directory, sorted, without "." and "..".
Expected<std::vector<std::string>> list_directory(const std::filesystem::path& directory);
// Of the file system that holds `path`.
struct DiskSpace {
  std::int64_t total_bytes = 0;
  std::int64_t usable_bytes = 0;  // by this process
};
Expected<DiskSpace> disk_space(const std::filesystem::path& path);
// The whole of a small file (at most 64 MiB).
Expected<std::string> read_file(const std::filesystem::path& path, FileHooks hooks);
// Replaces a file so that after a crash either the old or the new content is there: write beside it, sync, rename,
// sync the directory.
Expected<void> replace_file(const std::filesystem::path& path, std::string_view content, FileHooks hooks);

}  // namespace iolab::storage
