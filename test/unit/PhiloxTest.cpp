//===- PhiloxTest.cpp - Random numbers are those of Philox4x32-10 --------------===//

#include "support/Philox.h"

#include <gtest/gtest.h>

using namespace resin::philox;

namespace {

// Known answers of the authors' Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, MatchesTheKnownAnswers) {
  EXPECT_EQ(generate({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(generate({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(generate({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformsStayInsideTheUnitInterval) {
  EXPECT_GT(toUnit(0), 0.0);
  EXPECT_LT(toUnit(~0u), 1.0);
}

TEST(Philox, NormalsHaveMeanZeroAndVarianceOne) {
  double sum = 0, squares = 0;
  const int count = 100000;
  for (int i = 0; i < count; ++i) {
    const double value = normal(7, hashName("conv1.weight"), i);
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / count, 0.0, 0.015);     // deviation of the mean: 1 / sqrt(100000) = 0.003
  EXPECT_NEAR(squares / count, 1.0, 0.025); // of the variance: sqrt(2 / 100000) = 0.0045
}

TEST(Philox, DropoutKeepsItsShare) {
  int kept = 0;
  for (int i = 0; i < 100000; ++i)
    kept += dropoutKeeps(1, 2, 3, i, 0.25);
  EXPECT_NEAR(kept / 100000.0, 0.75, 0.01);
}

} // namespace
