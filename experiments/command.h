// A command of the one binary `iolab`. Each lives in a command_*.cpp beside its subject, which alone sees the heavy
// header of the command-line library, and adds itself to the program by a function declared in a small header.
#pragma once

namespace CLI {
class App;
}

namespace iolab {

// What the process ends with. Documented in `iolab --help`.
enum ExitCode : int {
  kOk = 0,
  kInternalError = 1,
  kUsage = 2,            // a wrong flag, command or value
  kInvalidSpec = 3,      // an experiment file, a properties file or a setting in it is wrong
  kCannotRunHere = 4,    // this machine, or the state of a port or directory, does not allow it
  kSomeCellsFailed = 5,  // finished, but some cells failed; with --require-all: a model cannot run
  kRegression = 6,       // something is clearly worse than --fail-if allows
  kTooNoisy = 7,         // with --strict: the data allow no verdict
  kInterrupted = 130,    // stopped by Ctrl-C; what was finished is kept
};

}  // namespace iolab
