#include "io_models/system_calls.h"
