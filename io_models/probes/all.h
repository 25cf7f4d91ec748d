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
Probe signals_per_message();
Probe edge_trap();
Probe event_per_arrival();
Probe high_fd();
Probe frozen_loop();
Probe several_services();
Probe java_sockets();
Probe accept_storm();

}  // namespace iolab::io::probes
