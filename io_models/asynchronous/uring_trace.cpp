#include "io_models/asynchronous/uring_trace.h"

#include "io_models/system_calls.h"

namespace iolab::io {

UringTrace::Given& UringTrace::of(ConnectionKey key) {
  while (given_.size() <= key.slot) given_.emplace_back();
  return given_[key.slot];
}

void UringTrace::passing_on(io_uring_sqe& order) {
  const OrderTag tag = OrderTag::unpacked(order.user_data);
  if (tag.order != Order::receive && tag.order != Order::send) return;
  Given& given = of(tag.key);
  given.socket = order.fd;
  (tag.order == Order::send ? given.send_ns : given.receive_ns) = sys::detail::now_ns();
  if (order.opcode != IORING_OP_RECV) return;
  auto* const memory = reinterpret_cast<std::byte*>(order.addr);
  order.addr = reinterpret_cast<std::uintptr_t>(&given.message.prepared_for({memory, order.len}));
  order.len = 1;  // of headers
  order.opcode = IORING_OP_RECVMSG;
}

void UringTrace::seen(const io_uring_cqe& result) {
  const OrderTag tag = OrderTag::unpacked(result.user_data);
  if (tag.order != Order::receive && tag.order != Order::send) return;
  Given& given = of(tag.key);
  const bool sent = tag.order == Order::send;
  if ((result.flags & IORING_CQE_F_BUFFER) != 0) return;  // payload() notes it
  const std::int64_t arrived_ns = sent || result.res <= 0 ? 0 : given.message.arrived_ns();
  sys::record_order(sent ? Call::send : Call::recvmsg, given.socket, sent ? given.send_ns : given.receive_ns,
                    result.res, arrived_ns);
}

std::span<const std::byte> UringTrace::payload(const io_uring_cqe& result, std::span<const std::byte> buffer) {
  Given& given = of(OrderTag::unpacked(result.user_data).key);
  msghdr& header = given.message.prepared_for({});
  auto* const memory = const_cast<std::byte*>(buffer.data());
  const auto bytes = static_cast<int>(buffer.size());
  io_uring_recvmsg_out* const head = ::io_uring_recvmsg_validate(memory, bytes, &header);
  if (head == nullptr) return {};
  const cmsghdr* const message = ::io_uring_recvmsg_cmsg_firsthdr(head, &header);
  auto* const payload = static_cast<const std::byte*>(::io_uring_recvmsg_payload(head, &header));
  const std::size_t length = ::io_uring_recvmsg_payload_length(head, bytes, &header);
  sys::record_order(Call::recvmsg, given.socket, given.receive_ns, static_cast<std::int64_t>(length),
                    message == nullptr ? 0 : arrival_ns(*message));
  return {payload, length};
}

}  // namespace iolab::io
