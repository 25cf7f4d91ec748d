// The shortest `posix-aio` echo server.
#include <aio.h>
#include <signal.h>

#include <thread>

#include "raw_echo.h"

struct Connection : aiocb {
  Connection() : aiocb{} {}
  bool sending = false;
  char buffer[16 * 1024];
};

static void order(Connection* c, std::size_t bytes) {
  c->aio_nbytes = bytes;
  must((c->sending ? aio_write(c) : aio_read(c)) == 0, "aio");
}

int main() {
  const int signal_number = SIGRTMIN + 2;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal_number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  aioinit pool{};
  pool.aio_threads = pool.aio_num = 256;
  pool.aio_idle_time = 1;
  aio_init(&pool);
  const int listener = listen_and_say(0);
  std::thread([listener, signal_number] {
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      auto* const c = new Connection;
      c->aio_fildes = fd;
      c->aio_buf = c->buffer;
      c->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
      c->aio_sigevent.sigev_signo = signal_number;
      c->aio_sigevent.sigev_value.sival_ptr = c;
      order(c, sizeof c->buffer);
    }
  }).detach();
  for (;;) {
    siginfo_t info;
    if (sigwaitinfo(&signals, &info) < 0) continue;
    auto* const c = static_cast<Connection*>(info.si_value.sival_ptr);
    const ssize_t bytes = aio_error(c) == 0 ? aio_return(c) : -1;
    if (bytes <= 0) {
      close(c->aio_fildes);
      delete c;
      continue;
    }
    c->sending = !c->sending;
    order(c, c->sending ? static_cast<std::size_t>(bytes) : sizeof c->buffer);
  }
}
