//===- RuntimeLayoutTest.cpp - Dense order and the kernels' ---------------===//

#include "runtime/Layout.h"

#include <gtest/gtest.h>

#include <numeric>

using namespace resin;
using namespace resin::runtime;

namespace {

/// Packs 1, 2, 3, ...
std::vector<int> packed(const Placement &place) {
  std::vector<int> dense(place.elements()), stored(place.storage(), -1);
  std::iota(dense.begin(), dense.end(), 1);
  place.pack(dense.data(), stored.data());
  std::vector<int> back(place.elements());
  place.unpack(stored.data(), back.data());
  EXPECT_EQ(back, dense);
  // Everything that holds no element is zero.
  EXPECT_EQ(std::accumulate(stored.begin(), stored.end(), 0), std::accumulate(dense.begin(), dense.end(), 0));
  return stored;
}

TEST(Layout, DenseIsRowMajorWithAHaloOnRowsAndColumns) {
  EXPECT_EQ(packed(Placement({2, 3}, LayoutKind::Dense, 0)), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(packed(Placement({1, 1, 1, 2}, LayoutKind::Dense, 1)),
            (std::vector<int>{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(packed(Placement({}, LayoutKind::Dense, 0)), std::vector<int>{1});
}

TEST(Layout, C16BlocksChannelsInnermost) {
  // [n=2, c=20, h=3, w=5] halo 1 -> [n][2][5][7][16]
  const Placement place({2, 20, 3, 5}, LayoutKind::C16, 1);
  ASSERT_EQ(place.storage(), 2 * 2 * 5 * 7 * 16);
  const std::vector<int> stored = packed(place);
  for (int n = 0; n < 2; ++n)
    for (int c = 0; c < 20; ++c)
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 5; ++x)
          ASSERT_EQ(stored[(((n * 2 + c / 16) * 5 + y + 1) * 7 + x + 1) * 16 + c % 16],
                    ((n * 20 + c) * 3 + y) * 5 + x + 1);
}

TEST(Layout, C16PadsVectorsAndPartialSums) {
  EXPECT_EQ(Placement({17}, LayoutKind::C16, 0).storage(), 32);
  packed(Placement({17}, LayoutKind::C16, 0));
  const std::vector<int> stored = packed(Placement({2, 10}, LayoutKind::C16, 0));
  ASSERT_EQ(stored.size(), 32u);
  EXPECT_EQ(stored[9], 10);
  EXPECT_EQ(stored[10], 0);
  EXPECT_EQ(stored[16], 11);
}

TEST(Layout, FiltersBlockBothChannels) {
  const int k = 18, c = 33, r = 3, s = 2;
  const std::vector<int> forward = packed(Placement({k, c, r, s}, LayoutKind::K16C16, 0));
  const std::vector<int> backward = packed(Placement({k, c, r, s}, LayoutKind::C16K16, 0));
  const std::vector<int> few = packed(Placement({k, c, r, s}, LayoutKind::K16, 0));
  ASSERT_EQ(forward.size(), 2u * 3 * r * s * 256);
  ASSERT_EQ(few.size(), 2u * c * r * s * 16);
  for (int o = 0; o < k; ++o)
    for (int i = 0; i < c; ++i)
      for (int y = 0; y < r; ++y)
        for (int x = 0; x < s; ++x) {
          const int value = ((o * c + i) * r + y) * s + x + 1;
          ASSERT_EQ(forward[((((o / 16 * 3 + i / 16) * r + y) * s + x) * 16 + i % 16) * 16 + o % 16], value);
          ASSERT_EQ(backward[((((i / 16 * 2 + o / 16) * r + y) * s + x) * 16 + o % 16) * 16 + i % 16], value);
          ASSERT_EQ(few[(((o / 16 * c + i) * r + y) * s + x) * 16 + o % 16], value);
        }
}

TEST(Layout, MatricesAndLanes) {
  const std::vector<int> matrix = packed(Placement({10, 5}, LayoutKind::K16, 0));
  ASSERT_EQ(matrix.size(), 80u);
  EXPECT_EQ(matrix[2 * 16 + 7], 7 * 5 + 2 + 1);
  EXPECT_EQ(Placement({8, 16, 16, 3, 3}, LayoutKind::K16C16, 0).storage(), 8 * 16 * 16 * 9);
  packed(Placement({2, 17, 3, 3, 3}, LayoutKind::K16C16, 0));
  packed(Placement({2, 17, 3, 3, 3}, LayoutKind::K16, 0));
}

TEST(Layout, KnowsWhichRanksItIsDefinedFor) {
  EXPECT_EQ(layoutNamed("k16c16"), LayoutKind::K16C16);
  EXPECT_EQ(layoutNamed("k8"), std::nullopt);
  EXPECT_TRUE(fitsRank(LayoutKind::Dense, 0, 0));
  EXPECT_FALSE(fitsRank(LayoutKind::Dense, 2, 1));
  EXPECT_FALSE(fitsRank(LayoutKind::C16, 3, 0));
  EXPECT_FALSE(fitsRank(LayoutKind::K16C16, 4, 1));
  EXPECT_FALSE(fitsRank(LayoutKind::C16, 4, -1));
}

} // namespace
