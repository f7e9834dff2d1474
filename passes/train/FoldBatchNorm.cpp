//===- FoldBatchNorm.cpp - Fixed statistics go into the filters -----------===//
//
// Where statistics are fixed, batch norm multiplies each channel and adds to it:
//
//   conv(x, w) * m + a        =  conv(x, w * m) + a
//   (conv(x, w) + b) * m + a  =  conv(x, w * m) + (b * m + a)
//
// The convolution must have no other reader. Batch norm behind anything else
// stays a multiplication and an addition.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"

namespace resin {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// The op that makes `value` if it is an `Op` that nobody else reads.
template <typename Op> Op soleProducer(Value value) { return value.hasOneUse() ? value.getDefiningOp<Op>() : Op(); }

struct FoldBatchNorm : resin::impl::FoldBatchNormBase<FoldBatchNorm> {
  using FoldBatchNormBase::FoldBatchNormBase;

  void runOnOperation() override {
    SmallVector<BatchNormInferenceOp> norms;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isInference(function))
        function.walk([&](BatchNormInferenceOp norm) { norms.push_back(norm); });
    llvm::for_each(norms, [&](BatchNormInferenceOp norm) { fold(norm); });
  }

private:
  void fold(BatchNormInferenceOp norm) {
    OpBuilder builder(norm);
    auto affine = InferenceAffineOp::create(builder, norm.getLoc(), norm.getScale(), norm.getOffset(), norm.getMean(),
                                            norm.getVariance(), norm.getEpsilon());
    auto bias = soleProducer<AddBiasOp>(norm.getInput());
    auto conv = soleProducer<Conv2dOp>(bias ? bias.getInput() : norm.getInput());
    Value replacement =
        conv ? foldInto(builder, conv, bias, affine)
             : ScaleShiftOp::create(builder, norm.getLoc(), norm.getInput(), affine.getMultiplier(), affine.getAddend())
                   .getResult();
    norm.getResult().replaceAllUsesWith(replacement);
    norm.erase();
    if (!conv)
      return;
    if (bias)
      bias.erase();
    conv.erase();
    ++numFolded;
  }

  Value foldInto(OpBuilder &builder, Conv2dOp conv, AddBiasOp bias, InferenceAffineOp affine) {
    Location loc = builder.getFusedLoc({conv.getLoc(), affine.getLoc()});
    Value filter = ScaleFilterOp::create(builder, affine.getLoc(), conv.getFilter(), affine.getMultiplier());
    Value addend = affine.getAddend();
    if (bias)
      addend = ScaleAddOp::create(builder, affine.getLoc(), bias.getBias(), affine.getMultiplier(), addend);
    Value result = Conv2dOp::create(builder, loc, conv.getInput(), filter, conv.getStrides(), conv.getPadding(),
                                    conv.getDilations(), conv.getGroups());
    return AddBiasOp::create(builder, loc, result, addend);
  }
};

} // namespace
