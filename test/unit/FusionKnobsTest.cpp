//===- FusionKnobsTest.cpp - What fusion may do in more than one way ------===//

#include "support/FusionKnobs.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace resin;

namespace {

TEST(FusionKnobsTest, UsualOnesAreAmongTheirValues) {
  for (const FusionKnob &knob : fusionKnobs()) {
    EXPECT_NE(std::ranges::find(knob.values, FusionKnobs().*knob.member), knob.values.end()) << knob.name;
    EXPECT_TRUE(std::ranges::is_sorted(knob.values)) << knob.name;
  }
}

TEST(FusionKnobsTest, IntegersRoundTrip) {
  const FusionKnobs knobs = {.epilogues = 2, .rebuild = 0, .pieceKib = 1024, .mostPieces = 4};
  const std::vector<int> integers = toIntegers(knobs);
  EXPECT_EQ(integers, (std::vector<int>{2, 0, 1024, 4}));
  EXPECT_EQ(fusionKnobsFrom(integers), knobs);
  EXPECT_EQ(print(knobs), "epilogues 2, rebuild 0, piece_kib 1024, most_pieces 4");
}

TEST(FusionKnobsTest, OtherIntegersAreRefused) {
  for (const std::vector<int> &integers :
       {std::vector<int>{}, {2, 0, 1024}, {2, 0, 1024, 4, 1}, {3, 0, 1024, 4}, {2, 0, 1000, 4}, {-1, 0, 1024, 4}})
    EXPECT_FALSE(fusionKnobsFrom(integers)) << integers.size();
}

TEST(FusionKnobsTest, NeighboursAreOneStepAway) {
  const FusionKnobs corner = {.epilogues = 0, .rebuild = 1, .pieceKib = 512, .mostPieces = 16};
  const std::vector<FusionKnobs> wanted = {
      {1, 1, 512, 16}, {0, 0, 512, 16}, {0, 1, 256, 16}, {0, 1, 1024, 16}, {0, 1, 512, 8}};
  EXPECT_EQ(neighboursOf(corner), wanted);
}

} // namespace
