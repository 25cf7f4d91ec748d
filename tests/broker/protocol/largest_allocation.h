// What a test allocated at most at once: its executable replaces operator new.
#pragma once

#include <cstddef>

namespace iolab::protocol {

// Of all allocations since it was last set to 0.
std::size_t& largest_allocation();

}  // namespace iolab::protocol
