//===- Layout.cpp - Between a file's order and the kernels' ---------------===//
//
// A layout is written as its storage axes, outermost first. An axis is a whole
// dimension, the blocks of one, or the places within a block; strides follow from
// the last axis to the first.
//
//===----------------------------------------------------------------------===//

#include "runtime/Layout.h"
#include "runtime/Manifest.h"

using namespace resin;
using namespace resin::runtime;

std::optional<LayoutKind> resin::runtime::layoutNamed(std::string_view name) {
  static const std::pair<std::string_view, LayoutKind> names[] = {{"dense", LayoutKind::Dense},
                                                                  {"c16", LayoutKind::C16},
                                                                  {"k16c16", LayoutKind::K16C16},
                                                                  {"k16", LayoutKind::K16},
                                                                  {"c16k16", LayoutKind::C16K16}};
  for (auto &[known, kind] : names)
    if (name == known)
      return kind;
  return std::nullopt;
}

bool resin::runtime::fitsRank(LayoutKind kind, size_t rank, int64_t halo) {
  const bool activation = kind == LayoutKind::Dense || kind == LayoutKind::C16;
  if (halo < 0 || halo > 4096 || (halo > 0 && (rank != 4 || !activation)))
    return false;
  switch (kind) {
  case LayoutKind::Dense:
    return true;
  case LayoutKind::C16:
    return rank == 1 || rank == 2 || rank == 4;
  case LayoutKind::K16:
    return rank == 2 || rank == 4 || rank == 5;
  case LayoutKind::K16C16:
  case LayoutKind::C16K16:
    return rank == 4 || rank == 5;
  }
  return false;
}

namespace {
struct Axis {
  enum class Part { Whole, Blocks, Within };
  size_t dimension;
  Part part;
};
} // namespace

static std::vector<Axis> axes(LayoutKind kind, size_t rank) {
  using enum Axis::Part;
  const size_t k = rank == 5 ? 1 : 0; // behind the lanes of a filter gradient
  std::vector<Axis> result;
  if (k == 1 && kind != LayoutKind::Dense)
    result.push_back({0, Whole});
  auto add = [&](std::initializer_list<Axis> more) { result.insert(result.end(), more); };
  switch (kind) {
  case LayoutKind::Dense:
    for (size_t d = 0; d < rank; ++d)
      add({{d, Whole}});
    break;
  case LayoutKind::C16:
    if (rank == 1)
      add({{0, Blocks}, {0, Within}});
    else if (rank == 2)
      add({{0, Whole}, {1, Blocks}, {1, Within}});
    else
      add({{0, Whole}, {1, Blocks}, {2, Whole}, {3, Whole}, {1, Within}});
    break;
  case LayoutKind::K16C16:
    add({{k, Blocks}, {k + 1, Blocks}, {k + 2, Whole}, {k + 3, Whole}, {k + 1, Within}, {k, Within}});
    break;
  case LayoutKind::K16:
    if (rank == 2)
      add({{0, Blocks}, {1, Whole}, {0, Within}});
    else
      add({{k, Blocks}, {k + 1, Whole}, {k + 2, Whole}, {k + 3, Whole}, {k, Within}});
    break;
  case LayoutKind::C16K16:
    add({{k + 1, Blocks}, {k, Blocks}, {k + 2, Whole}, {k + 3, Whole}, {k, Within}, {k + 1, Within}});
    break;
  }
  return result;
}

Placement::Placement(const Tensor &tensor) : Placement(tensor.shape, tensor.layout, tensor.halo) {}

Placement::Placement(const std::vector<int64_t> &shape, LayoutKind kind, int64_t halo) {
  for (int64_t extent : shape) {
    offsets.emplace_back(extent, 0);
    logical *= extent;
  }
  const std::vector<Axis> storage = axes(kind, shape.size());
  for (auto axis = storage.rbegin(); axis != storage.rend(); ++axis) {
    std::vector<int64_t> &table = offsets[axis->dimension];
    const int64_t extent = shape[axis->dimension];
    const bool haloed = halo > 0 && axis->dimension >= 2;
    for (int64_t i = 0; i < extent; ++i)
      table[i] += stored * (axis->part == Axis::Part::Whole    ? i + (haloed ? halo : 0)
                            : axis->part == Axis::Part::Blocks ? i / kChannelBlock
                                                               : i % kChannelBlock);
    stored *= axis->part == Axis::Part::Whole    ? extent + (haloed ? 2 * halo : 0)
              : axis->part == Axis::Part::Blocks ? (extent + kChannelBlock - 1) / kChannelBlock
                                                 : kChannelBlock;
  }
}
