// What this client can reach at most, here and now: the load, against the cheapest server there is.
#include "clients/canned_server.h"
#include "clients/load_kafka.h"
#include "clients/load_run.h"

namespace iolab::clients {

std::expected<LoadResult, std::string> measure_ceiling(LoadSpec spec, int server_cpu) {
  spec.idle_connections = 0;
  spec.stalled_connections = 0;
  spec.partitions = 1;
  spec.arrivals = Arrivals::closed;
  const auto server = CannedServer::start(spec, server_cpu);
  if (!server) return std::unexpected(server.error());
  spec.target = (*server)->address();
  if (spec.kind == LoadKind::echo) return run_load(spec);
  if (auto problem = problem_of(spec); !problem.empty()) return std::unexpected(problem);
  const auto script = spec.kind == LoadKind::produce ? canned_produce_script(spec) : canned_fetch_script(spec);
  if (!script) return std::unexpected(script.error());
  return run_script(spec, **script, {});
}

}  // namespace iolab::clients
