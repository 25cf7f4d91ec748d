// Two ways not to wait for the disk in the thread that serves connections: threads of our own that wait in its place,
// and orders to the kernel. Both for the experiment cold-reader; iolab.fetch.cold chooses.
//
// Threads: add() from any; the destructor ends what is theirs and waits for it.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "broker/core/cold_read.h"

namespace iolab::session {

// By the value of iolab.fetch.cold; null for "inline". The error is a sentence: this machine has no io_uring.
std::expected<std::unique_ptr<core::ColdReader>, std::string> make_cold_reader(const std::string& way);

}  // namespace iolab::session
