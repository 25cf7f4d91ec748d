// Asks again and again for the same answer and throws it away: the client side of the Fetch yardstick.
//
//   drain_client PORT REQUEST_FILE RESPONSE_BYTES DEPTH SECONDS      prints bytes per second
//
// REQUEST_FILE holds one whole request; RESPONSE_BYTES is how long each answer is (0: read it from the answer's size
// field, as Kafka writes it). DEPTH requests are kept in flight, so that the server is never left without work.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

double now_s() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Drain {
 public:
  Drain(int socket, std::vector<char> request, std::size_t response_bytes)
      : socket_(socket), request_(std::move(request)), response_bytes_(response_bytes) {}

  void ask() { must(send(socket_, request_.data(), request_.size(), MSG_NOSIGNAL) == ssize_t(request_.size())); }

  // One whole answer; returns its size on the wire.
  std::size_t take_answer() {
    std::size_t left = response_bytes_ != 0 ? response_bytes_ : take_size_field();
    const std::size_t total = left + (response_bytes_ != 0 ? 0 : 4);
    while (left > 0) {
      const ssize_t received = recv(socket_, room_.data(), std::min(left, room_.size()), 0);
      must(received > 0);
      left -= static_cast<std::size_t>(received);
    }
    return total;
  }

 private:
  std::size_t take_size_field() {
    std::array<unsigned char, 4> field;
    must(recv(socket_, field.data(), field.size(), MSG_WAITALL) == ssize_t(field.size()));
    return std::size_t{field[0]} << 24 | std::size_t{field[1]} << 16 | std::size_t{field[2]} << 8 | field[3];
  }
  static void must(bool ok) {
    if (ok) return;
    std::perror("drain_client: the server closed the connection or failed");
    std::exit(1);
  }

  int socket_;
  std::vector<char> request_;
  std::size_t response_bytes_;
  std::vector<char> room_ = std::vector<char>(256 * 1024);
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "drain_client PORT REQUEST_FILE RESPONSE_BYTES DEPTH SECONDS\n");
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  std::vector<char> request{std::istreambuf_iterator<char>(file), {}};
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  if (request.empty() || connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("drain_client: no request, or connect");
    return 1;
  }
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Drain drain(socket, std::move(request), static_cast<std::size_t>(std::atol(argv[3])));
  const double seconds = std::atof(argv[5]);
  int in_flight = std::atoi(argv[4]);
  for (int i = 0; i < in_flight; ++i) drain.ask();
  double bytes = 0;
  const double start = now_s();
  while (now_s() - start < seconds) {
    bytes += static_cast<double>(drain.take_answer());
    drain.ask();
  }
  const double elapsed = now_s() - start;
  for (; in_flight > 0; --in_flight) drain.take_answer();
  std::printf("%.0f\n", bytes / elapsed);
}
