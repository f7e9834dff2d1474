//===- RebuildActivations.cpp - Normalised activations are not kept -------===//
//
// The gradient reads what a layer behind a batch norm read: relu(y * multiplier +
// addend), or another function of one activation. Kept from the forward to the backward
// half, these are nearly half of what lives at a step's peak. But y is kept anyway, for
// the gradient of the batch norm, and the rest is a few operations an element: every
// reader in the backward half gets a copy of its own. A mask then rides with the kernel
// that makes its gradient, and a filter's gradient reads its copy from a scratch buffer,
// piece by piece.
//
// A join's activation stays: it would drag all joins before it along. But where the
// function's gradient reads the join itself, that stays, and the activation is made
// again. Functions whose fusion knobs say so keep all.
//
//===----------------------------------------------------------------------===//

#include "passes/Passes.h"

#include "dialects/Resnet/Fusion.h"
#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"

#include "llvm/ADT/SetVector.h"

namespace resin {
#define GEN_PASS_DEF_REBUILDACTIVATIONS
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Whether the operand is what the forward half computed, read again by a gradient.
bool readsAgain(OpOperand &use) {
  const OpFacts &reader = factsOf(use.getOwner());
  return !reader.gradientOf.empty() && reader.operands[use.getOperandNumber()].name != "gradient";
}

/// Whether `op` is a function of one activation of images, element by element.
bool isActivation(Operation *op) {
  return factsOf(op).role == OpRole::Pointwise && op->getNumOperands() == 1 &&
         cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 4;
}

bool isGradientOf(Operation *reader, Operation *op) { return factsOf(reader).gradientOf == factsOf(op).name; }

struct RebuildActivations : resin::impl::RebuildActivationsBase<RebuildActivations> {
  using RebuildActivationsBase::RebuildActivationsBase;

  void runOnOperation() override {
    llvm::SetVector<OpOperand *> uses; // before there are copies
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (fusionKnobsOf(function).rebuild)
        collect(function, uses);
    for (OpOperand *use : uses)
      use->set(rebuild(*use));
  }

private:
  static void collect(func::FuncOp function, llvm::SetVector<OpOperand *> &uses) {
    function.walk([&](Operation *op) {
      if (!isActivation(op))
        return;
      const bool isNormalised = op->getOperand(0).getDefiningOp<ScaleShiftOp>();
      if (isNormalised || readsInputOnly(op))
        for (OpOperand &use : op->getUses())
          if (readsAgain(use))
            uses.insert(&use);
      if (isNormalised)
        for (OpOperand &use : op->getOperand(0).getUses())
          if (readsAgain(use) && isGradientOf(use.getOwner(), op))
            uses.insert(&use);
    });
  }

  /// Whether the op's input is kept for its gradient.
  static bool readsInputOnly(Operation *op) {
    const OpFacts &facts = factsOf(op);
    return facts.gradientReads.size() == 1 && facts.gradientReads[0] == facts.operands[0].name;
  }

  /// A copy for the reader, made of what is kept.
  Value rebuild(OpOperand &use) {
    OpBuilder builder(use.getOwner());
    ++numRebuilt;
    Operation *op = use.get().getDefiningOp();
    if (isa<ScaleShiftOp>(op))
      return builder.clone(*op)->getResult(0);
    Value input = op->getOperand(0);
    if (auto norm = input.getDefiningOp<ScaleShiftOp>())
      input = builder.clone(*norm)->getResult(0);
    if (isGradientOf(use.getOwner(), op) && factsOf(op).readsInputOrResult())
      return input;
    IRMapping map;
    map.map(op->getOperand(0), input);
    return builder.clone(*op, map)->getResult(0);
  }
};

} // namespace
