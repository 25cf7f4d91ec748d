// The shortest `io_uring-multishot` echo server: standing orders, and each buffer is sent back from where it arrived.
#include <liburing.h>
#include <sys/mman.h>

#include "raw_echo.h"

enum Kind : unsigned { kAccept, kReceive, kSend };
constexpr int kBuffers = 256;
constexpr std::size_t kBufferBytes = 16 * 1024;

int main() {
  io_uring ring;
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  must(io_uring_queue_init_params(1024, &ring, &params) == 0, "io_uring_queue_init_params");
  auto* const buffers = static_cast<io_uring_buf_ring*>(
      mmap(nullptr, kBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  auto* const memory = static_cast<char*>(
      mmap(nullptr, kBuffers * kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers);
  registration.ring_entries = kBuffers;
  must(io_uring_register_buf_ring(&ring, &registration, 0) == 0, "io_uring_register_buf_ring");
  io_uring_buf_ring_init(buffers);
  const auto give = [&](unsigned number) {
    io_uring_buf_ring_add(buffers, memory + number * kBufferBytes, kBufferBytes, static_cast<unsigned short>(number),
                          kBuffers - 1, 0);
    io_uring_buf_ring_advance(buffers, 1);
  };
  for (unsigned number = 0; number < kBuffers; ++number) give(number);

  const int listener = listen_and_say(0);
  const auto order = [&](Kind kind, int fd, unsigned number, int bytes) {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
    if (kind == kAccept) io_uring_prep_multishot_accept(sqe, fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (kind == kReceive) {
      io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
      sqe->flags |= IOSQE_BUFFER_SELECT;
    }
    if (kind == kSend)
      io_uring_prep_send(sqe, fd, memory + number * kBufferBytes, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
    sqe->user_data = static_cast<std::uint64_t>(kind) << 48 | std::uint64_t{number} << 32 | static_cast<unsigned>(fd);
  };
  order(kAccept, listener, 0, 0);
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head, seen = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      const auto kind = static_cast<Kind>(cqe->user_data >> 48);
      const int fd = static_cast<int>(cqe->user_data & 0xffff'ffff);
      if (kind == kAccept) {
        if (cqe->res >= 0) order(kReceive, cqe->res, 0, 0);
      } else if (kind == kSend) {
        give(static_cast<unsigned>(cqe->user_data >> 32 & 0xffff));
      } else if (cqe->res > 0) {
        order(kSend, fd, cqe->flags >> IORING_CQE_BUFFER_SHIFT, cqe->res);
      } else {
        close(fd);
      }
    }
    io_uring_cq_advance(&ring, seen);
  }
}
