// Who makes which model. Each is defined in the model's own file; only the table in registry.cpp needs to know them.
// The error is one sentence: an option that cannot be, or a machine that cannot.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "io_models/registry.h"

namespace iolab::io {

using MadeFrontend = std::expected<std::unique_ptr<Frontend>, std::string>;

MadeFrontend make_blocking(const FrontendSettings& settings);
MadeFrontend make_blocking_pool(const FrontendSettings& settings);
MadeFrontend make_nonblocking(const FrontendSettings& settings);
MadeFrontend make_select(const FrontendSettings& settings);
MadeFrontend make_poll(const FrontendSettings& settings);
MadeFrontend make_epoll(const FrontendSettings& settings);
MadeFrontend make_epoll_et(const FrontendSettings& settings);
MadeFrontend make_sigio(const FrontendSettings& settings);
MadeFrontend make_posix_aio(const FrontendSettings& settings);
MadeFrontend make_io_uring(const FrontendSettings& settings);
MadeFrontend make_io_uring_multishot(const FrontendSettings& settings);
MadeFrontend make_null(const FrontendSettings& settings);

// Empty, or why this machine refuses the model, and what to do.
std::string posix_aio_unavailable();
std::string io_uring_unavailable();
std::string io_uring_multishot_unavailable();

}  // namespace iolab::io
