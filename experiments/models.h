// The models as the binary under test lists them (`iolab models --json`), with what a report needs to draw each: its
// colour, marker, dash and hatch, which are the same in every figure. Variants keep their family's colour.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/process.h"

namespace iolab::lab {

struct ModelInfo {
  std::string id;
  std::string family;
  std::string summary;
  bool available = true;
  std::string reason;
  std::vector<std::string> features;
};

// In teaching order; the control `null` is left out, because it has no sockets to measure.
std::expected<std::vector<ModelInfo>, std::string> ask_for_models(const OwnBinary& binary);
std::expected<std::vector<ModelInfo>, std::string> parse_models(std::string_view json_text);

struct ModelLook {
  std::string color;
  std::string marker;             // of matplotlib
  std::string dash;               // name of matplotlib, or empty
  std::vector<double> intervals;  // if `dash` is empty: on, off, ... in points
  std::string hatch;
  double line_width = 1.6;
};
ModelLook look_of(std::string_view model);  // "nonblocking:idle=yield" looks like nonblocking

int family_number(std::string_view family);  // Stevens' section 6.n; 0 for controls

}  // namespace iolab::lab
