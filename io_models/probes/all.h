// The probes, one to a file.
#pragma once

#include "io_models/probes/probe.h"

namespace iolab::io::probes {

Probe phases();
Probe meanwhile();
Probe short_reads();
Probe aio_honesty();
Probe copy_count();
Probe lost_signal();
Probe edge_trap();
Probe high_fd();

}  // namespace iolab::io::probes
