// Ctrl-C, for commands that want to end cleanly: the first one is noted, the second one ends the process at once.
#pragma once

#include <atomic>

namespace iolab::clients {

// True once SIGINT or SIGTERM has arrived. The first call installs the handlers; system calls that wait end with EINTR.
const std::atomic<bool>& interrupted();

}  // namespace iolab::clients
