//===- FusionKnobsTest.cpp - What fusion may do in more than one way ------===//

#include "machine/FusionKnobs.h"
#include "machine/Targets.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace resin;

namespace {

TEST(FusionKnobsTest, UsualOnesAreAmongTheirValues) {
  for (const char *name : {"v2", "v3", "v4"}) {
    TargetInfo target;
    std::string error;
    ASSERT_TRUE(findTarget(name, target, error)) << error;
    const FusionKnobs usual = usualFusion(target.machine);
    EXPECT_EQ(usual.pieceKib << 10, target.machine.l2Bytes);
    for (const FusionKnob &knob : fusionKnobs()) {
      EXPECT_NE(std::ranges::find(knob.values, usual.*knob.member), knob.values.end()) << knob.name;
      EXPECT_TRUE(std::ranges::is_sorted(knob.values)) << knob.name;
    }
  }
}

TEST(FusionKnobsTest, NamesAndNumbersRoundTrip) {
  const FusionKnobs knobs = {.epilogues = 2, .rebuild = 0, .pieceKib = 1024, .mostPieces = 4};
  EXPECT_EQ(printKnobs(named(knobs)), "fusion{epilogues=2, rebuild=0, piece_kib=1024, most_pieces=4}");
  EXPECT_EQ(fusionKnobsFrom(named(knobs)), knobs);
  EXPECT_EQ(fusionKnobsFrom(namelessKnobs(named(knobs).numbers())), knobs);
  EXPECT_EQ(print(knobs), "epilogues 2, rebuild 0, piece_kib 1024, most_pieces 4");
}

TEST(FusionKnobsTest, OtherNumbersAreRefused) {
  for (const std::vector<int> &numbers :
       {std::vector<int>{}, {2, 0, 1024}, {2, 0, 1024, 4, 1}, {3, 0, 1024, 4}, {2, 0, 1000, 4}, {-1, 0, 1024, 4}})
    EXPECT_FALSE(fusionKnobsFrom(namelessKnobs(numbers))) << numbers.size();
  Knobs knobs = named({2, 0, 1024, 4});
  knobs.values[0].name = "rebuild";
  EXPECT_FALSE(fusionKnobsFrom(knobs));
}

TEST(KnobsTest, TextRoundTrips) {
  for (const char *text : {"direct{pixels=4}", "winograd2-weight{rows=16, taps_inside=0}", "4", "4,1,0"}) {
    const std::optional<Knobs> knobs = readKnobs(text);
    ASSERT_TRUE(knobs) << text;
    EXPECT_EQ(printKnobs(*knobs), text);
  }
}

TEST(KnobsTest, OtherTextIsRefused) {
  for (const char *text : {"",
                           ",",
                           "4,",
                           "4, 1",
                           "-1",
                           "4x",
                           "99999999999",
                           "direct",
                           "direct{}",
                           "direct{4}",
                           "{a=1}",
                           "direct{a=1",
                           "direct{a=1}}",
                           "direct{a=1,b=2}",
                           "direct{a=-1}",
                           "direct{=1}",
                           "Direct{a=1}",
                           "direct{a=1, }",
                           "di rect{a=1}",
                           "direct{a=}",
                           "direct{a=1}x"})
    EXPECT_FALSE(readKnobs(text)) << text;
  std::string many = "1";
  for (int i = 0; i < 40; ++i)
    many += ",1";
  EXPECT_FALSE(readKnobs(many));
}

TEST(FusionKnobsTest, NeighboursAreOneStepAway) {
  const FusionKnobs corner = {.epilogues = 0, .rebuild = 1, .pieceKib = 512, .mostPieces = 16};
  const std::vector<FusionKnobs> wanted = {
      {1, 1, 512, 16}, {0, 0, 512, 16}, {0, 1, 256, 16}, {0, 1, 1024, 16}, {0, 1, 512, 8}};
  EXPECT_EQ(neighboursOf(corner), wanted);
}

} // namespace
