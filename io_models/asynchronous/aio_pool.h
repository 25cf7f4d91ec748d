// What one process has of glibc's asynchronous I/O: a pool of threads, sized once, and a share of the user's queue of
// real-time signals. Both bound how many connections posix-aio may hold.
#pragma once

#include <cstddef>

#include "io_models/admission.h"
#include "io_models/registry.h"

namespace iolab::io {

// glibc's own default is 20 threads: the twenty-first idle connection would stop the server.
// LESSON: aio-pool-is-the-limit
inline constexpr const char* kDefaultAioPool = "256";
Admission aio_admission(const FrontendSettings& settings);

// Sizes the pool, which glibc allows only before the process's first operation; later calls find it as it is.
void prepare_aio_pool(const FrontendSettings& settings);

// Completion signals are sent to the process: one thread that does not block them, and the process dies. Gives up with
// a sentence if there is one.
void require_blocked_everywhere(int signal);

}  // namespace iolab::io
