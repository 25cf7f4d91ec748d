// The line of source behind a "file:line" of a trace, kept with the trace, because later commits move lines.
#pragma once

#include <string>

namespace iolab::lab {

// Without the blanks around it. Empty if the sources that this program was built from are not here, or if the file has
// been changed since.
std::string source_line(const std::string& where);

}  // namespace iolab::lab
