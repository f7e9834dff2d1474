//===- Shape.h - Shapes, places and numbers in messages ---------*- C++ -*-===//

#ifndef RESIN_SUPPORT_SHAPE_H
#define RESIN_SUPPORT_SHAPE_H

#include "support/Status.h"

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace resin {

/// "[64, 3, 7, 7]"
inline std::string printShape(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

/// Where the element stands that is number `element` of a row-major tensor: "[63, 0, 2, 1]".
inline std::string printIndex(std::span<const int64_t> shape, int64_t element) {
  std::vector<int64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0; element /= shape[d])
    index[d] = element % shape[d];
  return printShape(index);
}

/// The number, or "nan", "inf" or "-inf": a stream would print a NaN's sign too.
inline std::string printNumber(double number) { return std::isnan(number) ? "nan" : concat(number); }

} // namespace resin

#endif // RESIN_SUPPORT_SHAPE_H
