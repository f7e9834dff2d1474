//===- Placement.cpp - Where things of known sizes and lives can stand ----===//

#include "passes/plan/Placement.h"

#include <algorithm>
#include <numeric>
#include <tuple>

using namespace resin;

namespace {
struct Taken {
  int64_t begin, end;
  size_t item;

  bool operator<(const Taken &other) const { return std::tie(begin, end) < std::tie(other.begin, other.end); }
};
} // namespace

/// The lowest offset at which `size` bytes fit between the taken ranges that conflict with `item`.
template <typename Conflict>
static int64_t lowestGap(const std::vector<Taken> &taken, size_t item, int64_t size, const Conflict &conflict) {
  int64_t at = 0;
  for (const Taken &other : taken) {
    if (other.end <= at || !conflict(item, other.item))
      continue;
    if (at + size <= other.begin)
      return at;
    at = std::max(at, alignUp(other.end, kPlaceAlignment));
  }
  return at;
}

Placement resin::place(const std::vector<int64_t> &sizes, const std::function<bool(size_t, size_t)> &conflict) {
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });

  Placement result;
  result.offsets.resize(sizes.size());
  std::vector<Taken> taken; // sorted: each item looks through it once, and stops at the first gap
  for (size_t item : order) {
    const int64_t begin = lowestGap(taken, item, sizes[item], conflict);
    const Taken place{begin, begin + sizes[item], item};
    taken.insert(std::upper_bound(taken.begin(), taken.end(), place), place);
    result.offsets[item] = begin;
    result.bytes = std::max(result.bytes, place.end);
  }
  return result;
}
