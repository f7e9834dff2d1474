//===- Placement.cpp - Where things of known sizes and lives can stand ----===//

#include "passes/Placement.h"

#include <algorithm>
#include <numeric>

using namespace resin;

/// The lowest offset at which `size` bytes fit between the taken ranges, sorted by start.
static int64_t lowestGap(const std::vector<std::pair<int64_t, int64_t>> &taken, int64_t size) {
  int64_t at = 0;
  for (auto [begin, end] : taken) {
    if (at + size <= begin)
      return at;
    at = std::max(at, alignUp(end, kPlaceAlignment));
  }
  return at;
}

Placement resin::place(const std::vector<int64_t> &sizes, const std::function<bool(size_t, size_t)> &conflict) {
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });

  Placement result;
  result.offsets.resize(sizes.size());
  std::vector<size_t> placed;
  for (size_t item : order) {
    std::vector<std::pair<int64_t, int64_t>> taken;
    for (size_t other : placed)
      if (conflict(item, other))
        taken.emplace_back(result.offsets[other], result.offsets[other] + sizes[other]);
    std::sort(taken.begin(), taken.end());
    result.offsets[item] = lowestGap(taken, sizes[item]);
    result.bytes = std::max(result.bytes, result.offsets[item] + sizes[item]);
    placed.push_back(item);
  }
  return result;
}
