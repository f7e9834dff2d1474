//===- Numbers.h - What a number of the language is to a program -*- C++ -*-===//
//
// Programs compute in 32-bit floats and take what is too small for a normal one as
// 0. So a number must be in its range as that float, and must not become infinite
// or 0 on the way.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_SUPPORT_NUMBERS_H
#define RESIN_SUPPORT_NUMBERS_H

#include <cstdint>
#include <string>
#include <string_view>

namespace resin {

enum class RealRange { Positive, NonNegative, BelowOne, UpToOne };

/// "a number from 0, below 1"
std::string_view describe(RealRange range);
bool isInRange(double number, RealRange range);

/// Whether a 32-bit float holds `number`: it is finite, and 0 only for 0.
bool isFloat(double number);

/// The shortest text that is read back to the bit: "0.1".
std::string printNumber(double number);
/// As a message shows a number that was refused: "1e+39, which is infinite as a 32-bit float".
std::string describeNumber(double number);

/// The two integers of a division that left a remainder.
struct Division {
  int64_t dividend, divisor;
};

/// "0, to which the integers 1 / 10 are rounded: write 1.0 / 10". Such an integer counts, but measures nothing: it is
/// refused where a number is wanted.
std::string describeRounded(int64_t result, const Division &division);

} // namespace resin

#endif // RESIN_SUPPORT_NUMBERS_H
