//===- RuntimeProgressTest.cpp - The time that is left --------------------===//

#include "runtime/report/Progress.h"

#include <gtest/gtest.h>

using resin::runtime::Progress;

namespace {

TEST(Progress, TheRestTakesAsLongAsWhatWasDone) {
  EXPECT_EQ(Progress::secondsLeft(10, 0, 20, 100), 40);
  EXPECT_EQ(Progress::secondsLeft(10, 0, 100, 100), 0);
}

// A run that was resumed at batch 900 of 1000 did 10 in 5 seconds: 90 more take 45, not half a second.
TEST(Progress, WhatAnEarlierRunDidTookNoTime) {
  EXPECT_EQ(Progress::secondsLeft(5, 900, 910, 1000), 45);
  EXPECT_EQ(Progress::secondsLeft(5, 900, 900, 1000), 0) << "nothing is known yet";
}

} // namespace
