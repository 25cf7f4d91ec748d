// The yardstick for Fetch: the shortest server that sends one MiB of a file for each request it receives.
//
//   raw_file_server sendfile|pread FILE RESPONSE_BYTES REQUEST_BYTES
//
// One connection at a time, blocking, one thread. Prints "listening PORT". `sendfile` moves pages inside the kernel;
// `pread` copies into one buffer that stays in the cache, then sends it. Which of the two is faster depends on the
// machine, so the comparison is with the faster one of the same run.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

void must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

bool send_all(int socket, const char* bytes, std::size_t left) {
  while (left > 0) {
    const ssize_t sent = send(socket, bytes, left, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    left -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool answer_with_sendfile(int socket, int file, std::size_t response_bytes) {
  off_t position = 0;
  while (static_cast<std::size_t>(position) < response_bytes) {
    if (sendfile(socket, file, &position, response_bytes - static_cast<std::size_t>(position)) <= 0) return false;
  }
  return true;
}

bool answer_with_pread(int socket, int file, std::vector<char>& buffer) {
  return pread(file, buffer.data(), buffer.size(), 0) == static_cast<ssize_t>(buffer.size()) &&
         send_all(socket, buffer.data(), buffer.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "raw_file_server sendfile|pread FILE RESPONSE_BYTES REQUEST_BYTES\n");
    return 2;
  }
  const bool use_sendfile = std::string_view(argv[1]) == "sendfile";
  const int file = open(argv[2], O_RDONLY | O_CLOEXEC);
  must(file >= 0, argv[2]);
  const auto response_bytes = static_cast<std::size_t>(std::atol(argv[3]));
  const auto request_bytes = static_cast<std::size_t>(std::atol(argv[4]));

  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  must(bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0, "bind");
  must(listen(listener, 16) == 0, "listen");
  must(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0, "getsockname");
  std::printf("listening %d\n", ntohs(address.sin_port));
  std::fflush(stdout);

  std::vector<char> request(64 * 1024), buffer(response_bytes);
  for (;;) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::size_t pending = 0;
    for (bool open_still = true; open_still;) {
      const ssize_t received = recv(connection, request.data(), request.size(), 0);
      if (received <= 0) break;
      for (pending += static_cast<std::size_t>(received); pending >= request_bytes && open_still;
           pending -= request_bytes) {
        open_still = use_sendfile ? answer_with_sendfile(connection, file, response_bytes)
                                  : answer_with_pread(connection, file, buffer);
      }
    }
    close(connection);
  }
}
