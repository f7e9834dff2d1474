//===- TensorSpec.h - One tensor in memory ----------------------*- C++ -*-===//
//
// Type, shape and layout of a tensor, or of the part of one that a piece computes, and
// what follows for its memory: the axes with their extents and strides, the elements
// from its start to its end, and the place of each element.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_TENSORSPEC_H
#define RESIN_SUPPORT_TENSORSPEC_H

#include "support/ElementType.h"
#include "support/Layout.h"

#include <algorithm>

namespace resin {

struct TensorSpec {
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; ///< logical, of one piece
  LayoutKind layout = LayoutKind::Dense;
  int64_t halo = 0; ///< zeros around h and w, in pixels on every side
  /// Channels of the tensor this piece is a slice of, which set the stride from
  /// image to image; 0 when the piece has all of them.
  int64_t storedChannels = 0;
  /// Rows of the images this piece is a band of, which set the strides from channel
  /// to channel and from image to image; 0 when the piece has all of them. In the halo
  /// above and below a band stand the neighbours' rows, but for the edges of the image.
  int64_t storedRows = 0;

  bool operator==(const TensorSpec &) const = default;
};

/// One axis of a tensor in memory.
struct StorageAxis {
  size_t dimension;
  AxisPart part;
  int64_t min;    ///< of an index along it: negative where there is a halo, so that pixels count from 0
  int64_t extent; ///< halo and padding included
  int64_t stride; ///< in elements
};
/// Outermost first.
std::vector<StorageAxis> storageAxes(const TensorSpec &tensor);

/// Elements from the start of the first to the end of the last, halo and padding
/// included.
int64_t storageElements(const TensorSpec &tensor);
int64_t storageBytes(const TensorSpec &tensor);
/// Elements from an element to the one whose index along `dimension` is `steps` more; both begin blocks where that
/// stands in blocks.
int64_t storageStride(const TensorSpec &tensor, size_t dimension, int64_t steps);

/// Where each element of a tensor stands in its memory. Every dimension moves an element by an amount of its own, so
/// this is one table of offsets for each dimension, and an element's place is their sum.
class StorageMap {
public:
  explicit StorageMap(const TensorSpec &tensor);

  /// Elements stored, padding and halo included.
  int64_t storage() const { return stored; }
  /// Elements of the tensor itself.
  int64_t elements() const { return logical; }

  /// Calls visit(place of the element in storage) for each element, row-major.
  template <typename Visit> void forEach(Visit visit) const { walk(0, 0, visit); }

  /// From row-major to the layout; padding and halo become zeros.
  template <typename T> void pack(const T *dense, T *storage) const {
    std::fill_n(storage, stored, T(0));
    forEach([&](int64_t place) { storage[place] = *dense++; });
  }
  template <typename T> void unpack(const T *storage, T *dense) const {
    forEach([&](int64_t place) { *dense++ = storage[place]; });
  }

private:
  template <typename Visit> void walk(size_t dimension, int64_t base, Visit &visit) const {
    if (dimension == offsets.size())
      return visit(base);
    if (dimension + 1 == offsets.size()) {
      for (int64_t offset : offsets[dimension])
        visit(base + offset);
      return;
    }
    for (int64_t offset : offsets[dimension])
      walk(dimension + 1, base + offset, visit);
  }

  std::vector<std::vector<int64_t>> offsets; ///< [dimension][index]
  int64_t stored, logical = 1;
};

} // namespace resin

#endif // RESIN_SUPPORT_TENSORSPEC_H
