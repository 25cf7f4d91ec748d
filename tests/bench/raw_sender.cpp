// Sends bytes at a given rate, for raw_sink: so that the yardstick is held against the broker at the same byte rate.
//
//   raw_sender PORT TOTAL_BYTES BYTES_PER_SECOND      prints the seconds it took
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {
double now_s() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "raw_sender PORT TOTAL_BYTES BYTES_PER_SECOND\n");
    return 2;
  }
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("connect");
    return 1;
  }
  const double total = std::atof(argv[2]), rate = std::atof(argv[3]);
  std::vector<char> piece(256 * 1024, 'x');
  const double start = now_s();
  double sent = 0;
  while (sent < total) {
    const double ahead_s = sent / rate - (now_s() - start);
    if (ahead_s > 0) {
      const timespec pause{static_cast<time_t>(ahead_s),
                           static_cast<long>((ahead_s - static_cast<double>(static_cast<time_t>(ahead_s))) * 1e9)};
      nanosleep(&pause, nullptr);
    }
    const ssize_t taken = send(connection, piece.data(), piece.size(), MSG_NOSIGNAL);
    if (taken <= 0) {
      std::perror("send");
      return 1;
    }
    sent += static_cast<double>(taken);
  }
  std::printf("%.6f\n", now_s() - start);
  close(connection);
}
