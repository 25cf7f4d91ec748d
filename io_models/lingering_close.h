// The orderly end of a connection that the server closes first, the same in every model.
//
// close() on a socket with unread input sends a reset, and a reset makes the peer throw away answers that it has
// received but not yet read. So: shutdown(SHUT_WR) says that there is no more to come; what the peer still sends is
// read and dropped until its own end arrives; then close(). A peer that does not stop is cut off after so long, or so
// much. Not needed when the peer's end was seen already.
#pragma once

#include <cstddef>

namespace iolab::io {

inline constexpr int kLingerMs = 500;
inline constexpr std::size_t kLingerBytes = 1024 * 1024;
inline constexpr std::size_t kLingerBytesPerRead = 16 * 1024;

}  // namespace iolab::io
