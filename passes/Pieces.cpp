//===- Pieces.cpp - How a batch is cut into pieces ------------------------===//

#include "passes/Pieces.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Target.h"

#include <algorithm>

using namespace mlir;
using namespace resin::resnet;

namespace resin {

static Type shapeOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

static int64_t heightOf(Value activation) { return cast<RankedTensorType>(activation.getType()).getDimSize(2); }

PieceRule::PieceRule(func::FuncOp function) : policy(cutForCaches(machineOf(function), fusionKnobsOf(function))) {
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
  return images / policy->imagesOfPiece(images, bytesOf(type) / images, bytes);
}

bool canCutInRows(const OpFacts &update, int64_t rank) {
  return update.role == OpRole::Update && update.isElementwise && rank > 0;
}

} // namespace resin
