// The textbook's own case: one thread, one UDP socket, every datagram goes back. Each model in a dozen lines, through
// the counted and traced system calls, for `iolab trace --udp`. There is no session behind it and no connection.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace iolab::io {

std::vector<std::string_view> udp_echo_models();

// Binds a port of 127.0.0.1, prints "listening PORT", and echoes whoever speaks first until a datagram says "quit". The
// error is a sentence.
std::expected<void, std::string> serve_udp_echo(std::string_view model);

}  // namespace iolab::io
