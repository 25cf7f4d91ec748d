// io_uring with standing orders: "whatever comes on this connection, from now on", in memory that the kernel chooses.
//
// What to notice
//   1. One order per connection, one result per arrival: in a steady conversation only the sends are ordered.
//                                                                               LESSON: one-order-many-completions
//   2. No memory is named in advance. The kernel takes a buffer from a ring that all connections share, when the bytes
//      are there: an idle connection pins nothing.                              LESSON: memory-when-it-arrives
//   3. Bytes come whether the session wants them or not. Keeping them unbounded would be a gift to whoever sends most;
//      withholding buffers would punish everybody. So: keep a little, then withdraw that one order.
//                                                                               LESSON: multishot-needs-backpressure
//   4. A standing order can end by itself: when buffers run out, when the socket ends, when accept finds no descriptor.
//      Each result says whether more will follow.                               LESSON: ask-whether-more-will-follow
//   5. The receive stands while a request is parked, so a lost peer is noticed at once, unless it was withdrawn.
#include <sys/socket.h>
#include <sys/utsname.h>

#include <bit>
#include <cstdio>
#include <optional>

#include "io_models/asynchronous/uring.h"
#include "io_models/asynchronous/uring_buffers.h"
#include "io_models/completion_frontend.h"

namespace iolab::io {
namespace {

constexpr std::string_view kDefaultBuffers = "256";
constexpr std::string_view kDefaultBufferBytes = "16384";

// Linux 6.6 to 6.7 could answer a standing accept with descriptors that do not exist (liburing issue 1062).
bool standing_accept_is_safe() {
  utsname name{};
  int major = 0, minor = 0;
  ::uname(&name);
  return std::sscanf(name.release, "%d.%d", &major, &minor) == 2 && !(major == 6 && (minor == 6 || minor == 7));
}

void order_standing_receive(io_uring_sqe& order, int fd, ConnectionKey key) {
  ::io_uring_prep_recv_multishot(&order, fd, nullptr, 0, 0);
  order.flags |= IOSQE_BUFFER_SELECT;
  order.buf_group = UringBuffers::kGroup;
  ::io_uring_sqe_set_data64(&order, OrderTag{Order::receive, key}.packed());
}

class UringMultishotPort {
 public:
  static constexpr bool kChoosesMemory = true;
  using Bell = UringBell;
  struct Orders {
    bool withdrawn = false;
  };

  UringMultishotPort(const FrontendSettings& settings, std::size_t, int listener, LoopDoorbell<UringBell>& doorbell)
      : uring_(uring_settings(settings)),
        buffers_(buffers_for(settings)),
        sockets_(uring_, chosen(settings.options, "sockets", "plain") == "registered"),
        listener_(listener),
        bell_(doorbell.bell) {
    bell_.order_read(uring_);
  }

  void accept(bool may_stand) {
    io_uring_sqe& order = uring_.order();
    accept_stands_ = may_stand && standing_accept_is_safe_;
    if (accept_stands_) {
      ::io_uring_prep_multishot_accept(&order, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    } else {
      ::io_uring_prep_accept(&order, listener_, nullptr, nullptr, SOCK_CLOEXEC);
    }
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::accept}.packed());
  }

  void receive(Orders& orders, int fd, ConnectionKey key) {
    io_uring_sqe& order = uring_.order();
    order_standing_receive(order, fd, key);
    sockets_.name(order, fd, key);
    orders.withdrawn = false;
  }

  void send(Orders&, int fd, ConnectionKey key, std::span<const iovec> pieces) {
    sockets_.name(order_send(uring_, fd, key, pieces), fd, key);
  }

  void released(ConnectionKey key) { sockets_.released(key); }

  // Each brings a last result of the standing order: -ECANCELED, if nothing else was faster.
  void cancel_receive(Orders& orders, ConnectionKey key) {
    if (!std::exchange(orders.withdrawn, true)) withdraw({Order::receive, key});
  }
  void cancel_standing_accept() {
    if (std::exchange(accept_stands_, false)) withdraw({Order::accept});
  }

  template <class Completed>
  void turn(int timeout_ms, Completed&& completed) {
    uring_.enter(timeout_ms);
    uring_.reap([&](const io_uring_cqe& result) {
      const OrderTag tag = OrderTag::unpacked(result.user_data);
      const bool more = (result.flags & IORING_CQE_F_MORE) != 0;
      switch (tag.order) {
        case Order::accept: return completed({.op = Op::accept, .key = {}, .result = result.res, .more = more});
        case Order::receive: return received(tag.key, result, more, completed);
        case Order::send: return completed({.op = Op::send, .key = tag.key, .result = result.res});
        case Order::bell: return heard();
        case Order::withdraw: --withdrawing_; return;
      }
    });
    buffers_.publish();
  }

  void end() {
    ending_ = true;
    bell_.ring();
    while (listening_ || withdrawing_ > 0) turn(-1, [](const Completion&) {});
  }

 private:
  template <class Completed>
  void received(ConnectionKey key, const io_uring_cqe& result, bool more, Completed& completed) {
    Completion done{.op = Op::receive, .key = key, .result = result.res, .more = more};
    if ((result.flags & IORING_CQE_F_BUFFER) == 0) return completed(done);
    if (result.res > 0) {
      done.bytes = uring_.payload(result, buffers_.of(result));
      done.result = static_cast<int>(done.bytes.size());
    }
    completed(done);
    buffers_.give_back(result);
  }

  void withdraw(OrderTag which) {
    io_uring_sqe& order = uring_.order();
    ::io_uring_prep_cancel64(&order, which.packed(), 0);
    ::io_uring_sqe_set_data64(&order, OrderTag{Order::withdraw}.packed());
    ++withdrawing_;
  }

  void heard() {
    if (ending_) {
      listening_ = false;
    } else {
      bell_.order_read(uring_);
    }
  }

  UringBuffers buffers_for(const FrontendSettings& settings) {
    const auto count = std::stoul(chosen(settings.options, "buffers", kDefaultBuffers));
    const auto bytes = std::stoul(chosen(settings.options, "buffer_bytes", kDefaultBufferBytes));
    auto buffers = UringBuffers::make(uring_.get(), std::bit_ceil(static_cast<std::uint32_t>(count)),
                                      static_cast<std::uint32_t>(bytes));
    if (!buffers) give_up(buffers.error());
    return std::move(*buffers);
  }

  Uring uring_;
  UringBuffers buffers_;
  RegisteredSockets sockets_;
  const int listener_;
  UringBell& bell_;
  const bool standing_accept_is_safe_ = standing_accept_is_safe();
  bool accept_stands_ = false;
  int withdrawing_ = 0;
  bool listening_ = true;
  bool ending_ = false;
};

// No list of operations tells whether a receive may stand: give one, and see whether more will follow.
std::string try_a_standing_receive() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return "no descriptor is left; raise `ulimit -n`";
  const Fd near(ends[0]), far(ends[1]);
  Uring uring({.orders = 4, .results = 8});
  auto buffers = UringBuffers::make(uring.get(), 2, 256);  // a traced receive has a head
  if (!buffers) return buffers.error();
  order_standing_receive(uring.order(), near.get(), {});
  const iovec byte{const_cast<char*>("?"), 1};
  sys::send(far.get(), {&byte, 1});
  uring.enter(1000);
  bool stands = false;
  uring.reap([&](const io_uring_cqe& result) { stands = result.res >= 1 && (result.flags & IORING_CQE_F_MORE) != 0; });
  return stands ? "" : "this kernel's io_uring has no standing receive (it needs Linux 6.0)";
}

}  // namespace

std::string io_uring_multishot_unavailable() {
  const std::string reason = io_uring_unavailable();
  return reason.empty() ? try_a_standing_receive() : reason;
}

MadeFrontend make_io_uring_multishot(const FrontendSettings& settings) {
  return std::make_unique<CompletionFrontend<UringMultishotPort>>(settings);
}

}  // namespace iolab::io
