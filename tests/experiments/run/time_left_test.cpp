#include "experiments/run/time_left.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace iolab::lab {
namespace {

using namespace std::chrono_literals;

constexpr StepTime kTrial{.boxed = 1000ms, .around = 100ms};
constexpr StepTime kDuets{.boxed = 500ms, .around = 200ms};

// A clock that the test turns.
struct MadeUpRun {
  TimeLeft left;
  TimeLeft::TimePoint now{};

  void step(StepKind kind, StepTime step, std::chrono::milliseconds took, bool ok = true) {
    left.starts(kind, step, now);
    now += took;
    left.finished(now, ok);
  }
};

TEST(TimeLeft, BeforeAnythingIsKnownItIsThePlan) {
  SCOPED_TRACE("the first line of a run promises another time than --dry-run");
  MadeUpRun run;
  for (int i = 0; i < 10; ++i) run.left.plan(StepKind::trial, kTrial);
  run.left.plan(StepKind::duets, kDuets);
  EXPECT_EQ(run.left.left(run.now), 11'700ms);
}

TEST(TimeLeft, OnlyWhatLiesAroundTheBoxIsLearned) {
  SCOPED_TRACE("one slow start stretches windows whose length is fixed, or the estimate never learns");
  MadeUpRun run;
  for (int i = 0; i < 10; ++i) run.left.plan(StepKind::trial, kTrial);
  run.step(StepKind::trial, kTrial, 1400ms);  // four times the guess around it
  EXPECT_EQ(run.left.left(run.now), 9 * 1400ms);
  run.step(StepKind::trial, kTrial, 1200ms);  // now three times on average
  EXPECT_EQ(run.left.left(run.now), 8 * 1300ms);
}

TEST(TimeLeft, WhatLiesBetweenStepsIsLearned) {
  SCOPED_TRACE("ceilings are measured between the steps, and the end that is announced moves away");
  MadeUpRun run;
  for (int i = 0; i < 4; ++i) run.left.plan(StepKind::trial, kTrial);
  run.step(StepKind::trial, kTrial, 1100ms);
  run.now += 300ms;
  run.step(StepKind::trial, kTrial, 1100ms);
  EXPECT_EQ(run.left.left(run.now), 2 * (1100ms + 300ms));
}

TEST(TimeLeft, DuetsLearnFromDuets) {
  SCOPED_TRACE("trials that start slowly make duets look longer");
  MadeUpRun run;
  for (int i = 0; i < 2; ++i) run.left.plan(StepKind::trial, kTrial);
  for (int i = 0; i < 2; ++i) run.left.plan(StepKind::duets, kDuets);
  for (int i = 0; i < 2; ++i) run.step(StepKind::trial, kTrial, 2000ms);
  EXPECT_EQ(run.left.left(run.now), 2 * 700ms);
  run.step(StepKind::duets, kDuets, 600ms);
  EXPECT_EQ(run.left.left(run.now), 600ms);
}

TEST(TimeLeft, ItRunsDownWhileAStepRunsAndNeverBelowTheOthers) {
  SCOPED_TRACE("the time left stands still during a long trial, or a stuck one eats the time of those behind it");
  MadeUpRun run;
  for (int i = 0; i < 3; ++i) run.left.plan(StepKind::trial, kTrial);
  run.left.starts(StepKind::trial, kTrial, run.now);
  EXPECT_EQ(run.left.left(run.now + 400ms), 3 * 1100ms - 400ms);
  EXPECT_EQ(run.left.left(run.now + 60s), 2 * 1100ms);
}

TEST(TimeLeft, AFailedStepTeachesNothing) {
  SCOPED_TRACE("one trial that hung for 30 s makes an hour of the minutes that are left");
  MadeUpRun run;
  for (int i = 0; i < 3; ++i) run.left.plan(StepKind::trial, kTrial);
  run.step(StepKind::trial, kTrial, 30s, false);
  EXPECT_EQ(run.left.left(run.now), 2 * 1100ms);
}

TEST(TimeLeft, ItNamesTheMinuteOfTheEnd) {
  SCOPED_TRACE("the line says when a run ends in another time zone");
  ::setenv("TZ", "UTC", 1);
  constexpr std::int64_t kQuarterPastTwo = 14 * 3600 + 15 * 60;
  EXPECT_EQ(time_left_text(412s, kQuarterPastTwo), "left 6:52, finishes 14:21");
  EXPECT_EQ(time_left_text(10h, kQuarterPastTwo), "left 10:00:00, finishes 00:15");
}

}  // namespace
}  // namespace iolab::lab
