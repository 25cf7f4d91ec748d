// POSIX asynchronous I/O: hand glibc an order and the memory for it, and be told by a signal when it was carried out.
//
// What to notice
//   1. "Asynchronous" is a library's word here: a hidden thread sits in an ordinary blocking read() for us. It is
//      blocking I/O with the threads out of sight.                              LESSON: aio-is-threads-in-disguise
//   2. So an idle connection occupies a thread, and the pool bounds how many there may be.
//                                                                               LESSON: aio-pool-is-the-limit
//   3. glibc carries out the orders of one descriptor number one after the other: a read that waits holds up a write
//      behind it. We have one order at a time, because a session has one want.  LESSON: aio-serialises-per-descriptor
//   4. A signal announces each completion, and the queue of signals is finite. When it is full, glibc drops the result,
//      bytes included: so never order more than there are places.               LESSON: aio-signals-need-places
//   5. There is no order for accept(): a thread of our own blocks in it, for one connection at a time.
// A peer that is lost while its request is parked is not noticed: nothing is on order then.
#include <aio.h>
#include <signal.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <thread>

#include "io_models/asynchronous/aio_pool.h"
#include "io_models/asynchronous/order_tag.h"
#include "io_models/asynchronous/signal_timer.h"
#include "io_models/completion_frontend.h"
#include "io_models/signal_bell.h"

namespace iolab::io {
namespace {

// One thread for accept(), which works only when told to.
class Acceptor {
 public:
  Acceptor(std::size_t number, int listener, LoopDoorbell<SignalBell>& doorbell)
      : thread_([this, number, listener, &doorbell] { run(number, listener, doorbell); }) {}
  ~Acceptor() { end(); }

  void order() { orders_.release(); }
  // The result of the last order, once: a socket or -errno.
  bool take(int& result) {
    if (accepted_.load(std::memory_order_acquire) == kNothing) return false;
    result = accepted_.exchange(kNothing, std::memory_order_acquire);
    return true;
  }
  bool has_result() const { return accepted_.load(std::memory_order_acquire) != kNothing; }

  void end() {
    if (!thread_.joinable()) return;
    ending_ = true;
    orders_.release();
    thread_.join();
  }

 private:
  static constexpr int kNothing = -4096;  // no errno

  void run(std::size_t number, int listener, LoopDoorbell<SignalBell>& doorbell) {
    const CountedThread counted("accept " + std::to_string(number));
    for (orders_.acquire(); !ending_; orders_.acquire()) {
      accepted_.store(sys::accept4(listener, SOCK_CLOEXEC), std::memory_order_release);  // blocking, as aio needs it
      doorbell.interrupt();
    }
  }

  std::atomic<int> accepted_ = kNothing;
  std::atomic<bool> ending_ = false;
  std::counting_semaphore<> orders_{0};
  std::thread thread_;
};

class PosixAioPort {
 public:
  static constexpr bool kChoosesMemory = false;
  using Bell = SignalBell;
  struct Orders {
    OrderTag tag{};  // of the last order; the block cannot tell, for glibc writes its own word into aio_lio_opcode
    std::unique_ptr<aiocb> block = std::make_unique<aiocb>();  // belongs to glibc while the order is in flight
  };

  static Admission admission(const FrontendSettings& settings) { return aio_admission(settings); }

  PosixAioPort(const FrontendSettings&, std::size_t number, int listener, LoopDoorbell<SignalBell>& doorbell)
      : signal_(SIGRTMIN + kFirstSignal + static_cast<int>(number)), acceptor_(number, listener, doorbell) {
    // Signals of completion are sent to the process, not to a thread: so each serving thread has a number of its own.
    if (signal_ > SIGRTMAX)
      give_up("posix-aio has no signal left for so many serving threads; ask for fewer --threads");
    require_blocked_everywhere(signal_);
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, signal_);
    ::sigaddset(&signals_, wake_signal());
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  void accept(bool) { acceptor_.order(); }
  void cancel_standing_accept() {}

  void receive(Orders& orders, int fd, ConnectionKey key, std::span<std::byte> room) {
    prepare(orders, fd, key, Order::receive, room.data(), room.size());
    give(orders, Call::aio_read, ::aio_read);
  }

  // An order names one piece of memory: the rest of a gather list comes with the next one.
  void send(Orders& orders, int fd, ConnectionKey key, std::span<const iovec> pieces) {
    prepare(orders, fd, key, Order::send, pieces[0].iov_base, pieces[0].iov_len);
    give(orders, Call::aio_write, ::aio_write);
  }

  template <class Completed>
  void turn(int timeout_ms, Completed&& completed) {
    siginfo_t news{};
    if (take_signal(timeout_ms, news)) finish(OrderTag::unpacked(value_of(news)), completed);
    int accepted = 0;
    if (acceptor_.take(accepted)) completed({.op = Op::accept, .key = {}, .result = accepted});
    if (!refused_.empty()) report_refused(completed);
  }

  void end() { acceptor_.end(); }

 private:
  static constexpr int kFirstSignal = 2;
  static constexpr time_t kLookForLostS = 1;

  static std::uint64_t value_of(const siginfo_t& news) {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(news.si_value.sival_ptr));
  }

  void prepare(Orders& orders, int fd, ConnectionKey key, Order what, void* memory, std::size_t bytes) {
    orders.block->aio_fildes = fd;
    orders.block->aio_buf = memory;
    orders.block->aio_nbytes = bytes;
    orders.block->aio_sigevent.sigev_notify = SIGEV_SIGNAL;
    orders.block->aio_sigevent.sigev_signo = signal_;
    orders.tag = {what, key};
    orders.block->aio_sigevent.sigev_value.sival_ptr = reinterpret_cast<void*>(orders.tag.packed());
  }

  void give(Orders& orders, Call call, int (*function)(aiocb*)) {
    const std::uint32_t slot = orders.tag.key.slot;
    if (slot >= in_flight_.size()) in_flight_.resize(slot + 1);
    in_flight_[slot] = &orders;
    const int result = sys::counted(call, orders.block->aio_fildes,
                                    [&] { return sys::detail::kernel_result(function(orders.block.get())); });
    count(Count::submissions);
    if (result < 0) refused_.push_back(orders.tag);
  }

  // One signal, one completion. False: none, or one that only roused us.
  bool take_signal(int timeout_ms, siginfo_t& news) {
    if (acceptor_.has_result() || !refused_.empty()) timeout_ms = 0;
    const timespec time{timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
    const int signal = sys::rt_sigtimedwait(signals_, news, timeout_ms < 0 ? nullptr : &time);
    if (signal == wake_signal() && SignalTimer::sent(news)) look_for_lost();
    return signal == signal_ && news.si_code == SI_ASYNCIO;
  }

  template <class Completed>
  void finish(OrderTag tag, Completed& completed) {
    count(Count::wake_ups);
    count(Count::events);
    Orders* const orders = tag.key.slot < in_flight_.size() ? in_flight_[tag.key.slot] : nullptr;
    if (orders == nullptr || orders->tag.key != tag.key) return;
    in_flight_[tag.key.slot] = nullptr;
    const int fd = orders->block->aio_fildes;
    const int error = sys::counted(Call::aio_error, fd, [&] { return ::aio_error(orders->block.get()); });
    const auto bytes = sys::counted(Call::aio_return, fd, [&] { return ::aio_return(orders->block.get()); });
    report(tag, error == 0 ? static_cast<int>(bytes) : -error, completed);
  }

  template <class Completed>
  static void report(OrderTag tag, int result, Completed& completed) {
    count(Count::completions);
    completed({.op = tag.order == Order::send ? Op::send : Op::receive, .key = tag.key, .result = result});
  }

  // Others of the same user may have filled the queue of signals in spite of our care. glibc then leaves EAGAIN where
  // the result was, and tells nobody: the bytes are lost, and the connection with them.
  void look_for_lost() {
    for (Orders* const orders : in_flight_) {
      if (orders == nullptr || ::aio_error(orders->block.get()) != EAGAIN) continue;
      count(Count::signal_overflows);
      refused_.push_back(orders->tag);
    }
  }

  template <class Completed>
  void report_refused(Completed& completed) {
    std::vector<OrderTag> refused;
    refused.swap(refused_);
    for (const OrderTag tag : refused) {
      in_flight_[tag.key.slot] = nullptr;
      report(tag, -EIO, completed);
    }
  }

  const int signal_;
  sigset_t signals_{};
  std::vector<Orders*> in_flight_;  // by slot; a connection outlives its orders
  std::vector<OrderTag> refused_;   // orders that will have no signal
  const SignalTimer look_for_lost_{kLookForLostS};
  Acceptor acceptor_;
};

}  // namespace

MadeFrontend make_posix_aio(const FrontendSettings& settings) {
  prepare_aio_pool(settings);
  return std::make_unique<CompletionFrontend<PosixAioPort>>(settings);
}

}  // namespace iolab::io
