//===- Float16.h - The two floating-point types of 16 bits ------*- C++ -*-===//

#ifndef RESIN_SUPPORT_FLOAT16_H
#define RESIN_SUPPORT_FLOAT16_H

#include <bit>
#include <cstdint>

namespace resin {

/// IEEE 754's binary16: 1 bit of sign, 5 of exponent, 10 of fraction.
inline float halfToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  if (exponent == 31)
    return std::bit_cast<float>(sign | 0x7f800000 | fraction << 13);
  const float magnitude = exponent == 0 ? static_cast<float>(fraction) * 0x1p-24f
                                        : std::bit_cast<float>((exponent + 112) << 23 | fraction << 13);
  return sign ? -magnitude : magnitude;
}

/// bfloat16: the upper half of a float.
inline float bfloatToFloat(uint16_t value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }

} // namespace resin

#endif // RESIN_SUPPORT_FLOAT16_H
