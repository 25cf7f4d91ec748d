#include "io_models/socket.h"
