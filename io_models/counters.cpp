#include "io_models/counters.h"
