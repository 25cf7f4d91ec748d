// In a file of its own: inlined into their callers, new and delete look mismatched to the compiler. One thread only.
#include "tests/broker/base/allocations.h"

#include <cstdlib>
#include <new>

namespace {
std::size_t largest = 0;
bool refused = false;
}  // namespace

// With all forms of arrays, too: a sanitizer's new[] does not come here by itself.
void* operator new(std::size_t bytes) {
  if (bytes > largest) largest = bytes;
  if (void* memory = refused ? nullptr : std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t bytes) {
  return ::operator new(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace iolab::test {

std::size_t& largest_allocation() {
  return largest;
}

NoMemory::NoMemory() {
  refused = true;
}
NoMemory::~NoMemory() {
  refused = false;
}

}  // namespace iolab::test
