// The yardstick for Produce: the least that any broker must do with records that arrive over TCP.
//
//   raw_sink FILE        prints "listening PORT"; receives until the peer closes, then starts anew
//
// Receives into a 256 KiB window, and for each MiB that has come together computes one CRC-32C and makes one pwrite to
// the page cache. It parses nothing, answers nothing and remembers nothing.
#include <fcntl.h>
#include <isa-l/crc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {
constexpr std::size_t kBlockBytes = 1024 * 1024;
constexpr std::size_t kReadBytes = 256 * 1024;

void must(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "raw_sink FILE\n");
    return 2;
  }
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

  std::vector<unsigned char> block(kBlockBytes);
  [[maybe_unused]] volatile std::uint32_t checksum = 0;  // volatile: the sum must be computed although nobody asks
  for (;;) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const int file = open(argv[1], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    must(file >= 0, argv[1]);
    std::size_t filled = 0;
    off_t written = 0;
    for (;;) {
      const ssize_t received = recv(connection, block.data() + filled, std::min(kReadBytes, kBlockBytes - filled), 0);
      if (received <= 0) break;
      filled += static_cast<std::size_t>(received);
      if (filled < kBlockBytes) continue;
      checksum = crc32_iscsi(block.data(), static_cast<int>(filled), ~0U);
      must(pwrite(file, block.data(), filled, written) == static_cast<ssize_t>(filled), "pwrite");
      written += static_cast<off_t>(filled);
      filled = 0;
    }
    close(file);
    close(connection);
  }
}
