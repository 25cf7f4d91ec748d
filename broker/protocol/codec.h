// The visitors of the hot path in one include: how a message is declared, sized, written and read.
//
// Printer, Describer and Sampler, which walk the same declarations for people and for tests, have headers of their own.
#pragma once

#include "broker/protocol/decoder.h"
#include "broker/protocol/encoder.h"
#include "broker/protocol/field.h"
#include "broker/protocol/sizer.h"
