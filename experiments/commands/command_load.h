// `iolab load`: the load generator as a process of its own, so that the lab can pin it to a CPU apart from the server.
// Made for the lab, hidden from --help; people use `iolab perf`.
//
//   iolab load --spec FILE|-     the spec, as experiments/load_json.h says; "-": it is the first line on stdin
//              --no-handshake    do not wait for "go"
//              --ceiling CPU     against a trivial server of its own, pinned to that CPU (-1: anywhere), instead
//
// What is said on stdout, a line each, written at once:
//   ready ACTIVE IDLE      so many connections have been served; the topic is there. Now a line is awaited on stdin:
//                          "go" starts the warm-up, anything else, or the end of stdin, ends here.
//   window-start           the measured window begins: read the server's counters now
//   window-end             it is over
//   answered               no answer is awaited any more; all connections are still open: read what threads and memory
//                          the server has now. Now "close" is awaited.
//   result {...}           the result, on one line; the last thing that is said
// While the load runs, "stop" or the end of stdin ends it early, with a result: no load outlives its lab. With
// --no-handshake stdin is not read, and nothing is awaited. A failure is a sentence on stderr; exit codes: 0, 3 (spec),
// 4 (target).
#pragma once

namespace CLI {
class App;
}

namespace iolab::lab {

void add_load_command(CLI::App& app, int& exit_code);

}  // namespace iolab::lab
