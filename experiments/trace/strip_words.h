// What the strip says beside what it draws, as recorded: of a piece, of a lane, and of all of them in its title.
#pragma once

#include <string>
#include <vector>

#include "experiments/trace/phases.h"

namespace iolab::lab {

// "epoll_wait; data there, thread not told yet: 179 us, returned 1".
std::string piece_text(const Piece& piece);
// How the thread waited, how long the answer took, and what of the trace was lost.
std::string lane_text(const Lane& lane);
// Who slept, and how short the copy is.
std::string title_for(const std::vector<Lane>& lanes);

}  // namespace iolab::lab
