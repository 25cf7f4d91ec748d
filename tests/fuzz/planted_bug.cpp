// The code under test, as it is.
#include "tests/fuzz/harness.h"

namespace iolab::fuzz {
const bool kPlantedBug = false;
}
