//===- Numbers.cpp - What a number of the language is to a program --------===//

#include "support/Numbers.h"

#include <charconv>
#include <cmath>
#include <limits>

using namespace resin;

std::string_view resin::describe(RealRange range) {
  switch (range) {
  case RealRange::Positive:
    return "a number above 0";
  case RealRange::NonNegative:
    return "a number from 0";
  case RealRange::BelowOne:
    return "a number from 0, below 1";
  case RealRange::UpToOne:
    return "a number from 0 to 1";
  }
  return "";
}

bool resin::isFloat(double number) {
  const float held = static_cast<float>(number);
  return std::isfinite(held) && (number == 0 || std::fabs(held) >= std::numeric_limits<float>::min());
}

bool resin::isInRange(double number, RealRange range) {
  if (!isFloat(number))
    return false;
  const float held = static_cast<float>(number);
  switch (range) {
  case RealRange::Positive:
    return held > 0;
  case RealRange::NonNegative:
    return held >= 0;
  case RealRange::BelowOne:
    return held >= 0 && held < 1;
  case RealRange::UpToOne:
    return held >= 0 && number <= 1;
  }
  return false;
}

std::string resin::printNumber(double number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

std::string resin::describeNumber(double number) {
  const float held = static_cast<float>(number);
  if (!std::isfinite(number) || number == static_cast<double>(held))
    return printNumber(number);
  if (!isFloat(number))
    return printNumber(number) + ", which is " + (std::isfinite(held) ? "0" : "infinite") + " as a 32-bit float";
  if (held == 1)
    return printNumber(number) + ", which is 1 as a 32-bit float";
  return printNumber(number);
}

std::string resin::describeRounded(int64_t result, const Division &division) {
  const std::string dividend = std::to_string(division.dividend), divisor = std::to_string(division.divisor);
  return std::to_string(result) + ", to which the integers " + dividend + " / " + divisor + " are rounded: write " +
         dividend + ".0 / " + divisor;
}
