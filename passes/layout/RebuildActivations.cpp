//===- RebuildActivations.cpp - Normalised activations are not kept -------===//
//
// The gradient reads what a layer behind a batch norm read: relu(y * multiplier +
// addend). Kept from the forward to the backward half, these are nearly half of what
// lives at a step's peak. But y is kept anyway, for the gradient of the batch norm, and
// the rest is one multiply-add an element: every reader in the backward half gets a
// copy of its own. A mask then rides with the kernel that makes its gradient, and a
// filter's gradient reads its copy from a scratch buffer, piece by piece.
//
// A join's activation stays: it would drag all joins before it along. Functions whose
// fusion knobs say so keep all.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

namespace resin {
#define GEN_PASS_DEF_REBUILDACTIVATIONS
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Whether the operand is an activation of the forward half that a gradient is computed from.
bool readsAgain(OpOperand &use) {
  const unsigned number = use.getOperandNumber();
  return (isa<Conv2dGradWeightOp>(use.getOwner()) && number == 0) ||
         (isa<ReluGradOp, MaxPoolGradOp>(use.getOwner()) && number == 1);
}

struct RebuildActivations : resin::impl::RebuildActivationsBase<RebuildActivations> {
  using RebuildActivationsBase::RebuildActivationsBase;

  void runOnOperation() override {
    SmallVector<OpOperand *> uses; // before there are copies
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (fusionKnobsOf(function).rebuild)
        collect(function, uses);
    for (OpOperand *use : uses)
      use->set(rebuild(*use->getOwner(), cast<ReluOp>(use->get().getDefiningOp())));
  }

private:
  static void collect(func::FuncOp function, SmallVector<OpOperand *> &uses) {
    function.walk([&](ReluOp relu) {
      auto norm = relu.getInput().getDefiningOp<ScaleShiftOp>();
      if (norm && cast<RankedTensorType>(norm.getType()).getRank() == 4)
        for (OpOperand &use : relu->getUses())
          if (readsAgain(use))
            uses.push_back(&use);
    });
  }

  Value rebuild(Operation &reader, ReluOp relu) {
    OpBuilder builder(&reader);
    ++numRebuilt;
    Value normalised = builder.clone(*relu.getInput().getDefiningOp())->getResult(0);
    if (isa<ReluGradOp>(reader)) // its mask is the same before relu as behind it
      return normalised;
    IRMapping map;
    map.map(relu.getInput(), normalised);
    return builder.clone(*relu, map)->getResult(0);
  }
};

} // namespace
