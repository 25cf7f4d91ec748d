// The code under test, with the bug that its harness has to find.
#include "tests/fuzz/harness.h"

namespace iolab::fuzz {
const bool kPlantedBug = true;
}
