//===- Layout.h - Between a file's order and the kernels' -------*- C++ -*-===//
//
// A tensor stands in the arena as its kernels like it (support/KernelSpec.h lists
// the layouts) and in a file row-major. In every layout each dimension moves an
// element by an amount of its own, so a layout is one table of offsets for each
// dimension and an element's place is their sum.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_LAYOUT_H
#define RESIN_RUNTIME_LAYOUT_H

#include "support/KernelSpec.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace resin::runtime {

struct Tensor;

std::optional<LayoutKind> layoutNamed(std::string_view name);
/// Whether the layout is defined for tensors of this rank and halo.
bool fitsRank(LayoutKind kind, size_t rank, int64_t halo);

class Placement {
public:
  Placement(const std::vector<int64_t> &shape, LayoutKind kind, int64_t halo);
  explicit Placement(const Tensor &tensor);

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
  int64_t stored = 1, logical = 1;
};

} // namespace resin::runtime

#endif // RESIN_RUNTIME_LAYOUT_H
