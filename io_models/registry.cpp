// The table. A new model is a row here, a function in frontends.h and a file in its family's folder; the contract test
// then runs it without further ado.
#include "io_models/registry.h"

#include "io_models/frontends.h"

namespace iolab::io {
namespace {

std::string never_missing() {
  return {};
}

}  // namespace

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> entries = {
      {"null",
       "control",
       "no network: recorded request bytes go into a session from memory; the cost of the broker alone",
       {},
       {{"split", "0..1000000000", "0",
         "seed of random pieces to cut the script into; 0: as much as the session takes"},
        {"repeat", "1..1000000000", "1", "how often each script is sent on its connection"}},
       Listeners::none,
       1,
       never_missing,
       make_null},
  };
  return entries;
}

}  // namespace iolab::io
