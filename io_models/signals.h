// The signals that models use, blocked before any thread exists: a new thread inherits the mask of its maker, and a
// real-time signal that finds one thread without the mask kills the process.
#pragma once

namespace iolab::io {

// Call it first in main(). Blocks SIGIO, SIGURG and all real-time signals; ignores SIGPIPE (a lost peer is a value that
// send() returns, never a signal).
void block_model_signals();

// What other threads send to wake one that sleeps in sigtimedwait(): a standard signal coalesces and needs no room in
// the queue of real-time signals, so it cannot be lost. SIGURG, because a late one, to a thread that has ended its
// loop, is ignored by default.
int wake_signal();

}  // namespace iolab::io
