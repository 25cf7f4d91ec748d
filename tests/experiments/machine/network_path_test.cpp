// The virtual cable, as the kernel sees it. Root only: without it there is one sentence to test.
#include "experiments/machine/network_path.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#include "experiments/machine/process.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string links(int network) {
  const Launch command{.arguments = {"ip", "-d", "link", "show"}, .network_namespace = network};
  return run_and_read(command, std::chrono::seconds(5)).value_or("");
}

TEST(NetworkPath, ACableHasTheMtuOfAnEthernetAndNoOffload) {
  SCOPED_TRACE("loopback is measured under the name of a network");
  auto path = NetworkPath::veth();
  if (geteuid() != 0) {
    ASSERT_FALSE(path);
    EXPECT_THAT(path.error(), HasSubstr("root"));
    return;
  }
  ASSERT_TRUE(path) << path.error();
  for (const auto& [network, name] :
       {std::pair{path->server_namespace(), "iolab-server"}, std::pair{path->load_namespace(), "iolab-load"}}) {
    const std::string text = links(network);
    EXPECT_THAT(text, HasSubstr(name));
    EXPECT_THAT(text, HasSubstr("mtu 1500"));
    EXPECT_THAT(text, HasSubstr("gso_max_segs 1 "));
  }
  EXPECT_THAT(links(-1), Not(HasSubstr("iolab-"))) << "it must not be seen outside";
}

// Runs in a network namespace; the others stay where they are, because a namespace belongs to a thread.
std::thread within(int network, std::function<void()> work) {
  return std::thread([network, work = std::move(work)] {
    if (setns(network, CLONE_NEWNET) == 0) work();
  });
}

std::uint64_t sent_packets(int network) {
  const Launch command{.arguments = {"cat", "/proc/net/dev"}, .network_namespace = network};
  const auto text = run_and_read(command, std::chrono::seconds(5)).value_or("");
  std::istringstream line(text.substr(text.find("iolab-load:") + 11));
  std::uint64_t value = 0;
  for (int field = 0; field < 10; ++field) line >> value;  // eight of what came in, then bytes and packets sent
  return value;
}

TEST(NetworkPath, AMessageIsAsManyPacketsAsOnAnEthernet) {
  SCOPED_TRACE("the cable carries 64 KiB at once, whatever its MTU, and shows no more than loopback");
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto path = NetworkPath::veth();
  ASSERT_TRUE(path) << path.error();
  std::vector<char> bytes(64 * 1024);
  std::size_t came = 0;
  std::optional<io::ListeningSockets> listening;
  within(path->server_namespace(), [&] { listening = io::listen_on({path->server_host(), 0}, 1, 1).value(); }).join();
  auto server = within(path->server_namespace(), [&] {
    const io::Fd peer(accept(listening->sockets.front().get(), nullptr, nullptr));
    for (ssize_t got = 0; (got = recv(peer.get(), bytes.data(), bytes.size(), 0)) > 0;)
      came += static_cast<std::size_t>(got);
  });
  within(path->load_namespace(), [&] {
    const std::vector<char> message(bytes.size());
    const io::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in where{
        .sin_family = AF_INET, .sin_port = htons(listening->address.port), .sin_addr = {}, .sin_zero = {}};
    inet_pton(AF_INET, path->server_host().c_str(), &where.sin_addr);
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return;
    for (std::size_t done = 0; done < message.size();) {
      const auto sent = send(socket.get(), message.data() + done, message.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) break;
      done += static_cast<std::size_t>(sent);
    }
  }).join();
  server.join();
  EXPECT_EQ(came, bytes.size());
  EXPECT_GE(sent_packets(path->load_namespace()), bytes.size() / 1500);
}

TEST(NetworkPath, TwoCablesAtOnceDoNotMeet) {
  SCOPED_TRACE("two labs on one machine cannot both run over a cable");
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  auto first = NetworkPath::veth();
  auto second = NetworkPath::veth();
  ASSERT_TRUE(first) << first.error();
  EXPECT_TRUE(second) << second.error();
}

TEST(NetworkPath, LoopbackIsWhereAProcessIsBorn) {
  SCOPED_TRACE("an ordinary trial is moved into a namespace");
  const NetworkPath path;
  EXPECT_TRUE(path.is_loopback());
  EXPECT_EQ(path.server_namespace(), -1);
  EXPECT_EQ(path.server_host(), "127.0.0.1");
}

}  // namespace
}  // namespace iolab::lab
