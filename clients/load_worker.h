// One thread of the load generator: its connections, its epoll instance, its counts. Level-triggered, one receive and
// at most one send for each event. A window's borders are set by the first worker and read by all.
//
// Not thread-safe; open(), run() and slice() belong to one thread. Workers share only the Course.
#pragma once

#include <array>
#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "clients/clock.h"
#include "clients/dialogue.h"
#include "clients/load.h"
#include "clients/load_tally.h"
#include "clients/schedule.h"
#include "io_models/socket.h"

namespace iolab::clients {

struct LoadConnection {
  enum class State : std::uint8_t { connecting, probing, served, gone };

  io::Fd fd;
  State state = State::connecting;
  bool active = false;         // sends requests; otherwise it is only there
  bool waits_to_send = false;  // registered for EPOLLOUT
  std::uint64_t position = 0;  // among the active connections that were served
  std::uint64_t due = 0;       // open loop: requests that have fallen due so far
  std::uint64_t started = 0;   // handed to the socket, or waiting for room in it
  std::uint64_t answered = 0;
  Nanoseconds room_since = 0;          // when a full connection last had room again
  std::unique_ptr<Dialogue> dialogue;  // of active connections
  std::vector<Nanoseconds> due_ns;     // of each slot's request
  std::vector<iovec> unsent;           // what the socket has not taken yet, from unsent_first on
  std::size_t unsent_first = 0;
  std::vector<std::byte> partial;  // an answer that has arrived in part; its size is room, not bytes
  std::size_t partial_bytes = 0;
};

// The share of one worker, and of the load.
struct WorkerShare {
  int first_connection = 0;  // of all active connections
  int connections = 0;
  int idle_connections = 0;
  int stalled_connections = 0;  // the first of the idle ones
  bool sets_borders = false;
};

class LoadWorker {
 public:
  LoadWorker(const LoadSpec& spec, const Script& script, WorkerShare share);

  // Connects everything, has each connection served once, and waits until the server has stopped reading from those
  // that are to be stalled. What could not be is in the tally; the error is for what stops the whole load (no epoll
  // instance, a server that reads on and on).
  std::expected<void, std::string> open(std::stop_token stop);
  int active_served() const { return active_served_; }
  int idle_served() const { return idle_served_; }
  Nanoseconds open_ns() const { return open_ns_; }  // until the last of them was served

  // Warm-up, window, and the answers still owed.
  void run(Course& course, const LoadEvents& events);

  // Load for `length`, then the answers still owed are awaited, so that the next slice starts from rest. An open loop
  // begins its timetable anew in each slice. The error says that an answer did not come within `patience`.
  struct Slice {
    std::uint64_t requests = 0;
    Nanoseconds ns = 0;
  };
  std::expected<Slice, std::string> slice(Nanoseconds length, Nanoseconds patience);

  LoadTally& tally() { return tally_; }

 private:
  void start_connecting(std::size_t index);
  void drop_unserved();
  void connected(LoadConnection& connection);
  void served(LoadConnection& connection);
  struct StalledPeer {
    LoadConnection* connection = nullptr;
    std::size_t at = 0;  // in the requests that are sent again and again
    int queued = -1;     // bytes that its server's kernel has not taken
  };
  std::expected<void, std::string> stall_peers(std::stop_token stop, Nanoseconds deadline);
  bool ask_in_vain(StalledPeer& peer, std::span<const std::byte> many);
  void lose(LoadConnection& connection, LoadError error, std::string_view why);
  void watch(LoadConnection& connection, bool for_room);

  void turn(Nanoseconds timeout);
  void receive(LoadConnection& connection);
  std::size_t take_answers(LoadConnection& connection, std::span<const std::byte> bytes, Nanoseconds now);
  void keep_rest(LoadConnection& connection, std::span<const std::byte> rest);
  void answer(LoadConnection& connection, std::span<const std::byte> bytes, Nanoseconds now);
  void ask(LoadConnection& connection, Nanoseconds now);
  void flush(LoadConnection& connection);

  void begin_timetable(Nanoseconds begin);
  void release_due(Nanoseconds now);
  Nanoseconds time_to_wait(Nanoseconds now) const;
  void set_borders(const LoadEvents& events, Nanoseconds now);
  void end_window(const LoadEvents& events);
  void await_owed(std::stop_token stop);
  void give_up_owed(Nanoseconds now);

  const LoadSpec& spec_;
  const Script& script_;
  const WorkerShare share_;
  io::Fd epoll_;
  std::vector<LoadConnection> connections_;  // active ones first; the index is what epoll hands back
  std::vector<std::byte> scratch_;           // where a receive lands as long as answers arrive whole
  std::optional<Schedule> schedule_;         // open loop
  std::vector<std::size_t> active_;          // indices of the active connections that were served
  Course own_course_;                        // of slices
  Course* course_ = &own_course_;            // whose window answers are counted against
  bool asking_ = false;                      // connections with room send requests
  int active_served_ = 0;
  int idle_served_ = 0;
  int opening_ = 0;            // connections started and not served yet
  std::uint64_t owed_ = 0;     // answers, over all connections
  std::uint64_t waiting_ = 0;  // open loop: requests that are due and not sent, over all connections
  Nanoseconds last_served_ = 0;
  Nanoseconds last_change_ = 0;  // a connection was served, or lost before it was
  Nanoseconds open_ns_ = 0;
  Nanoseconds next_border_ = kNever;  // of the worker that sets them
  LoadTally tally_;
};

}  // namespace iolab::clients
