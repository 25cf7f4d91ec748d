// What this binary was built from: written anew by experiments/build_info.cmake at each build.
#pragma once

namespace iolab::lab {

struct BuildInfo {
  const char* commit;      // "592c6f3", or "unknown" outside of a git work tree
  bool dirty;              // there were changes that no commit holds
  const char* compiler;    // "GNU 12.2.0"
  const char* build_type;  // "Release"
  const char* flags;
  const char* source_directory;  // where scripts/ lay when it was built
  const char* version;
};
const BuildInfo& build_info();

}  // namespace iolab::lab
