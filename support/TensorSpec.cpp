//===- TensorSpec.cpp - One tensor in memory ------------------------------===//

#include "support/TensorSpec.h"
#include "support/Saturated.h"

namespace resin {

/// Places along an axis of a dimension that has `count` indices.
static int64_t extentOf(AxisPart part, int64_t count, int64_t halo) {
  switch (part) {
  case AxisPart::Whole:
    return count;
  case AxisPart::Ringed:
    return count + 2 * halo;
  case AxisPart::Padded:
    return blocksOf(count) * kChannelBlock;
  case AxisPart::Blocks:
    return blocksOf(count);
  case AxisPart::Within:
    return kChannelBlock;
  }
  __builtin_unreachable();
}

/// Indices along a dimension of the tensor that this one is a piece of.
static int64_t countOfWhole(const TensorSpec &tensor, size_t dimension) {
  if (tensor.storedChannels && dimension == 1)
    return tensor.storedChannels;
  if (tensor.storedRows && dimension == 2)
    return tensor.storedRows;
  return tensor.shape[dimension];
}

std::vector<StorageAxis> storageAxes(const TensorSpec &tensor) {
  std::vector<StorageAxis> result;
  for (const LayoutAxis &axis : axesOf(tensor.layout, tensor.shape.size()))
    result.push_back({axis.dimension, axis.part, axis.part == AxisPart::Ringed ? -tensor.halo : 0,
                      extentOf(axis.part, tensor.shape[axis.dimension], tensor.halo), 0});
  int64_t stride = 1;
  for (auto axis = result.rbegin(); axis != result.rend(); ++axis) {
    axis->stride = stride;
    stride = multiply({stride, extentOf(axis->part, countOfWhole(tensor, axis->dimension), tensor.halo)});
  }
  return result;
}

int64_t storageElements(const TensorSpec &tensor) {
  int64_t last = 0;
  for (const StorageAxis &axis : storageAxes(tensor))
    last = std::min(last, int64_t(1) << 61) + multiply({axis.extent - 1, axis.stride});
  return last + 1;
}

int64_t storageBytes(const TensorSpec &tensor) { return multiply({storageElements(tensor), bytesOf(tensor.type)}); }

int64_t storageStride(const TensorSpec &tensor, size_t dimension, int64_t steps) {
  int64_t elements = 0;
  for (const StorageAxis &axis : storageAxes(tensor))
    if (axis.dimension == dimension)
      elements += axis.stride * placeAlong(axis.part, steps);
  return elements;
}

StorageMap::StorageMap(const TensorSpec &tensor) : stored(storageElements(tensor)) {
  for (int64_t extent : tensor.shape) {
    offsets.emplace_back(extent, 0);
    logical *= extent;
  }
  for (const StorageAxis &axis : storageAxes(tensor))
    for (int64_t i = 0; i < tensor.shape[axis.dimension]; ++i)
      offsets[axis.dimension][i] += axis.stride * (placeAlong(axis.part, i) - axis.min);
}

} // namespace resin
