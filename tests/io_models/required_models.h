// Where a model may be skipped. In CI (IOLAB_REQUIRE_ALL_MODELS) it may not, with one exception, which has its reason.
#pragma once

#include <cstdlib>
#include <string_view>

namespace iolab::io {

inline bool must_run_here([[maybe_unused]] std::string_view id) {
#ifdef __SANITIZE_THREAD__
  if (id == "posix-aio") return false;  // see posix_aio_unavailable(): the sanitizer does not survive glibc's threads
#endif
  return std::getenv("IOLAB_REQUIRE_ALL_MODELS") != nullptr;
}

}  // namespace iolab::io
