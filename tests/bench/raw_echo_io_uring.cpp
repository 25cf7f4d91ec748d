// The shortest `io_uring` echo server: one operation per order.
#include <liburing.h>

#include <memory>
#include <vector>

#include "raw_echo.h"

enum Kind : unsigned { kAccept, kReceive, kSend };
struct Buffer {
  char bytes[16 * 1024];
};

int main() {
  io_uring ring;
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  must(io_uring_queue_init_params(1024, &ring, &params) == 0, "io_uring_queue_init_params");
  const int listener = listen_and_say(0);
  std::vector<std::unique_ptr<Buffer>> buffers(4096);
  const auto order = [&](Kind kind, int fd, int bytes) {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring);
    Buffer* const buffer = buffers[static_cast<std::size_t>(fd)].get();
    if (kind == kAccept) io_uring_prep_accept(sqe, fd, nullptr, nullptr, SOCK_CLOEXEC);
    if (kind == kReceive) io_uring_prep_recv(sqe, fd, buffer->bytes, sizeof buffer->bytes, 0);
    if (kind == kSend) io_uring_prep_send(sqe, fd, buffer->bytes, static_cast<std::size_t>(bytes), MSG_NOSIGNAL);
    sqe->user_data = static_cast<std::uint64_t>(kind) << 32 | static_cast<unsigned>(fd);
  };
  order(kAccept, listener, 0);
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    unsigned head, seen = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      const auto kind = static_cast<Kind>(cqe->user_data >> 32);
      const int fd = static_cast<int>(cqe->user_data & 0xffff'ffff);
      if (kind == kAccept) {
        order(kAccept, listener, 0);
        if (cqe->res < 0) continue;
        buffers[static_cast<std::size_t>(cqe->res)] = std::make_unique<Buffer>();
        order(kReceive, cqe->res, 0);
      } else if (cqe->res <= 0) {
        close(fd);
      } else {
        order(kind == kReceive ? kSend : kReceive, fd, cqe->res);
      }
    }
    io_uring_cq_advance(&ring, seen);
  }
}
