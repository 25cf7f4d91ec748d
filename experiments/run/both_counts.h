// Requests of one window, counted twice: by the server, of whom a trial's figures per request come, and by the clients.
#pragma once

#include <cstdint>
#include <string>

#include "clients/load.h"

namespace iolab::lab {

// Empty if both may have seen the same work: what they differ by may be under way at the window's two borders, and the
// lab reads the server's counts some milliseconds after the load has drawn a border (3 % are 90 ms of a window of 3 s).
// Else the sentence that says so: the server also did work that no client has an answer of, such as a stalled client's.
std::string unlike_counts(const clients::LoadSpec& spec, std::uint64_t by_clients, std::uint64_t by_server);

}  // namespace iolab::lab
