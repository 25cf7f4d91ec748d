// What a test allocated at most at once, and a machine without memory: its executable replaces operator new.
#pragma once

#include <cstddef>

namespace iolab::test {

// Of all allocations since it was last set to 0.
std::size_t& largest_allocation();

// As long as it lives, every allocation fails.
class NoMemory {
 public:
  NoMemory();
  ~NoMemory();
  NoMemory(const NoMemory&) = delete;
  NoMemory& operator=(const NoMemory&) = delete;
};

}  // namespace iolab::test
