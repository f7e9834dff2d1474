//===- Halo.h - How many zeros can stand around an image --------*- C++ -*-===//

#ifndef RESIN_SUPPORT_HALO_H
#define RESIN_SUPPORT_HALO_H

#include <cstdint>

namespace resin {

/// Pixels on each side of every map.
inline constexpr int64_t kMostHalo = 1024;

} // namespace resin

#endif // RESIN_SUPPORT_HALO_H
