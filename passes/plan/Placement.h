//===- Placement.h - Where things of known sizes and lives can stand -*- C++ -*-===//
//
// The core of memory planning, free of any IR.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_PLAN_PLACEMENT_H
#define RESIN_PASSES_PLAN_PLACEMENT_H

#include <cstdint>
#include <functional>
#include <vector>

namespace resin {

struct Placement {
  std::vector<int64_t> offsets; ///< one for each size
  int64_t bytes = 0;            ///< from 0 to the end of the last
};

inline constexpr int64_t kPlaceAlignment = 64; ///< a cache line, and what kernels expect

inline int64_t alignUp(int64_t value, int64_t alignment) { return (value + alignment - 1) / alignment * alignment; }

/// From largest to smallest, each into the lowest gap between those that stand already
/// and that it conflicts with. Offsets are multiples of kPlaceAlignment.
Placement place(const std::vector<int64_t> &sizes, const std::function<bool(size_t, size_t)> &conflict);

} // namespace resin

#endif // RESIN_PASSES_PLAN_PLACEMENT_H
