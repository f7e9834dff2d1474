//===- LayoutTest.cpp - Dense order and the kernels' ----------------------===//

#include "support/TensorSpec.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

using namespace resin;

namespace {

/// Packs 1, 2, 3, ...
StorageMap mapOf(const std::vector<int64_t> &shape, LayoutKind layout, int64_t halo) {
  return StorageMap({ElementType::F32, shape, layout, halo});
}

std::vector<int> packed(const StorageMap &place) {
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
  EXPECT_EQ(packed(mapOf({2, 3}, LayoutKind::Dense, 0)), (std::vector<int>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(packed(mapOf({1, 1, 1, 2}, LayoutKind::Dense, 1)), (std::vector<int>{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0}));
  EXPECT_EQ(packed(mapOf({}, LayoutKind::Dense, 0)), std::vector<int>{1});
}

TEST(Layout, C16BlocksChannelsInnermost) {
  // [n=2, c=20, h=3, w=5] halo 1 -> [n][2][5][7][16]
  const StorageMap place = mapOf({2, 20, 3, 5}, LayoutKind::C16, 1);
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
  EXPECT_EQ(mapOf({17}, LayoutKind::C16, 0).storage(), 32);
  packed(mapOf({17}, LayoutKind::C16, 0));
  const std::vector<int> stored = packed(mapOf({2, 10}, LayoutKind::C16, 0));
  ASSERT_EQ(stored.size(), 32u);
  EXPECT_EQ(stored[9], 10);
  EXPECT_EQ(stored[10], 0);
  EXPECT_EQ(stored[16], 11);
}

TEST(Layout, FiltersBlockBothChannels) {
  const int k = 18, c = 33, r = 3, s = 2;
  const std::vector<int> forward = packed(mapOf({k, c, r, s}, LayoutKind::K16C16, 0));
  const std::vector<int> backward = packed(mapOf({k, c, r, s}, LayoutKind::C16K16, 0));
  const std::vector<int> few = packed(mapOf({k, c, r, s}, LayoutKind::K16, 0));
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
  const std::vector<int> matrix = packed(mapOf({10, 5}, LayoutKind::K16, 0));
  ASSERT_EQ(matrix.size(), 80u);
  EXPECT_EQ(matrix[2 * 16 + 7], 7 * 5 + 2 + 1);
  EXPECT_EQ(mapOf({8, 16, 16, 3, 3}, LayoutKind::K16C16, 0).storage(), 8 * 16 * 16 * 9);
  packed(mapOf({2, 17, 3, 3, 3}, LayoutKind::K16C16, 0));
  packed(mapOf({2, 17, 3, 3, 3}, LayoutKind::K16, 0));
}

// K16 of rank 3 is nobody's: no pass makes it, and code generation once read it beyond its shape. C16K16 of rank 5
// neither: lanes are of gradients, which are not transposed.
TEST(Layout, KnowsWhichRanksItIsDefinedFor) {
  const std::map<LayoutKind, std::set<size_t>> legal = {{LayoutKind::Dense, {0, 1, 2, 3, 4, 5, 6}},
                                                        {LayoutKind::C16, {1, 2, 4}},
                                                        {LayoutKind::K16C16, {4, 5}},
                                                        {LayoutKind::K16, {2, 4, 5}},
                                                        {LayoutKind::C16K16, {4}}};
  for (LayoutKind kind : kLayoutKinds)
    for (size_t rank = 0; rank <= 6; ++rank) {
      EXPECT_EQ(hasRank(kind, rank), legal.at(kind).count(rank)) << nameOf(kind) << ' ' << rank;
      const bool image = rank == 4 && (kind == LayoutKind::Dense || kind == LayoutKind::C16);
      EXPECT_EQ(isImage(kind, rank), image) << nameOf(kind) << ' ' << rank;
      EXPECT_EQ(mostHalo(kind, rank), image ? 1024 : 0) << nameOf(kind) << ' ' << rank;
    }
}

TEST(Layout, KnowsWhichDimensionsStandInBlocks) {
  EXPECT_TRUE(isBlocked(LayoutKind::C16, 1, 0) && isBlocked(LayoutKind::C16, 2, 1) && isBlocked(LayoutKind::C16, 4, 1));
  EXPECT_FALSE(isBlocked(LayoutKind::C16, 2, 0) || isBlocked(LayoutKind::C16, 4, 2) ||
               isBlocked(LayoutKind::Dense, 4, 1));
  EXPECT_TRUE(isBlocked(LayoutKind::K16, 5, 1) && isBlocked(LayoutKind::K16C16, 4, 1));
  EXPECT_FALSE(isBlocked(LayoutKind::K16, 4, 1) || isBlocked(LayoutKind::K16C16, 5, 0));
}

TEST(Layout, NamesComeBack) {
  for (LayoutKind kind : kLayoutKinds)
    EXPECT_EQ(layoutNamed(nameOf(kind)), kind);
  EXPECT_EQ(layoutNamed("k8"), std::nullopt);
  EXPECT_EQ(layoutNamed(""), std::nullopt);
}

// A piece's memory is the whole's: strides count what lies between.
TEST(Layout, StridesOfPiecesAreThoseOfTheWhole) {
  const TensorSpec slice{ElementType::F32, {2, 32, 4, 5}, LayoutKind::C16, 1, 64};
  EXPECT_EQ(storageStride(slice, 0, 1), 64 * 6 * 7);
  EXPECT_EQ(storageStride(slice, 1, 32), 32 * 6 * 7);
  const TensorSpec band{ElementType::F64, {2, 32, 4, 5}, LayoutKind::C16, 1, 0, 8};
  EXPECT_EQ(storageStride(band, 2, 4), 4 * 7 * 16);
  EXPECT_EQ(storageStride(band, 1, 16), 10 * 7 * 16);
  EXPECT_EQ(storageBytes(band), 8 * (3 * 10 * 7 * 16 + 6 * 7 * 16));
}

TEST(ElementType, NamesAndSizesAreKnownOfEach) {
  std::map<std::string_view, int64_t> bytes;
  for (const auto &[type, name, size] : kElementTypes) {
    EXPECT_EQ(elementTypeNamed(nameOf(type)), type);
    bytes[nameOf(type)] = bytesOf(type);
  }
  EXPECT_EQ(bytes, (std::map<std::string_view, int64_t>{
                       {"f64", 8}, {"f32", 4}, {"bf16", 2}, {"f16", 2}, {"i32", 4}, {"u8", 1}}));
  for (std::string_view unknown : {"i64", "f8", "F32", ""})
    EXPECT_EQ(elementTypeNamed(unknown), std::nullopt) << unknown;
}

} // namespace
