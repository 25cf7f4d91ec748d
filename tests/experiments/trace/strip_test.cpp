// The two views of a traced request: what is drawn of it, and what is printed.
#include "experiments/trace/strip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "experiments/trace/kernel_events.h"
#include "experiments/trace/ladder.h"
#include "experiments/trace/source_line.h"
#include "experiments/trace/trace_pass.h"
#include "tests/experiments/trace/made_up_trace.h"

namespace iolab::lab {
namespace {

using testing::HasSubstr;

const StripSubject kSubject{.id = "one_request", .work = "one produced record", .exemplar = "median"};

Lane a_loop() {
  return make_lane(
      "epoll",
      parse_trace(line({.call = "epoll_wait", .entered = 120, .returned = 1020, .result = 1, .cpu = 9}) +
                  line({.call = "recvmsg", .entered = 1021, .returned = 1024, .result = 142, .arrived = 1010}) +
                  line({.call = "send", .entered = 1040, .returned = 1062, .result = 48})),
      {{0, 100'000}, {1'000'000, 1'060'000}}, 1);
}

Lane a_missing_model() {
  Lane missing;
  missing.series = "sigio";
  missing.missing = "no queued signals";
  return missing;
}

TEST(Strip, EveryModelIsALaneAndNothingLeavesTheAxis) {
  SCOPED_TRACE("a model that could not run is missing from the picture, or a piece is drawn outside of it");
  const auto chart = strip_chart({a_loop(), a_missing_model()}, kSubject);
  const auto& lanes = chart["panels"][0]["lanes"];
  ASSERT_EQ(lanes.size(), 2u);
  EXPECT_EQ(lanes[1]["missing"], "no queued signals");
  for (const auto& event : lanes[0]["events"]) {
    EXPECT_LE(chart["x"]["min"], event["draw_from_us"]);
    EXPECT_LE(event["draw_from_us"], event["draw_to_us"]);
    EXPECT_LE(event["draw_to_us"], chart["x"]["max"]);
  }
  EXPECT_THAT(lanes[0]["text"].get<std::string>(), HasSubstr("slept 890 us on 9.00 us of CPU"));
}

TEST(Strip, TheTitleSaysWhoSleepsAndHowShortTheCopyIs) {
  SCOPED_TRACE("the title speaks of CPU that includes the copy, or of a copy that nobody saw");
  Lane asks = a_loop();
  asks.series = "nonblocking";
  for (auto& piece : asks.pieces) {
    if (piece.doing == Doing::blocked) piece.doing = Doing::spinning;
  }
  EXPECT_EQ(strip_chart({a_loop(), a_loop(), asks}, kSubject)["title"],
            "All models but nonblocking sleep in phase 1; where it can be seen, the copy takes 3.00 us");
  EXPECT_EQ(strip_chart({a_missing_model()}, kSubject)["title"], "One request through every model");
}

TEST(Strip, ABorderThatIsNotKnownIsNotCalledArrival) {
  SCOPED_TRACE("the sender's clock is drawn as the arrival of the data");
  const auto trace = line({.call = "aio_read", .entered = 118, .returned = 120, .result = 0}) +
                     line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                     line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142}) +
                     line({.call = "aio_write", .entered = 1050, .returned = 1054, .result = 0});
  const auto lane = make_lane("posix-aio", parse_trace(trace), {{0, 100'000}, {1'000'000, 1'060'000}}, 1);
  const auto chart = strip_chart({lane}, kSubject);
  const auto& drawn = chart["panels"][0]["lanes"][0];
  EXPECT_EQ(drawn["border"], "at_most");
  EXPECT_EQ(drawn["marks"][0]["label"], "sent (arrived not before)");
  EXPECT_EQ(drawn["marks"][0]["kind"], "sent");
  for (const auto& event : drawn["events"]) {
    EXPECT_NE(event["state"], "copied_for_us");
    EXPECT_NE(event["state"], "notice");
  }
  const auto ladder = ladder_chart(lane, kSubject);
  EXPECT_TRUE(std::ranges::any_of(ladder["steps"], [](const auto& step) { return step["kind"] == "sent"; }));
}

TEST(Strip, SleepInACallThatCopiesIsNotSaidToCostItsCpu) {
  SCOPED_TRACE("the CPU of the copy is called the price of sleeping");
  const auto lane = make_lane(
      "blocking",
      parse_trace(
          line({.call = "recvmsg", .entered = 130, .returned = 1030, .result = 142, .arrived = 1010, .cpu = 12}) +
          line({.call = "send", .entered = 1045, .returned = 1058, .result = 48})),
      {{0, 100'000}, {1'000'000, 1'060'000}}, 1);
  const auto chart = strip_chart({lane}, kSubject);
  EXPECT_THAT(chart["panels"][0]["lanes"][0]["text"].get<std::string>(), HasSubstr("12.0 us of CPU in that call"));
}

TEST(Strip, WaitingForTheBrokerIsSaidAndDrawn) {
  SCOPED_TRACE("a request that waits for a sync of the log seems to be worked on, or answered, all the time");
  const auto lane = make_lane(
      "nonblocking",
      parse_trace(line({.call = "recvmsg", .entered = 120, .returned = 1020, .result = 142, .arrived = 1010}) +
                  line({.call = "accept4", .entered = 1030, .returned = 1031, .result = -11}) +
                  line({.call = "accept4", .entered = 1037, .returned = 1040, .result = -11}) +
                  line({.call = "send", .entered = 1050, .returned = 1055, .result = 48})),
      kTwo, 1);
  const auto chart = strip_chart({lane}, kSubject);
  const auto& drawn = chart["panels"][0]["lanes"][0];
  EXPECT_THAT(drawn["text"].get<std::string>(),
              HasSubstr("answered after 50.0 us, 10.0 us of them waiting for the broker"));
  const auto waits = std::ranges::find_if(drawn["events"], [](const auto& e) { return e["state"] == "broker_waits"; });
  ASSERT_NE(waits, drawn["events"].end());
  EXPECT_EQ((*waits)["text"], "accept4 in vain while the answer was not ready, 2 times in 10.0 us");
  const auto text = strip_text(Words::in(Language::english), {lane}, {.width = 100});
  EXPECT_THAT(text, HasSubstr("waited for the broker 10.0"));
  EXPECT_THAT(text, HasSubstr("w waiting for the broker"));
  const auto ladder = ladder_chart(lane, kSubject);
  const auto said = [&](const char* list, const char* what) {
    return std::ranges::any_of(ladder[list], [&](const auto& each) { return each["text"] == what; });
  };
  EXPECT_TRUE(said("phases", "waits for the broker: 10.0 us"));
  EXPECT_TRUE(said("steps", "accept4() in vain, 2 times"));
  EXPECT_THAT(Words::in(Language::chinese).retold(drawn["text"].get<std::string>()), HasSubstr("在等待 broker"));
}

TEST(Strip, ACopyThatBeganBeforeTheLastByteCameCounts) {
  SCOPED_TRACE("the longest copy of a long request is in the title, and in no figure below it");
  const auto lane = make_lane(
      "nonblocking",
      parse_trace(line({.call = "recvmsg", .entered = 120, .returned = 1000, .result = -11}) +
                  line({.call = "recvmsg", .entered = 1006, .returned = 1027, .result = 65'000, .arrived = 1010}) +
                  line({.call = "recvmsg", .entered = 1028, .returned = 1029, .result = 142, .arrived = 1010}) +
                  line({.call = "send", .entered = 1045, .returned = 1055, .result = 48})),
      kTwo, 1);
  EXPECT_THAT(strip_text(Words::in(Language::english), {lane}, {.width = 100}), HasSubstr("copied in 22.0"));
  const auto title = strip_chart({a_loop(), lane}, kSubject)["title"].get<std::string>();
  EXPECT_THAT(title, HasSubstr("22.0 us")) << "beside one that sleeps: of a lane alone there is nothing to be said";
  const auto ladder = ladder_chart(lane, kSubject);
  std::vector<std::string> phases;
  for (const auto& phase : ladder["phases"]) phases.push_back(phase["text"]);
  ASSERT_FALSE(phases.empty());
  EXPECT_THAT(phases, testing::Contains(HasSubstr("21.0 us")));
  EXPECT_THAT(phases.front(), testing::AllOf(HasSubstr("wait for data"), HasSubstr("886.0 us")))
      << "until the copy begins";
}

TEST(Strip, WhatWasLostIsSaid) {
  SCOPED_TRACE("a trace that had no room for all looks whole");
  Lane lane = a_loop();
  lane.lost_calls = 1234;
  lane.lost_records = 5;
  const auto chart = strip_chart({lane}, kSubject);
  const auto& drawn = chart["panels"][0]["lanes"][0];
  const auto text = drawn["text"].get<std::string>();
  EXPECT_THAT(text, HasSubstr("1,234 calls of later requests had no room in the trace"));
  EXPECT_THAT(text, HasSubstr("5 records of the kernel were lost"));
  EXPECT_EQ(drawn["lost_calls"], 1234);
  EXPECT_EQ(drawn["lost_kernel_records"], 5);
  EXPECT_THAT(Words::in(Language::chinese).retold(text), testing::AllOf(HasSubstr("放不下"), HasSubstr("睡了 890 us")));
  std::istringstream printed(strip_text(Words::in(Language::english), {lane}, {.width = 140}));
  std::string one_line;
  for (std::string word; printed >> word;) one_line += word + " ";
  EXPECT_THAT(one_line, testing::AllOf(HasSubstr("1,234 calls"), HasSubstr("5 records of the kernel")));
  EXPECT_THAT(strip_text(Words::in(Language::english), {a_loop()}, {.width = 140}), testing::Not(HasSubstr("lost")));
}

TEST(Strip, EveryStateHasAHatchOrAGreyOfItsOwn) {
  SCOPED_TRACE("on a grey print two states are one, or one has no name");
  const auto lightness = [](const std::string& color) {
    const auto part = [&](std::size_t at) { return std::stoi(color.substr(at, 2), nullptr, 16) / 255.0; };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  };
  const auto states = doing_states();
  for (std::size_t i = 0; i < states.size(); ++i) {
    const auto label = states[i]["label"].get<std::string>();
    EXPECT_NE(Words::in(Language::chinese).retold(label), label);
    for (std::size_t j = 0; j < i; ++j) {
      const double apart = std::abs(lightness(states[i]["color"]) - lightness(states[j]["color"]));
      EXPECT_TRUE(states[i]["hatch"] != states[j]["hatch"] || apart > 0.1) << states[i] << states[j];
    }
  }
}

TEST(Strip, ASourceLineIsKeptWithItsCall) {
  SCOPED_TRACE("a later commit moves the lines, and a recorded trace points to others");
  EXPECT_THAT(source_line("io_models/udp_echo.cpp:1"), testing::AnyOf("", "#include \"io_models/udp_echo.h\""));
  EXPECT_EQ(source_line("io_models/udp_echo.cpp:99999"), "");
  EXPECT_EQ(source_line("no/such/file.cpp:1"), "");
  EXPECT_EQ(source_line(""), "");
}

TEST(Strip, WhatTracingCostsIsToldOnlyIfItCanBe) {
  SCOPED_TRACE("one piece against another is called the price of tracing, whatever the machine did meanwhile");
  const auto model = [](std::vector<PairOfPieces> pairs) {
    TracedModel traced;
    traced.pairs = std::move(pairs);
    return traced;
  };
  const auto calm = model({{100, 130}, {105, 140}, {100, 120}});
  EXPECT_EQ(overhead_of({calm}), "a traced request took 1.30 times as long");
  EXPECT_THAT(overhead_of({calm, model({{50, 75}, {50, 75}, {50, 75}}), calm}),
              HasSubstr("1.30 times as long (the median of 3 models; 1.30 to 1.50)"));
  EXPECT_THAT(overhead_of({model({{100, 130}, {160, 210}, {100, 90}})}), HasSubstr("cannot be told"));
  EXPECT_EQ(overhead_of({model({})}), "");
}

TEST(Strip, RecordedPiecesGoForwards) {
  SCOPED_TRACE("a piece of a recorded trace ends before it begins");
  int looked_at = 0;
  for (const auto& run : std::filesystem::directory_iterator(IOLAB_SOURCE_DIR "/results/reference")) {
    std::ifstream file(run.path() / "traces/charts.json");
    if (!file) continue;
    for (const auto& chart : nlohmann::json::parse(file)) {
      if (chart["kind"] != "timeline") continue;
      for (const auto& lane : chart["panels"][0]["lanes"]) {
        for (const auto& event : lane["events"]) {
          EXPECT_LE(event["from_us"], event["to_us"]) << run.path() << " " << lane["series"] << " " << event["text"];
          ++looked_at;
        }
      }
    }
  }
  EXPECT_GT(looked_at, 100);
}

TEST(Strip, TheTerminalShowsTheSamePieces) {
  SCOPED_TRACE("what is printed of a request is not what is drawn");
  const auto text = strip_text(Words::in(Language::english), {a_loop(), a_missing_model()}, {.width = 100});
  EXPECT_THAT(text, HasSubstr("noticed after 10.0"));
  EXPECT_THAT(text, HasSubstr("copied in 3.00"));
  EXPECT_THAT(text, HasSubstr("answered after 50.0 us"));
  EXPECT_THAT(text, HasSubstr("not here: no queued signals"));
  EXPECT_THAT(text, HasSubstr("░ asleep"));
}

TEST(Ladder, EachCrossingIsAStepInTheOrderOfTime) {
  SCOPED_TRACE("a step is missing, comes twice, or stands before its cause");
  const auto chart = ladder_chart(a_loop(), kSubject);
  std::vector<std::string> kinds;
  double last = -1e9;
  for (const auto& step : chart["steps"]) {
    kinds.push_back(step["kind"]);
    EXPECT_LE(last, step["at_us"].get<double>());
    last = step["at_us"];
  }
  EXPECT_THAT(kinds,
              testing::ElementsAre("call", "arrives", "returns", "call", "returns", "within", "call", "arrives"));
  for (const auto& phase : chart["phases"]) {
    EXPECT_LE(phase["first"], phase["last"]);
    EXPECT_LT(phase["last"], chart["steps"].size());
  }
  EXPECT_EQ(chart["phases"][0]["text"], "wait for data: 890.0 us asleep");
}

TEST(Ladder, ACallThatTheKernelCutIsMadeOnce) {
  SCOPED_TRACE("recvmsg() returns, and is made again: a call that nobody made");
  auto lane = make_lane(
      "blocking",
      parse_trace(
          line({.call = "recvmsg", .entered = 130, .returned = 1030, .result = 142, .arrived = 1010, .cpu = 12}) +
          line({.call = "send", .entered = 1045, .returned = 1058, .result = 48})),
      {{0, 100'000}, {1'000'000, 1'060'000}}, 1);
  add_kernel_events(lane, {{.kind = KernelEvent::Kind::copies, .at_ns = 1'025'000, .thread = 1}}, {{1, "serve 0"}});
  std::vector<std::string> texts;
  for (const auto& rung : rungs_of(lane)) texts.push_back(rung.text);
  EXPECT_THAT(texts,
              testing::ElementsAre("recvmsg()", "the data arrives in the kernel", "recvmsg() returns 142",
                                   "works for 15.0 us", "send()", "send() returns 48", "the client has the answer"));
}

TEST(Ladder, AHiddenThreadHasAColumn) {
  SCOPED_TRACE("application and kernel stand side by side, and who reads for them is not there");
  auto lane = make_lane("posix-aio",
                        parse_trace(line({.call = "aio_read", .entered = 118, .returned = 120}) +
                                    line({.call = "rt_sigtimedwait", .entered = 125, .returned = 1035, .result = 36}) +
                                    line({.call = "aio_return", .entered = 1036, .returned = 1037, .result = 142})),
                        {{0, 100'000}, {1'000'000, 1'060'000}}, 1, 1'008'000);
  add_kernel_events(
      lane,
      {{.kind = KernelEvent::Kind::enters, .at_ns = 132'000, .thread = 77, .call = "read"},
       {.kind = KernelEvent::Kind::copies, .at_ns = 1'020'000, .thread = 77},
       {.kind = KernelEvent::Kind::leaves, .at_ns = 1'023'000, .thread = 77, .value = 142, .call = "read"}},
      {{1, "serve 0"}, {77, "serve 0"}});
  const auto chart = ladder_chart(lane, kSubject);
  ASSERT_EQ(chart["columns"].size(), 3u);
  EXPECT_EQ(chart["columns"][2]["label"], "hidden thread");
  std::vector<std::string> hidden;
  for (const auto& step : chart["steps"]) {
    if (step["column"] == 2) hidden.push_back(step["text"]);
  }
  EXPECT_THAT(hidden, testing::ElementsAre("read()", "read() returns 142"));
  EXPECT_THAT(ladder_text(Words::in(Language::english), lane, {.width = 100}),
              HasSubstr("│ ─────▶ read() returns 142"));
  EXPECT_EQ(ladder_chart(a_loop(), kSubject)["columns"].size(), 2u);
}

TEST(Ladder, WhatAnotherThreadDoesIsSaidOfIt) {
  SCOPED_TRACE("the bell that another thread rings seems to be rung by the one that sleeps");
  const auto lane = make_lane(
      "epoll",
      parse_trace(line({.call = "epoll_wait", .entered = 120, .returned = 1012, .result = 1}) +
                  line({.call = "recvmsg", .entered = 1013, .returned = 1015, .result = 142, .arrived = 1010}) +
                  line({.call = "epoll_wait", .entered = 1020, .returned = 1040, .result = 1}) +
                  line({.thread = 2, .call = "write", .entered = 1036, .returned = 1038, .descriptor = 9}) +
                  line({.call = "send", .entered = 1045, .returned = 1055, .result = 48})),
      kTwo, 1);
  std::vector<std::string> of_another;
  for (const auto& rung : rungs_of(lane)) {
    if (rung.text.find("another thread") != std::string::npos) of_another.push_back(rung.text);
  }
  EXPECT_THAT(of_another, testing::ElementsAre("another thread: write()", "another thread: write() returns 0"));
  EXPECT_EQ(Words::in(Language::chinese).retold(of_another[1]), "另一个线程：write() 返回 0");
}

TEST(Ladder, TheTerminalShowsItInBothLanguages) {
  SCOPED_TRACE("a Chinese reader gets English steps");
  EXPECT_THAT(ladder_text(Words::in(Language::english), a_loop(), {.width = 100}), HasSubstr("epoll_wait()"));
  EXPECT_THAT(ladder_text(Words::in(Language::chinese), a_loop(), {.width = 100}), HasSubstr("数据到达内核"));
}

}  // namespace
}  // namespace iolab::lab
