//===- Saturated.h - Products that do not overflow --------------*- C++ -*-===//

#ifndef RESIN_SUPPORT_SATURATED_H
#define RESIN_SUPPORT_SATURATED_H

#include <cstdint>
#include <initializer_list>

namespace resin {

/// Saturates at 2^62: sizes read from text may be anything.
inline int64_t multiply(std::initializer_list<int64_t> factors) {
  constexpr int64_t most = int64_t(1) << 62;
  int64_t size = 1;
  for (int64_t factor : factors)
    if (__builtin_mul_overflow(size, factor, &size) || size > most)
      size = most;
  return size;
}

} // namespace resin

#endif // RESIN_SUPPORT_SATURATED_H
