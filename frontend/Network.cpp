//===- Network.cpp - A model with every block and repeat unrolled ---------===//

#include "frontend/Network.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace resin::frontend;

int64_t resin::frontend::countElements(llvm::ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    if (llvm::MulOverflow(count, size, count))
      return std::numeric_limits<int64_t>::max();
  return count;
}

int64_t Layer::countParameters() const {
  int64_t count = 0;
  for (const Variable &variable : variables)
    if (variable.isParameter)
      count += countElements(variable.shape);
  return count;
}
