// Listening and connecting: what is handed on to every connection, and sentences when it cannot be.
#include "io_models/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <set>

#include "io_models/system_calls.h"

namespace iolab::io {
namespace {

using testing::HasSubstr;

TEST(Socket, AnAcceptedConnectionInheritsNoDelay) {
  // Failure: Nagle and delayed acknowledgements, 40 ms each, are what every model measures.
  const auto listening = listen_on({}, 1, 8);
  ASSERT_TRUE(listening.has_value()) << listening.error();
  ASSERT_NE(listening->address.port, 0);
  const auto client = connect_to(listening->address);
  ASSERT_TRUE(client.has_value()) << client.error();
  const Fd accepted(sys::accept4(listening->sockets[0].get(), SOCK_CLOEXEC));
  ASSERT_TRUE(accepted);
  int on = 0;
  socklen_t bytes = sizeof on;
  ASSERT_EQ(::getsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, &bytes), 0);
  EXPECT_NE(on, 0);
}

TEST(Socket, SeveralListenersShareOnePort) {
  // Failure: threads of one server listen on different ports.
  const auto listening = listen_on({}, 3, 8);
  ASSERT_TRUE(listening.has_value()) << listening.error();
  EXPECT_EQ(listening->sockets.size(), 3u);
  EXPECT_TRUE(connect_to(listening->address).has_value());
}

TEST(Socket, APortInUseIsRefusedInBothForms) {
  // Failure: with several threads, SO_REUSEPORT lets a second server take half of the first one's connections.
  const auto single = listen_on({}, 1, 8);
  ASSERT_TRUE(single.has_value());
  EXPECT_THAT(listen_on(single->address, 1, 8).error(), HasSubstr("already in use"));
  EXPECT_THAT(listen_on(single->address, 2, 8).error(), HasSubstr("already in use"));
  const auto group = listen_on({}, 2, 8);
  ASSERT_TRUE(group.has_value());
  const auto again = listen_on(group->address, 2, 8);
  ASSERT_FALSE(again.has_value());
  EXPECT_THAT(again.error(), HasSubstr(std::to_string(group->address.port)));
}

TEST(Socket, ErrorsNameTheAddressAndARemedy) {
  // Failure: "Invalid argument".
  EXPECT_THAT(listen_on({.host = "localhost"}, 1, 8).error(), HasSubstr("'localhost' is not a numeric"));
  EXPECT_THAT(listen_on({.host = "192.0.2.1"}, 1, 8).error(), HasSubstr("an address of this machine"));
  Address closed;
  {
    const auto listening = listen_on({}, 1, 8);
    ASSERT_TRUE(listening.has_value());
    closed = listening->address;
  }
  EXPECT_THAT(connect_to(closed).error(), HasSubstr("start the server"));
}

TEST(Socket, AnFdClosesOnceAndMoves) {
  // Failure: a number is closed twice, and the second time belongs to somebody else.
  int number = -1;
  {
    Fd first(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    number = first.get();
    Fd second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): that it is empty is what is tested
    EXPECT_EQ(second.get(), number);
    EXPECT_EQ(sys::fcntl(number, F_GETFD, 0), FD_CLOEXEC);
  }
  EXPECT_EQ(sys::fcntl(number, F_GETFD, 0), -EBADF);
}

}  // namespace
}  // namespace iolab::io
