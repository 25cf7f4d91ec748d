// The layer's counts against the kernel's, for kernel_calls.h: which of the layer's names stands for which number.
#include <fmt/format.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

#include "experiments/machine/kernel_calls.h"
#include "experiments/words/words.h"

namespace iolab::lab {
namespace {

using io::Call;

struct Meaning {
  Call call;
  std::vector<int> numbers;  // what glibc makes of it on this architecture, the usual one first
};

// Not here: aio_* and thread_create, which are calls of the C library and not of the kernel.
const std::vector<Meaning>& meanings() {
  static const std::vector<Meaning> kMeanings{
      {Call::accept4, {SYS_accept4}},
      {Call::recv, {SYS_recvfrom}},
      {Call::recvmsg, {SYS_recvmsg}},
      {Call::send, {SYS_sendto}},
      {Call::sendmsg, {SYS_sendmsg}},
      {Call::read, {SYS_read}},
      {Call::write, {SYS_write}},
      {Call::shutdown, {SYS_shutdown}},
      {Call::close, {SYS_close}},
      {Call::socket, {SYS_socket}},
      {Call::fcntl, {SYS_fcntl}},
      {Call::setsockopt, {SYS_setsockopt}},
      {Call::select, {SYS_pselect6, SYS_select}},
      {Call::poll, {SYS_ppoll, SYS_poll}},
      {Call::epoll_wait, {SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2}},
      {Call::epoll_ctl, {SYS_epoll_ctl}},
      {Call::rt_sigtimedwait, {SYS_rt_sigtimedwait}},
      {Call::signalfd, {SYS_signalfd4}},
      {Call::tgkill, {SYS_tgkill}},
      {Call::io_uring_enter, {SYS_io_uring_enter}},
      {Call::io_uring_register, {SYS_io_uring_register}},
      {Call::sched_yield, {SYS_sched_yield}},
      {Call::nanosleep, {SYS_clock_nanosleep, SYS_nanosleep}},
      {Call::futex_wait, {SYS_futex}},
      {Call::futex_wake, {SYS_futex}},
      {Call::pread, {SYS_pread64}},
      {Call::pwrite, {SYS_pwrite64, SYS_pwritev}},
      {Call::fdatasync, {SYS_fdatasync}},
      {Call::fsync, {SYS_fsync}},
      {Call::open, {SYS_openat}},
      {Call::ftruncate, {SYS_ftruncate}},
      {Call::rename, {SYS_rename, SYS_renameat, SYS_renameat2}},
      {Call::unlink, {SYS_unlink, SYS_unlinkat}},
      {Call::fstat, {SYS_newfstatat, SYS_fstat}},
      {Call::mmap, {SYS_mmap}},
      {Call::munmap, {SYS_munmap}},
      {Call::mincore, {SYS_mincore}},
      {Call::preadv2, {SYS_preadv2}},
      {Call::fadvise64, {SYS_fadvise64}},
  };
  return kMeanings;
}

// glibc makes these on its own account too, in any thread: of them the layer's share is subtracted, not compared.
bool is_shared(int number) {
  constexpr std::array kShared{SYS_futex, SYS_mmap, SYS_munmap};
  return std::ranges::find(kShared, number) != kShared.end();
}

// Several of the layer's names may be one call of the kernel, and one name several numbers: what belongs together.
int family_of(int number) {
  for (const Meaning& meaning : meanings()) {
    if (std::ranges::find(meaning.numbers, number) != meaning.numbers.end()) return meaning.numbers.front();
  }
  return number;
}

std::uint64_t difference(const KernelCounts& before, const ThreadCall& key, std::uint64_t after) {
  const auto found = before.find(key);
  return after - (found == before.end() ? 0 : found->second);
}

std::string thread_name(const ThreadNames& names, pid_t thread) {
  const auto found = names.find(thread);
  return found == names.end() ? recorded("kernel.library") : found->second;
}

}  // namespace

LayerCounts layer_counts(const io::CounterPage& page) {
  LayerCounts counts;
  const auto used = page.blocks_used.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < used; ++i) {
    const io::ThreadBlock& block = page.blocks[i];
    const pid_t thread = block.thread_id.load(std::memory_order_relaxed);
    io::CounterTotals& totals = counts[thread];  // 0: of threads that have ended
    for (std::size_t c = 0; c < io::kCalls; ++c) totals.calls[c] += block.calls[c].load(std::memory_order_relaxed);
    for (std::size_t c = 0; c < io::kCounts; ++c) totals.counts[c] += block.counts[c].load(std::memory_order_relaxed);
  }
  return counts;
}

ThreadNames layer_threads(const io::CounterPage& page) {
  ThreadNames names;
  const auto used = page.blocks_used.load(std::memory_order_acquire);
  for (std::uint64_t i = 0; i < used; ++i) {
    const io::ThreadBlock& block = page.blocks[i];
    const auto length =
        static_cast<std::size_t>(std::ranges::find(block.thread_name, '\0') - block.thread_name.begin());
    names[block.thread_id.load(std::memory_order_relaxed)] = std::string(block.thread_name.data(), length);
  }
  return names;
}

bool CallComparison::agrees(double tolerance) const {
  const auto near = [&](const ComparedCall& call) {
    const auto larger = static_cast<double>(std::max(call.layer, call.kernel));
    return larger - static_cast<double>(std::min(call.layer, call.kernel)) <= tolerance * larger;
  };
  return !compared.empty() && std::ranges::all_of(compared, near);
}

CallComparison compare_calls(const CallSnapshot& before, const CallSnapshot& after, const ThreadNames& names) {
  std::map<int, std::uint64_t> layer;  // by family
  for (const auto& [thread, totals] : after.layer) {
    io::CounterTotals window = totals;
    if (const auto old = before.layer.find(thread); old != before.layer.end()) window -= old->second;
    for (const Meaning& meaning : meanings()) {
      if (window[meaning.call] > 0) layer[meaning.numbers.front()] += window[meaning.call];
    }
  }
  std::map<int, std::uint64_t> kernel;  // by family, in the layer's threads
  std::map<std::pair<std::string, int>, std::uint64_t> others;
  for (const auto& [key, count] : after.kernel) {
    const auto made = difference(before.kernel, key, count);
    const int family = family_of(key.number);
    if (made == 0) continue;
    if (after.layer.contains(key.thread) && (layer.contains(family) || family != key.number) && !is_shared(family)) {
      kernel[family] += made;
    } else {
      others[{thread_name(names, key.thread), is_shared(family) ? family : key.number}] += made;
    }
  }
  CallComparison result;
  for (const auto& [family, count] : layer) {
    if (!is_shared(family)) {
      result.compared.push_back({system_call_name(family), count, kernel[family]});
      continue;
    }
    // The layer's share is in some thread's figure: it is taken out where it fits.
    std::uint64_t left = count;
    for (auto& [key, made] : others) {
      if (key.second != family) continue;
      const auto part = std::min(left, made);
      made -= part;
      left -= part;
    }
    if (left > 0) result.compared.push_back({system_call_name(family), count, count - left});
  }
  for (const auto& [family, count] : kernel) {
    if (!layer.contains(family)) result.compared.push_back({system_call_name(family), 0, count});
  }
  for (const auto& [key, count] : others) {
    if (count > 0) result.others.push_back({key.first, system_call_name(key.second), count});
  }
  std::ranges::sort(result.compared, std::greater{}, &ComparedCall::kernel);
  std::ranges::sort(result.others, std::greater{}, &OtherCall::count);
  return result;
}

}  // namespace iolab::lab
