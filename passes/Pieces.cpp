//===- Pieces.cpp - How a batch is cut into pieces ------------------------===//

#include "passes/Pieces.h"

#include "mlir/IR/BuiltinTypes.h"

#include <algorithm>

using namespace mlir;

namespace resin {

int64_t largestDivisor(int64_t n, int64_t limit) {
  int64_t divisor = std::clamp<int64_t>(limit, 1, n);
  while (n % divisor)
    --divisor;
  return divisor;
}

int64_t piecesOf(Type activation) {
  auto type = cast<RankedTensorType>(activation);
  int64_t images = type.getDimSize(0);
  int64_t imageBytes = type.getNumElements() / images * 4;
  return images / largestDivisor(images, (256 << 10) / imageBytes);
}

int64_t lanesOf(int64_t n) { return largestDivisor(n, 8); }

} // namespace resin
