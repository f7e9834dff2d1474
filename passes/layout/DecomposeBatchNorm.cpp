//===- DecomposeBatchNorm.cpp - Batch norm as sums and an affine map ------===//
//
// Training's batch norm (Ioffe and Szegedy 2015) and its gradient become what
// fusion can spread over kernels: sums that end the kernel before, an affine map
// that begins the kernel behind, and arithmetic on channel vectors between them,
// which is the barrier.
//
// With y the input, s^2 = variance + epsilon and n elements in a channel,
//   dy = scale/s * (dz - sum(dz)/n - (y - mean)/s^2 * sum(dz * (y - mean))/n)
// is affine in dz and y: a*dz + b*y + c.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"
#include "passes/Pieces.h"
#include "passes/StaticTensors.h"

namespace resin {
#define GEN_PASS_DEF_DECOMPOSEBATCHNORM
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

APFloat elementsOfChannel(Value activation) {
  auto type = cast<RankedTensorType>(activation.getType());
  return APFloat(static_cast<double>(type.getNumElements() / type.getDimSize(1)));
}

/// Sums in f64: of a variance that is small beside the mean, f32 holds nothing.
RankedTensorType sumsOf(Value activation, int64_t pieces) {
  auto type = cast<RankedTensorType>(activation.getType());
  return RankedTensorType::get({pieces, type.getDimSize(1)}, Float64Type::get(type.getContext()));
}

void decompose(BatchNormTrainOp norm, const PieceRule &rule) {
  OpBuilder builder(norm);
  Location loc = norm.getLoc();
  Value input = norm.getInput();
  int64_t pieces = rule.piecesOf(input.getType());
  Type sums = sumsOf(input, pieces);
  Value sum = ChannelSumOp::create(builder, loc, sums, input, pieces);
  Value squares = ChannelDotOp::create(builder, loc, sums, input, input, pieces);
  auto finalize = BatchNormFinalizeOp::create(builder, loc, sum, squares, norm.getScale(), norm.getOffset(),
                                              elementsOfChannel(input), norm.getEpsilon());
  Value result = ScaleShiftOp::create(builder, loc, input, finalize.getMultiplier(), finalize.getAddend());
  norm->replaceAllUsesWith(ValueRange{result, finalize.getMean(), finalize.getVariance()});
  norm.erase();
}

void decompose(BatchNormGradOp norm, const PieceRule &rule) {
  OpBuilder builder(norm);
  Location loc = norm.getLoc();
  Value gradient = norm.getGradient(), input = norm.getInput();
  int64_t pieces = rule.piecesOf(input.getType());
  Type sums = sumsOf(input, pieces);
  Value sum = ChannelSumOp::create(builder, loc, sums, gradient, pieces);
  Value dot = ChannelDotOp::create(builder, loc, sums, gradient, input, pieces);
  auto finalize = BatchNormGradFinalizeOp::create(builder, loc, sum, dot, norm.getScale(), norm.getMean(),
                                                  norm.getVariance(), elementsOfChannel(input), norm.getEpsilon());
  Value result =
      AffineCombineOp::create(builder, loc, gradient, input, finalize.getA(), finalize.getB(), finalize.getC());
  norm->replaceAllUsesWith(ValueRange{result, finalize.getScaleGradient(), finalize.getOffsetGradient()});
  norm.erase();
}

/// A bias's gradient is a channel sum too, and is cut by the same rule.
void cutSum(ChannelSumOp sum, const PieceRule &rule) {
  OpBuilder builder(sum);
  int64_t pieces = rule.piecesOf(sum.getInput().getType());
  if (pieces == static_cast<int64_t>(sum.getPieces()) || !llvm::all_of(sum->getUsers(), llvm::IsaPred<BatchSumOp>))
    return;
  sum.getResult().replaceAllUsesWith(ChannelSumOp::create(builder, sum.getLoc(), sum.getInput(), pieces));
  sum.erase();
}

struct DecomposeBatchNorm : resin::impl::DecomposeBatchNormBase<DecomposeBatchNorm> {
  using DecomposeBatchNormBase::DecomposeBatchNormBase;

  void runOnOperation() override {
    if (failed(verifyStaticTensors(getOperation(), getArgument())))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      const PieceRule rule(function);
      function.walk([&](Operation *op) {
        numDecomposed += isa<BatchNormTrainOp, BatchNormGradOp>(op);
        if (auto train = dyn_cast<BatchNormTrainOp>(op))
          decompose(train, rule);
        else if (auto grad = dyn_cast<BatchNormGradOp>(op))
          decompose(grad, rule);
        else if (auto sum = dyn_cast<ChannelSumOp>(op))
          cutSum(sum, rule);
      });
    }
  }
};

} // namespace
