//===- Layout.cpp - Where the elements of a tensor stand in memory --------===//

#include "support/Layout.h"

#include <algorithm>
#include <cassert>

namespace resin {

std::string_view nameOf(LayoutKind kind) {
  static constexpr std::string_view names[] = {"dense", "c16", "k16c16", "k16", "c16k16"};
  return names[static_cast<size_t>(kind)];
}

std::optional<LayoutKind> layoutNamed(std::string_view name) {
  for (LayoutKind kind : kLayoutKinds)
    if (nameOf(kind) == name)
      return kind;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct Row {
  LayoutKind kind;
  size_t rank;
  std::vector<LayoutAxis> axes;
};
} // namespace

static const std::vector<Row> &blockedRows() {
  using enum LayoutKind;
  using enum AxisPart;
  static const std::vector<Row> rows = {
      {C16, 1, {{0, Padded}}},
      {C16, 2, {{0, Whole}, {1, Padded}}},
      {C16, 4, {{0, Whole}, {1, Blocks}, {2, Ringed}, {3, Ringed}, {1, Within}}},
      {K16C16, 4, {{0, Blocks}, {1, Blocks}, {2, Whole}, {3, Whole}, {1, Within}, {0, Within}}},
      {K16C16, 5, {{0, Whole}, {1, Blocks}, {2, Blocks}, {3, Whole}, {4, Whole}, {2, Within}, {1, Within}}},
      {K16, 2, {{0, Blocks}, {1, Whole}, {0, Within}}},
      {K16, 4, {{0, Blocks}, {1, Whole}, {2, Whole}, {3, Whole}, {0, Within}}},
      {K16, 5, {{0, Whole}, {1, Blocks}, {2, Whole}, {3, Whole}, {4, Whole}, {1, Within}}},
      {C16K16, 4, {{1, Blocks}, {0, Blocks}, {2, Whole}, {3, Whole}, {0, Within}, {1, Within}}},
  };
  return rows;
}

static std::vector<LayoutAxis> denseAxes(size_t rank) {
  std::vector<LayoutAxis> axes;
  for (size_t d = 0; d < rank; ++d)
    axes.push_back({d, rank == 4 && d >= 2 ? AxisPart::Ringed : AxisPart::Whole});
  return axes;
}

static const Row *findRow(LayoutKind kind, size_t rank) {
  for (const Row &row : blockedRows())
    if (row.kind == kind && row.rank == rank)
      return &row;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// What follows from it
//===----------------------------------------------------------------------===//

bool hasRank(LayoutKind kind, size_t rank) { return kind == LayoutKind::Dense || findRow(kind, rank); }

std::vector<LayoutAxis> axesOf(LayoutKind kind, size_t rank) {
  if (kind == LayoutKind::Dense)
    return denseAxes(rank);
  const Row *row = findRow(kind, rank);
  assert(row && "the layout has the rank");
  return row->axes;
}

template <typename Predicate> static bool anyAxis(LayoutKind kind, size_t rank, Predicate predicate) {
  if (!hasRank(kind, rank))
    return false;
  const std::vector<LayoutAxis> axes = axesOf(kind, rank);
  return std::any_of(axes.begin(), axes.end(), predicate);
}

bool isImage(LayoutKind kind, size_t rank) {
  return anyAxis(kind, rank, [](const LayoutAxis &axis) { return axis.part == AxisPart::Ringed; });
}

int64_t mostHalo(LayoutKind kind, size_t rank) { return isImage(kind, rank) ? kMostHalo : 0; }

bool isBlocked(LayoutKind kind, size_t rank, size_t dimension) {
  return anyAxis(kind, rank, [=](const LayoutAxis &axis) {
    return axis.dimension == dimension && (axis.part == AxisPart::Blocks || axis.part == AxisPart::Padded);
  });
}

} // namespace resin
