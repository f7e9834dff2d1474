//===- VerifyPhase.cpp - What a phase promises to the next ----------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"

namespace resin {
#define GEN_PASS_DEF_VERIFYPHASE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// train: each function is one way of running the model, with its own batch.
LogicalResult verifyTrain(Operation *op) {
  if (isa<BatchNormOp, BatchNormInferenceOp>(op))
    return op->emitOpError("must not be left after the train phase");
  auto function = op->getParentOfType<func::FuncOp>();
  if (isa<DropoutOp>(op) && function.getName() != kTrainStep)
    return op->emitOpError("must not be left outside training after the train phase");
  for (Type type : op->getResultTypes())
    if (auto shaped = dyn_cast<ShapedType>(type); !shaped || !shaped.hasStaticShape())
      return op->emitOpError("has a result of unknown shape ") << type << " after the train phase";
  return success();
}

/// layout: activations are blocked, and convolutions find the zeros that they read.
LogicalResult verifyLayout(Operation *op) {
  for (Type type : op->getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type);
        tensor && tensor.getRank() == 4 && !isa_and_nonnull<LayoutAttr>(tensor.getEncoding()))
      return op->emitOpError("has a result without a layout after the layout phase");
  ArrayRef<int64_t> paddings;
  if (auto conv = dyn_cast<Conv2dOp>(op))
    paddings = conv.getPadding();
  else if (auto winograd = dyn_cast<Conv2dWinogradOp>(op))
    paddings = winograd.getPadding();
  else
    return success();
  const int64_t halo = LayoutAttr::haloOf(cast<RankedTensorType>(op->getOperand(0).getType()));
  for (int64_t padding : paddings)
    if (padding > halo)
      return op->emitOpError("pads by ") << padding << " and finds a halo of " << halo;
  return success();
}

/// fused: every op is in exactly one kernel.
LogicalResult verifyFused(Operation *op) {
  if (isa<ReadOp, WriteOp, FusedOp, func::ReturnOp>(op) || op->getParentOfType<FusedOp>())
    return success();
  return op->emitOpError("must be in a resnet.fused after the fused phase");
}

struct VerifyPhase : resin::impl::VerifyPhaseBase<VerifyPhase> {
  using VerifyPhaseBase::VerifyPhaseBase;

  void runOnOperation() override {
    auto verify = llvm::StringSwitch<LogicalResult (*)(Operation *)>(phase)
                      .Case("train", verifyTrain)
                      .Case("layout", verifyLayout)
                      .Case("fused", verifyFused)
                      .Default(nullptr);
    if (!verify) {
      getOperation().emitError("verify-phase: unknown phase '") << phase << "'";
      return signalPassFailure();
    }
    if (failed(verifyFunctions(verify)))
      signalPassFailure();
  }

private:
  LogicalResult verifyFunctions(LogicalResult (*verify)(Operation *)) {
    ModuleOp module = getOperation();
    if (module.lookupSymbol(kModel))
      return module.emitError("@model must not be left after the train phase");
    for (StringRef name : {StringRef(kTrainStep), StringRef(kEvaluate), StringRef(kPrepare)})
      if (!module.lookupSymbol<func::FuncOp>(name))
        return module.emitError("there is no function @") << name;
    // Every mistake is told, not only the first.
    bool failed = false;
    for (auto function : module.getOps<func::FuncOp>())
      function.walk([&](Operation *op) {
        if (op != function)
          failed |= mlir::failed(verify(op));
      });
    return failure(failed);
  }
};

} // namespace
