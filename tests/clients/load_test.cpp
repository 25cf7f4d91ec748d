// The load generator against servers that answer, close, lie, and say nothing. Deadlines are generous and nothing is
// asserted about how long anything takes, except that what was made to take long is seen.
#include "clients/load.h"

#include <gtest/gtest.h>

#include <atomic>

#include "broker/base/bytes.h"
#include "clients/dialogue.h"
#include "tests/clients/tiny_server.h"

namespace iolab::clients {
namespace {

using std::chrono::milliseconds;

LoadSpec echo_spec(const io::Address& target) {
  LoadSpec spec;
  spec.kind = LoadKind::echo;
  spec.target = target;
  spec.connections = 4;
  spec.warmup = milliseconds(20);
  spec.measure = milliseconds(200);
  spec.answer_deadline = milliseconds(500);
  return spec;
}

std::uint64_t errors(const LoadResult& result, LoadError error) {
  return result.errors[static_cast<std::size_t>(error)];
}

std::uint64_t count_above(const Histogram& histogram, milliseconds limit) {
  const auto ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(limit).count());
  return histogram.count() - histogram.count_up_to(ns);
}

TEST(Load, EchoIsCountedVerifiedAndTimed) {
  SCOPED_TRACE("a sound server gets errors, or requests and latencies do not belong together");
  TinyServer server(TinyServer::echo);
  auto spec = echo_spec(server.address());
  spec.idle_connections = 5;
  const auto result = run_load(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->connections_served, 4);
  EXPECT_EQ(result->idle_connections_served, 5);
  EXPECT_EQ(result->errors_total(), 0u) << result->note;
  EXPECT_GT(result->requests, 0u);
  EXPECT_EQ(result->payload_bytes, result->requests * spec.message_bytes);
  EXPECT_EQ(result->latency_ns.count(), result->requests - result->early + result->late);
  EXPECT_LE(result->early, 4u);  // what was outstanding at a border, at most
  EXPECT_LE(result->late, 4u);
  EXPECT_GE(result->duration_s, 0.2);
  EXPECT_GT(result->cpu_user_s + result->cpu_system_s, 0);
  EXPECT_GT(result->first_half_per_s, 0);
  EXPECT_GT(result->second_half_per_s, 0);
}

TEST(Load, ManyThreadsConnectionsAndRequestsInFlightAddUp) {
  SCOPED_TRACE("threads lose counts, or pipelined answers are given to the wrong request");
  TinyServer server(TinyServer::echo);
  auto spec = echo_spec(server.address());
  spec.threads = 3;
  spec.connections = 8;
  spec.idle_connections = 7;
  spec.in_flight = 5;
  spec.message_bytes = 700;
  const auto result = run_load(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->connections_served, 8);
  EXPECT_EQ(result->idle_connections_served, 7);
  EXPECT_EQ(result->errors_total(), 0u) << result->note;
  EXPECT_EQ(result->latency_ns.count(), result->requests - result->early + result->late);
  EXPECT_GT(result->requests, 0u);
}

TEST(Load, AnswersInPiecesAreReassembled) {
  SCOPED_TRACE("an answer that arrives byte by byte is taken for a wrong one");
  TinyServer server([held = std::vector<std::byte>()](int, std::span<const std::byte> bytes) mutable {
    held.insert(held.end(), bytes.begin(), bytes.end());
    const auto now = held.size() > 37 ? held.size() - 37 : held.size();  // the rest comes with the next piece
    Reaction reaction{.answer = {held.begin(), held.begin() + static_cast<std::ptrdiff_t>(now)}};
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(now));
    return reaction;
  });
  auto spec = echo_spec(server.address());
  spec.connections = 1;
  spec.in_flight = 3;
  spec.message_bytes = 37;  // the probe is answered whole, later ones always lack one message until more come
  spec.answer_deadline = milliseconds(50);
  const auto result = run_load(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(errors(*result, LoadError::wrong_bytes), 0u) << result->note;
  EXPECT_EQ(errors(*result, LoadError::wrong_answer), 0u) << result->note;
  EXPECT_GT(result->requests, 10u);
}

TEST(Load, AWrongByteIsNoticed) {
  SCOPED_TRACE("a server that does not do the work wins the comparison");
  std::atomic<bool> lie = false;
  TinyServer server([&](int, std::span<const std::byte> bytes) {
    auto reaction = TinyServer::echo(0, bytes);
    if (lie) reaction.answer.back() ^= std::byte{1};
    return reaction;
  });
  LoadEvents events;
  events.on_window_start = [&] { lie = true; };
  const auto result = run_load(echo_spec(server.address()), events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_GT(errors(*result, LoadError::wrong_bytes), 0u);
  EXPECT_LE(result->requests, 4u);  // only what was on its way when the lying began
  EXPECT_NE(result->note.find("differs"), std::string::npos) << result->note;
}

TEST(Load, AnAnswerMeantForAnotherConnectionIsNoticed) {
  SCOPED_TRACE("a server that mixes up connections passes, because all messages look alike");
  std::vector<std::byte> previous;
  TinyServer server([&](int, std::span<const std::byte> bytes) {
    Reaction reaction{.answer = previous.size() == bytes.size() ? previous : std::vector(bytes.begin(), bytes.end())};
    previous.assign(bytes.begin(), bytes.end());
    return reaction;
  });
  const auto result = run_load(echo_spec(server.address()));
  ASSERT_TRUE(result) << result.error();
  EXPECT_GT(errors(*result, LoadError::wrong_bytes), 0u);
}

TEST(Load, AConnectionThatTheServerClosesIsReportedAndTheRestGoesOn) {
  SCOPED_TRACE("one lost connection ends the whole trial, or goes unnoticed");
  std::atomic<bool> close = false;
  TinyServer server([&](int connection, std::span<const std::byte> bytes) {
    auto reaction = TinyServer::echo(connection, bytes);
    reaction.close = close && connection == 0;
    return reaction;
  });
  LoadEvents events;
  events.on_window_start = [&] { close = true; };
  const auto result = run_load(echo_spec(server.address()), events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(errors(*result, LoadError::closed_by_server), 1u);
  EXPECT_GT(result->requests, 0u);
  EXPECT_EQ(errors(*result, LoadError::unanswered), 0u);
}

TEST(Load, WhenAllConnectionsAreGoneTheRunEndsEarly) {
  SCOPED_TRACE("the lab waits for minutes for a server that has died");
  std::atomic<bool> close = false;
  TinyServer server([&](int connection, std::span<const std::byte> bytes) {
    auto reaction = TinyServer::echo(connection, bytes);
    reaction.close = close;
    return reaction;
  });
  auto spec = echo_spec(server.address());
  spec.measure = milliseconds(600'000);
  LoadEvents events;
  events.on_window_start = [&] { close = true; };
  const auto result = run_load(spec, events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(errors(*result, LoadError::closed_by_server), 4u);
  EXPECT_LT(result->duration_s, 300);
}

TEST(Load, ConnectionsThatAreNeverServedAreCountedAndLeftOut) {
  SCOPED_TRACE("a model that holds few connections hangs the lab, or is reported to hold them all");
  TinyServer server([](int connection, std::span<const std::byte> bytes) {
    return connection < 3 ? TinyServer::echo(connection, bytes) : Reaction{};
  });
  auto spec = echo_spec(server.address());
  spec.idle_connections = 6;
  spec.connect_stall = milliseconds(300);
  const auto result = run_load(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->connections_served + result->idle_connections_served, 3);
  EXPECT_EQ(errors(*result, LoadError::never_served), 7u);
  EXPECT_GT(result->requests, 0u);
}

TEST(Load, RequestsWithoutAnAnswerAreErrorsAndStillHaveALatency) {
  SCOPED_TRACE("a server that falls silent looks fast, because only what it answered is timed");
  // It falls silent a little after the window has begun, so that what it leaves unanswered was asked inside the window.
  std::atomic<bool> begun = false;
  std::atomic<int> answers_left = 50;
  TinyServer server([&](int connection, std::span<const std::byte> bytes) {
    return begun && answers_left-- <= 0 ? Reaction{} : TinyServer::echo(connection, bytes);
  });
  auto spec = echo_spec(server.address());
  spec.warmup = milliseconds(0);
  LoadEvents events;
  events.on_window_start = [&] { begun = true; };
  const auto result = run_load(spec, events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_GT(errors(*result, LoadError::unanswered), 0u);
  EXPECT_EQ(result->latency_ns.count(),
            result->requests - result->early + result->late + errors(*result, LoadError::unanswered));
  EXPECT_GE(result->latency_ns.max(), 500'000'000u);
}

TEST(Load, NobodyThereIsOneSentence) {
  SCOPED_TRACE("a wrong port gives an empty result, or a crash");
  io::Address nobody;
  {
    TinyServer server(TinyServer::echo);
    nobody = server.address();
  }
  auto spec = echo_spec(nobody);
  const auto result = run_load(spec);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("refused"), std::string::npos) << result.error();
}

TEST(Load, SpecsThatMakeNoSenseAreRefused) {
  SCOPED_TRACE("a typing error in a spec divides by zero or waits for ever");
  const auto refused = [](auto change) {
    LoadSpec spec;
    spec.target.port = 1;
    change(spec);
    const auto result = run_load(spec);
    return !result && result.error().find("makes no sense") != std::string::npos;
  };
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.target.port = 0; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.connections = 0; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.in_flight = 0; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.threads = 0; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.acks = 0; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.arrivals = Arrivals::open; }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.measure = milliseconds(0); }));
  EXPECT_TRUE(refused([](LoadSpec& spec) { spec.message_bytes = 0; }));
}

TEST(Load, StoppingKeepsWhatWasMeasured) {
  SCOPED_TRACE("Ctrl-C in a long trial loses it, or waits for its end");
  TinyServer server(TinyServer::echo);
  auto spec = echo_spec(server.address());
  spec.measure = milliseconds(600'000);
  std::stop_source stop;
  std::jthread stopper;
  LoadEvents events;
  events.stop = stop.get_token();
  events.on_window_start = [&] { stopper = std::jthread([&] { stop.request_stop(); }); };
  bool ended = false;
  events.on_window_end = [&] { ended = true; };
  const auto result = run_load(spec, events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_TRUE(ended);
  EXPECT_LT(result->duration_s, 300);
}

TEST(Load, TheLabCanSendItHomeBeforeItStarts) {
  SCOPED_TRACE("a cell that cannot hold its connections is measured all the same");
  TinyServer server(TinyServer::echo);
  LoadEvents events;
  events.on_ready = [](const LoadResult& so_far) { return so_far.connections_served != 4; };
  bool started = false;
  events.on_window_start = [&] { started = true; };
  const auto result = run_load(echo_spec(server.address()), events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_FALSE(started);
  EXPECT_EQ(result->requests, 0u);
}

TEST(Load, AStallShowsInAnOpenLoopAndHidesInAClosedOne) {
  SCOPED_TRACE("coordinated omission: a pause of the server costs one request instead of all that fell due in it");
  const auto run = [](Arrivals arrivals) {
    std::atomic<bool> stall = false;
    TinyServer server([&](int connection, std::span<const std::byte> bytes) {
      auto reaction = TinyServer::echo(connection, bytes);
      if (stall.exchange(false)) reaction.stall = milliseconds(400);
      return reaction;
    });
    auto spec = echo_spec(server.address());
    spec.arrivals = arrivals;
    spec.rate_per_s = 500;
    spec.measure = milliseconds(800);
    spec.answer_deadline = milliseconds(20'000);
    LoadEvents events;
    events.on_window_start = [&] { stall = true; };
    auto result = run_load(spec, events);
    EXPECT_TRUE(result) << result.error();
    return result ? *result : LoadResult{};
  };
  const auto open = run(Arrivals::open), closed = run(Arrivals::closed);
  // 500/s for 800 ms are 400 requests; those of 400 ms waited, half of them longer than 200 ms.
  EXPECT_NEAR(static_cast<double>(open.latency_ns.count()), 500 * open.duration_s, 8);
  EXPECT_GE(count_above(open.latency_ns, milliseconds(200)), 80u);
  EXPECT_GT(open.held_back, 0u);
  EXPECT_EQ(open.errors_total(), 0u) << open.note;
  if (closed.latency_ns.percentile(0.5) > 100'000'000u) GTEST_SKIP() << "this machine stalls by itself just now";
  // A closed loop asked nothing meanwhile: one request for each connection saw the stall.
  const auto seen = static_cast<double>(count_above(closed.latency_ns, milliseconds(200)));
  EXPECT_LT(seen / static_cast<double>(closed.latency_ns.count()), 0.1);
}

TEST(Load, ARateAboveWhatTheServerCanDoIsCalledOverloaded) {
  SCOPED_TRACE("an open loop that the server cannot follow reports the latency of the few requests that came through");
  TinyServer server([](int connection, std::span<const std::byte> bytes) {
    auto reaction = TinyServer::echo(connection, bytes);
    reaction.stall = milliseconds(5);
    return reaction;
  });
  auto spec = echo_spec(server.address());
  spec.arrivals = Arrivals::open;
  spec.rate_per_s = 2'000;  // ten times what a server that takes 5 ms can do
  spec.measure = milliseconds(300);
  spec.answer_deadline = milliseconds(100);
  const auto result = run_load(spec);
  ASSERT_TRUE(result) << result.error();
  EXPECT_TRUE(result->overloaded);
  EXPECT_GT(result->unsent, 0u);
  // Every request that fell due is in it.
  EXPECT_NEAR(static_cast<double>(result->latency_ns.count()), 2'000 * result->duration_s, 12);
}

TEST(Load, AStalledPeerIsOneThatTheServerHasStoppedReading) {
  SCOPED_TRACE("the window begins while a slow server still works off what it will get no thanks for");
  constexpr int kPiecesRead = 20;
  std::atomic<int> pieces = 0;
  TinyServer server([&](int connection, std::span<const std::byte> bytes) -> Reaction {
    const bool probe = bytes.size() <= 64;
    if (connection == 0 || (probe && pieces == 0)) return TinyServer::echo(connection, bytes);
    return {.read_no_more = ++pieces == kPiecesRead, .stall = milliseconds(40)};
  });
  auto spec = echo_spec(server.address());
  spec.connections = spec.idle_connections = spec.stalled_connections = 1;
  int at_ready = 0;
  LoadEvents events;
  events.on_ready = [&](const LoadResult&) {
    at_ready = pieces;
    return true;
  };
  const auto result = run_load(spec, events);
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(at_ready, kPiecesRead);
  EXPECT_EQ(pieces, kPiecesRead);
  EXPECT_EQ(result->errors_total(), 0u) << result->note;
  EXPECT_GT(result->requests, 0u);
}

TEST(Load, AServerThatNeverStopsReadingIsOneSentence) {
  SCOPED_TRACE("the load waits for ever for a server that never fills up, or measures although nobody is stalled");
  TinyServer server([](int connection, std::span<const std::byte> bytes) -> Reaction {
    return connection == 0 || bytes.size() <= 64 ? TinyServer::echo(connection, bytes) : Reaction{};
  });
  auto spec = echo_spec(server.address());
  spec.connections = spec.idle_connections = spec.stalled_connections = 1;
  spec.connect_deadline = milliseconds(900);
  const auto result = run_load(spec);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("goes on reading from a client that takes no answer"), std::string::npos)
      << result.error();
}

TEST(Load, ALengthThatNoAnswerHasIsNotBelieved) {
  SCOPED_TRACE("a server that sends garbage makes the client allocate gigabytes, or wait for them");
  const Framing framing{.probe = {}, .longest_bytes = 1000};
  const auto length_of = [&](std::uint32_t size, std::size_t bytes) {
    std::vector<std::byte> prefix(4);
    base::store_big_endian(prefix.data(), size);
    return framing.answer_bytes(std::span(prefix).first(bytes));
  };
  EXPECT_EQ(length_of(1000, 4), 1004);
  EXPECT_EQ(length_of(1000, 3), 0);
  EXPECT_LT(length_of(1001, 4), 0);
  EXPECT_LT(length_of(3, 4), 0);
  EXPECT_LT(length_of(0xffffffff, 4), 0);
}

TEST(Load, TheCeilingOfEachKindIsReachedWithoutAnError) {
  SCOPED_TRACE("the client's own limit cannot be measured, or is measured with answers that are refused");
  for (const auto kind : {LoadKind::echo, LoadKind::produce, LoadKind::fetch}) {
    LoadSpec spec;
    spec.kind = kind;
    spec.connections = 3;
    spec.idle_connections = 2;
    spec.stalled_connections = 1;
    spec.in_flight = 2;
    spec.records_per_batch = 10;
    spec.fetch_max_bytes = 300'000;
    spec.warmup = milliseconds(10);
    spec.measure = milliseconds(100);
    const auto result = measure_ceiling(spec, -1);
    ASSERT_TRUE(result) << result.error();
    EXPECT_EQ(result->errors_total(), 0u) << name(kind) << ": " << result->note;
    EXPECT_GT(result->requests, 0u) << name(kind);
    EXPECT_GT(result->payload_bytes, result->requests) << name(kind);
  }
}

}  // namespace
}  // namespace iolab::clients
