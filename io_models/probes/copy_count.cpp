// What do copies cost on the way from a file to a socket?
//
// A file that lies in the page cache is sent over loopback again and again, in pieces, by one of five ways. The peer
// reads and throws away.
//
// What to notice
//   1. pread() and send() copy twice: out of the page cache, and into the socket.
//   2. Mapped memory is copied once, by send(); sendfile() and splice() hand pages over without a copy of their own.
//   3. Fewer copies are not always less work: over loopback the receiver copies in any case, and handing over pages one
//      by one costs more than copying small pieces.
//   4. IORING_OP_SEND_ZC must say when the memory is free again; over loopback the kernel copies after all, and says
//   so.
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "io_models/probes/all.h"
#include "io_models/probes/peer.h"

namespace iolab::io::probes {
namespace {

constexpr std::size_t kFileBytes = 16 << 20;

class Sender {
 public:
  Sender(int file, int socket, std::size_t piece) : file_(file), socket_(socket), piece_(piece) {}
  virtual ~Sender() = default;
  virtual bool send(off_t from) = 0;  // one piece of the file

 protected:
  bool send_all(const std::byte* bytes, std::size_t count) const {
    while (count > 0) {
      const ssize_t sent = ::send(socket_, bytes, count, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes += sent;
      count -= static_cast<std::size_t>(sent);
    }
    return true;
  }

  const int file_;
  const int socket_;
  const std::size_t piece_;
};

class ReadAndSend final : public Sender {
 public:
  ReadAndSend(int file, int socket, std::size_t piece) : Sender(file, socket, piece), room_(piece) {}
  bool send(off_t from) override {
    return ::pread(file_, room_.data(), piece_, from) == static_cast<ssize_t>(piece_) && send_all(room_.data(), piece_);
  }

 private:
  std::vector<std::byte> room_;
};

class FromMappedMemory : public Sender {
 public:
  FromMappedMemory(int file, int socket, std::size_t piece)
      : Sender(file, socket, piece), map_(::mmap(nullptr, kFileBytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0)) {}
  ~FromMappedMemory() override { ::munmap(map_, kFileBytes); }
  bool send(off_t from) override { return send_all(at(from), piece_); }

 protected:
  const std::byte* at(off_t from) const { return static_cast<const std::byte*>(map_) + from; }

 private:
  void* map_;
};

class BySendfile final : public Sender {
 public:
  using Sender::Sender;
  bool send(off_t from) override {
    for (std::size_t left = piece_; left > 0;) {
      const ssize_t sent = ::sendfile(socket_, file_, &from, left);
      if (sent <= 0) return false;
      left -= static_cast<std::size_t>(sent);
    }
    return true;
  }
};

class BySplice final : public Sender {
 public:
  BySplice(int file, int socket, std::size_t piece) : Sender(file, socket, piece) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return;
    in_ = Fd(ends[1]);
    out_ = Fd(ends[0]);
    ::fcntl(in_.get(), F_SETPIPE_SZ, 1 << 20);
  }
  bool send(off_t from) override {
    for (std::size_t left = piece_; left > 0;) {
      const ssize_t taken = ::splice(file_, &from, in_.get(), nullptr, left, SPLICE_F_MOVE);
      if (taken <= 0) return false;
      for (ssize_t waiting = taken; waiting > 0;) {
        const ssize_t sent =
            ::splice(out_.get(), nullptr, socket_, nullptr, static_cast<std::size_t>(waiting), SPLICE_F_MOVE);
        if (sent <= 0) return false;
        waiting -= sent;
      }
      left -= static_cast<std::size_t>(taken);
    }
    return true;
  }

 private:
  Fd in_, out_;
};

// One order, two results: what was sent, and that the memory is free again.
class ByZeroCopyOrder final : public FromMappedMemory {
 public:
  ByZeroCopyOrder(int file, int socket, std::size_t piece) : FromMappedMemory(file, socket, piece) {
    error_ = -::io_uring_queue_init(8, &ring_, 0);
    ready_ = error_ == 0;
  }
  ~ByZeroCopyOrder() override {
    if (ready_) ::io_uring_queue_exit(&ring_);
  }
  bool send(off_t from) override {
    for (std::size_t done = 0; ready_ && done < piece_;) {
      io_uring_sqe* const order = ::io_uring_get_sqe(&ring_);
      ::io_uring_prep_send_zc(order, socket_, at(from) + done, piece_ - done, MSG_NOSIGNAL, 0);
      ::io_uring_submit(&ring_);
      bool more = true;
      int sent = 0;
      while (more) {
        io_uring_cqe* result = nullptr;
        if (::io_uring_wait_cqe(&ring_, &result) != 0) return false;
        more = (result->flags & IORING_CQE_F_MORE) != 0;
        if ((result->flags & IORING_CQE_F_NOTIF) == 0) sent = result->res;
        ::io_uring_cqe_seen(&ring_, result);
      }
      if (sent <= 0) {
        errno = -sent;  // the kernel's answer stands in the result
        return false;
      }
      done += static_cast<std::size_t>(sent);
    }
    if (!ready_) errno = error_;
    return ready_;
  }

 private:
  io_uring ring_{};
  bool ready_ = false;
  int error_ = 0;
};

template <class S>
std::unique_ptr<Sender> make(int file, int socket, std::size_t piece) {
  return std::make_unique<S>(file, socket, piece);
}
struct Way {
  std::string_view name;
  std::unique_ptr<Sender> (*make)(int file, int socket, std::size_t piece);
};
constexpr std::array kWays{Way{"pread+send", make<ReadAndSend>}, Way{"mmap+send", make<FromMappedMemory>},
                           Way{"sendfile", make<BySendfile>}, Way{"splice", make<BySplice>},
                           Way{"io_uring-send_zc", make<ByZeroCopyOrder>}};

std::expected<Fd, std::string> cached_file() {
  Fd file(::memfd_create("iolab-copy-count", MFD_CLOEXEC));
  const std::vector<std::byte> content(kFileBytes, std::byte{'x'});
  if (!file || ::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    return std::unexpected(std::string("no file in memory: ") + std::strerror(errno));
  }
  return file;
}

// GiB/s of a plain copy of that much memory, the bound of every way that copies.
double memcpy_gib_per_s() {
  const std::vector<std::byte> from(kFileBytes, std::byte{1});
  std::vector<std::byte> to(kFileBytes);
  const auto began = now_ns();
  constexpr int kTimes = 8;
  for (int i = 0; i < kTimes; ++i) {
    std::memcpy(to.data(), from.data(), to.size());
    asm volatile("" : : "r"(to.data()) : "memory");
  }
  return kTimes * static_cast<double>(kFileBytes) / static_cast<double>(now_ns() - began) * 1e9 / (1 << 30);
}

std::expected<Figures, std::string> run(const ProbeSettings& settings) {
  const Probe probe = copy_count();
  const auto piece = static_cast<std::size_t>(number(probe, settings, "bytes"));
  auto file = cached_file();
  if (!file) return std::unexpected(file.error());
  auto pair = connected_pair();
  if (!pair) return std::unexpected(pair.error());
  double came = 0;
  auto peer = peer_on(settings.peer_cpu, [socket = pair->far.get(), &came](const auto&) {
    std::vector<std::byte> room(1 << 18);
    for (ssize_t got = 0; (got = ::recv(socket, room.data(), room.size(), 0)) > 0;) came += static_cast<double>(got);
  });
  const auto way = std::ranges::find(kWays, chosen(probe, settings, "way"), &Way::name);
  const auto sender = way->make(file->get(), pair->near.get(), piece);
  const double bound = memcpy_gib_per_s();
  const auto began = now_ns();
  const auto end_ns = began + std::chrono::nanoseconds(settings.length).count();
  const auto cpu_before = thread_cpu_ns();
  double bytes = 0;
  for (off_t at = 0; now_ns() < end_ns; at = static_cast<off_t>((static_cast<std::size_t>(at) + piece) % kFileBytes)) {
    if (static_cast<std::size_t>(at) + piece > kFileBytes) at = 0;
    if (!sender->send(at)) {
      const int error = errno;
      ::shutdown(pair->near.get(), SHUT_RDWR);  // the peer waits in recv()
      return std::unexpected(std::string(way->name) + " cannot send here: " + std::strerror(error));
    }
    bytes += static_cast<double>(piece);
  }
  const auto took_s = static_cast<double>(now_ns() - began) / 1e9;
  const auto cpu_us = static_cast<double>(thread_cpu_ns() - cpu_before) / 1e3;
  ::shutdown(pair->near.get(), SHUT_RDWR);
  peer.join();
  if (came != bytes) {
    return std::unexpected(std::string(way->name) + " sent " + std::to_string(static_cast<long>(bytes)) +
                           " bytes, and " + std::to_string(static_cast<long>(came)) + " came: its figures say nothing");
  }
  const double gib_per_s = bytes / took_s / (1 << 30);
  return Figures{{"sent_gib_per_s", gib_per_s},
                 {"sender_cpu_us_per_mib", cpu_us / (bytes / (1 << 20))},
                 {"memcpy_share", gib_per_s / bound},
                 {"rounds", bytes / static_cast<double>(piece)}};
}

}  // namespace

Probe copy_count() {
  return {.name = "copy-count",
          .question = "What do copies cost on the way from a file to a socket?",
          .models = {},
          .keys = {{"way", "pread+send|mmap+send|sendfile|splice|io_uring-send_zc", "pread+send", "how it is sent"},
                   {"bytes", "512..4194304", "65536", "of each piece"}},
          .run = run};
}

}  // namespace iolab::io::probes
