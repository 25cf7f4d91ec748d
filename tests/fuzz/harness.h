// What every harness shares: a way to say that a promise was broken, and the switch of its planted bug.
//
// A harness is one function, LLVMFuzzerTestOneInput; libFuzzer or replay_main.cpp calls it. It aborts if the code under
// test breaks a promise; what the code reads or writes out of bounds, the sanitizers report.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace iolab::fuzz {

// True only in the executables that prove that the harness notices a bug.
extern const bool kPlantedBug;

inline void promise(bool kept, const char* sentence) {
  if (kept) return;
  std::fprintf(stderr, "promise broken: %s\n", sentence);
  std::abort();
}

}  // namespace iolab::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
