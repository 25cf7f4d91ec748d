// How an axis, and a combination of values of all axes, is called in a report.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/spec/spec.h"
#include "experiments/words/words.h"

namespace iolab::lab {

// "idle connections"; the last part of the path for an axis that has no name of its own, such as Kafka's properties.
std::string axis_label(const Words& words, std::string_view path);

// "32 busy connections, 64 KiB records"; `at` is an index into the values of each axis.
std::string level_label(const Words& words, const std::vector<Axis>& axes, const std::vector<std::size_t>& at);

}  // namespace iolab::lab
