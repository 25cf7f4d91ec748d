// The models as the binary under test lists them (`iolab models --json`), with what a report needs to draw each: its
// colour, marker, dash and hatch, which are the same in every figure. Variants keep their family's colour.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/machine/process.h"

namespace iolab::lab {

struct ModelInfo {
  std::string id;
  std::string family;
  std::string summary;
  bool available = true;
  std::string reason;
  std::vector<std::string> features;
  std::map<std::string, std::vector<std::string>> option_features = {};  // "sqpoll=on" -> what it adds to `features`
};

// In teaching order; the control `null` is left out, because it has no sockets to measure.
std::expected<std::vector<ModelInfo>, std::string> ask_for_models(const OwnBinary& binary);
std::expected<std::vector<ModelInfo>, std::string> parse_models(std::string_view json_text);

std::vector<std::string> ids_of(const std::vector<ModelInfo>& models);

// What `iolab broker` or `iolab probe` would say is wrong with these flags of it; empty: nothing, or it could not be
// asked.
std::string complaint_of(const OwnBinary& binary, const std::string& command, const std::vector<std::string>& flags);

// Of a model with or without options, "io_uring:sqpoll=on". One that is not in the list does nothing of this.
// It asks, and never waits:
bool never_sleeps(const std::vector<ModelInfo>& models, std::string_view model);
// It leaves a thread of the kernel behind that looks for orders:
bool kernel_thread_spins(const std::vector<ModelInfo>& models, std::string_view model);
// One or the other: its CPU goes on when nobody asks anything.
bool spins(const std::vector<ModelInfo>& models, std::string_view model);

struct ModelLook {
  std::string color;
  std::string marker;             // of matplotlib
  std::string dash;               // name of matplotlib, or empty
  std::vector<double> intervals;  // if `dash` is empty: on, off, ... in points
  std::string hatch;
  double line_width = 1.6;
};
ModelLook look_of(std::string_view model);  // "nonblocking:idle=yield" looks like nonblocking

// The look of a variant, of which `earlier` other series of the same model have been named: the first keeps the model's
// look; those after it keep its colour, and have a marker, dash and hatch of their own. Twelve can be told apart.
ModelLook variant_look(ModelLook look, std::size_t earlier);

int family_number(std::string_view family);  // Stevens' section 6.n; 0 for controls

}  // namespace iolab::lab
