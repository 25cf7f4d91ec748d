// The table. A new model is a row here, a function in frontends.h and a file in its family's folder; the contract test
// then runs it without further ado.
#include "io_models/registry.h"

#include "io_models/frontends.h"

namespace iolab::io {
namespace {

[[maybe_unused]] std::string never_missing() {
  return {};
}

}  // namespace

std::span<const ModelEntry> models() {
  static const std::vector<ModelEntry> entries = {};
  return entries;
}

}  // namespace iolab::io
