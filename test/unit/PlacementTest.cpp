//===- PlacementTest.cpp - Places never overlap while both are needed -----===//

#include "passes/plan/Placement.h"

#include <gtest/gtest.h>

#include <random>

using namespace resin;

namespace {

struct Life {
  int first, last;
  bool meets(const Life &other) const { return first <= other.last && other.first <= last; }
};

TEST(Placement, OverlapsOnlyWithWhatLivesAtOtherTimes) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    size_t count = random() % 60 + 1;
    std::vector<int64_t> sizes(count);
    std::vector<Life> lives(count);
    for (size_t i = 0; i < count; ++i) {
      sizes[i] = random() % 5000 + 1;
      lives[i].first = random() % 40;
      lives[i].last = lives[i].first + random() % 10;
    }
    auto conflict = [&](size_t a, size_t b) { return lives[a].meets(lives[b]); };
    Placement placement = place(sizes, conflict);
    int64_t sum = 0;
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(placement.offsets[i] % kPlaceAlignment, 0);
      EXPECT_LE(placement.offsets[i] + sizes[i], placement.bytes);
      sum += alignUp(sizes[i], kPlaceAlignment);
      for (size_t j = 0; j < i; ++j)
        if (conflict(i, j))
          EXPECT_TRUE(placement.offsets[i] + sizes[i] <= placement.offsets[j] ||
                      placement.offsets[j] + sizes[j] <= placement.offsets[i]);
    }
    EXPECT_LE(placement.bytes, sum);
  }
}

TEST(Placement, ReusesGapsExactly) {
  // A chain in which only neighbours meet needs two places.
  std::vector<int64_t> sizes(10, 640);
  Placement placement = place(sizes, [](size_t a, size_t b) { return a + 1 == b || b + 1 == a; });
  EXPECT_EQ(placement.bytes, 1280);
}

TEST(Placement, NothingNeedsNothing) { EXPECT_EQ(place({}, [](size_t, size_t) { return true; }).bytes, 0); }

} // namespace
