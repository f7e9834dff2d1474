//===- MachineTest.cpp - Targets, their figures, and how work is cut ------===//

#include "machine/CutPolicy.h"
#include "machine/Targets.h"

#include <gtest/gtest.h>

using namespace resin;

namespace {

TargetInfo target(const std::string &name) {
  TargetInfo found;
  std::string error;
  EXPECT_TRUE(findTarget(name, found, error)) << error;
  return found;
}

std::unique_ptr<CutPolicy> cutsOf(const Machine &machine) { return cutForCaches(machine, usualFusion(machine)); }

TEST(MachineTest, TargetsHaveTheirVectors) {
  for (auto [name, floats, registers] : {std::tuple("v2", 4, 16), {"v3", 8, 16}, {"v4", 16, 32}}) {
    EXPECT_EQ(target(name).machine.vectorFloats, floats) << name;
    EXPECT_EQ(target(name).machine.vectorRegisters, registers) << name;
  }
  EXPECT_EQ(target(kUsualTarget).name, "x86-64-v3");
}

// Choices that depend on them were measured with these: whoever changes one changes programs' bits.
TEST(MachineTest, BytesArePricedInMultiplyAdds) {
  for (const char *name : {"v2", "v3", "v4"}) {
    EXPECT_EQ(target(name).machine.fmasPerMemoryByte(), 4) << name;
    EXPECT_EQ(target(name).machine.fmasPerCachedByte(), 2) << name;
  }
  // A core with AVX-512, when its target says so.
  const Machine wide{.fmasPerSecond = 128e9, .memoryBytesPerSecond = 5e9};
  EXPECT_EQ(wide.fmasPerMemoryByte(), 26);
}

// 64 channels at 8x8 are 16 KiB: 16 of them in half of an L2 of 512 KiB, all of a batch in half of 8 MiB, but for the
// four pieces that there are at least.
TEST(CutPolicyTest, PiecesStayInCache) {
  const Machine small, large{.l2Bytes = 8 << 20};
  EXPECT_EQ(cutsOf(small)->imagesOfPiece(128, 16 << 10, 64 << 10), 16);
  EXPECT_EQ(cutsOf(large)->imagesOfPiece(128, 16 << 10, 64 << 10), 32);
  EXPECT_EQ(cutsOf(small)->imagesOfPiece(2, 16 << 10, 64 << 10), 1);
  // Filters of 9 MiB stream for each piece: few pieces of many images, although these leave L2.
  EXPECT_EQ(cutsOf(small)->imagesOfPiece(16, 98 << 10, 9 << 20), 4);
}

TEST(CutPolicyTest, FiltersAreCutByTheMachine) {
  const std::unique_ptr<CutPolicy> small = cutsOf(Machine()), large = cutsOf({.l2Bytes = 2 << 20, .cores = 16});
  EXPECT_EQ(small->piecesByBytes(1 << 20), 4);
  EXPECT_EQ(large->piecesByBytes(1 << 20), 1);
  EXPECT_TRUE(small->isSummedInLanes(2 << 20));
  EXPECT_FALSE(small->isSummedInLanes((2 << 20) + 4));
  EXPECT_TRUE(large->isSummedInLanes(8 << 20));
  EXPECT_EQ(small->lanesOf(128), 8);
  EXPECT_EQ(small->lanesOf(6), 6);
  EXPECT_EQ(large->lanesOf(128), 16);
  EXPECT_EQ(small->mostLanes(), 16);
}

TEST(CutPolicyTest, SmallWorkHasTwoPieces) {
  const std::unique_ptr<CutPolicy> cuts = cutForCaches(Machine(), {1, 1, 512, 4});
  EXPECT_EQ(cuts->piecesByWork(1000), 2);
  EXPECT_EQ(cuts->piecesByWork(6'000'000), 3);
  EXPECT_EQ(cuts->piecesByWork(1'000'000'000), 4);
  EXPECT_EQ(cuts->mostPieces(), 4);
}

} // namespace
