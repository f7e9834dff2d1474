//===- Pieces.cpp - How a batch is cut into pieces ------------------------===//

#include "passes/Pieces.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Resnet.h"

#include <algorithm>

using namespace mlir;
using namespace resin::resnet;

namespace resin {

static constexpr int64_t kFewestPieces = 4;

int64_t largestDivisor(int64_t n, int64_t limit) {
  int64_t divisor = std::clamp<int64_t>(limit, 1, n);
  while (n % divisor)
    --divisor;
  return divisor;
}

int64_t imagesOfPiece(int64_t images, int64_t imageBytes, int64_t filterBytes, int64_t cacheBytes) {
  const bool streams = filterBytes > cacheBytes / 2;
  if (!streams)
    return largestDivisor(images, std::min(cacheBytes / 2 / imageBytes, images / kFewestPieces));
  auto cost = [&](int64_t n) { return (filterBytes + 2 * std::max<int64_t>(0, 2 * n * imageBytes - cacheBytes)) / n; };
  int64_t best = 1;
  for (int64_t n = 1; n * kFewestPieces <= images; ++n)
    if (images % n == 0 && cost(n) <= cost(best))
      best = n;
  return best;
}

static Type shapeOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

static int64_t heightOf(Value activation) { return cast<RankedTensorType>(activation.getType()).getDimSize(2); }

PieceRule::PieceRule(func::FuncOp function) : cacheBytes(fusionKnobsOf(function).pieceKib << 10) {
  auto note = [&](Value filter, Value activation) {
    int64_t &most = filterBytes[shapeOf(activation)];
    most = std::max(most, bytesOf(cast<RankedTensorType>(filter.getType())));
  };
  // Where a convolution changes the size of its map, one op is no reason to cut all others on the larger map by it.
  function.walk([&](Operation *op) {
    if (auto conv = dyn_cast<Conv2dOp>(op)) {
      note(conv.getFilter(), conv.getResult());
      if (heightOf(conv.getInput()) <= heightOf(conv.getResult()))
        note(conv.getFilter(), conv.getInput());
    } else if (auto data = dyn_cast<Conv2dGradDataOp>(op)) {
      note(data.getFilter(), data.getGradient());
      if (heightOf(data.getResult()) <= heightOf(data.getGradient()))
        note(data.getFilter(), data.getResult());
    }
  });
}

int64_t PieceRule::piecesOf(Type activation) const {
  auto type = cast<RankedTensorType>(activation);
  const int64_t images = type.getDimSize(0);
  const int64_t bytes = filterBytes.lookup(RankedTensorType::get(type.getShape(), type.getElementType()));
  return images / imagesOfPiece(images, bytesOf(type) / images, bytes, cacheBytes);
}

bool isSummedInLanes(Type filter) {
  constexpr int64_t kLaneBytes = 2 << 20;
  return bytesOf(cast<RankedTensorType>(filter)) <= kLaneBytes;
}

int64_t lanesOf(int64_t n) { return largestDivisor(n, 8); }

bool canCutInRows(const OpFacts &update, int64_t rank) {
  return update.role == OpRole::Update && update.isElementwise && rank > 0;
}

} // namespace resin
