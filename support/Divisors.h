//===- Divisors.h - Equal parts ---------------------------------*- C++ -*-===//

#ifndef RESIN_SUPPORT_DIVISORS_H
#define RESIN_SUPPORT_DIVISORS_H

#include <algorithm>
#include <concepts>
#include <cstdint>

namespace resin {

/// The largest divisor of a positive `n` that is at most `limit`; at least 1.
template <std::integral T> T largestDivisor(T n, int64_t limit) {
  T divisor = static_cast<T>(std::clamp<int64_t>(limit, 1, n));
  while (n % divisor)
    --divisor;
  return divisor;
}

} // namespace resin

#endif // RESIN_SUPPORT_DIVISORS_H
