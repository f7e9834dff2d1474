//===- TransformFilters.cpp - Filters go to Winograd's points beforehand ---===//
//
// A 3x3 convolution of one image has few tiles, so that its filter's transform is a
// large part of the work. In @predict of one image the filter is transformed by an op
// of its own, which `hoist-prepare` then moves to @prepare.
//
//   1. Rate each form of the convolution: the plain sum, F(4x4), F(2x2) where
//      allowed. More points mean fewer multiplications and more bytes of filter.
//   2. Unless the plain sum is best, replace it.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Target.h"
#include "passes/EntryPoints.h"
#include "passes/Passes.h"
#include "support/ConvCost.h"
#include "support/KernelStack.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "transform-filters"

namespace resin {
#define GEN_PASS_DEF_TRANSFORMFILTERS
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

int64_t elementBytes(Value value) { return bytesOf(*elementTypeOf(getElementTypeOrSelf(value))); }
ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }

bool isAll(ArrayRef<int64_t> values, int64_t wanted) {
  return llvm::all_of(values, [&](int64_t value) { return value == wanted; });
}

/// Whether Winograd's method applies, and to whole blocks of channels.
bool suits(Conv2dOp conv) {
  ArrayRef<int64_t> filter = shapeOf(conv.getFilter()), image = shapeOf(conv.getInput());
  return image[0] == 1 && filter[2] == 3 && filter[3] == 3 && filter[0] % kChannelBlock == 0 &&
         filter[1] % kChannelBlock == 0 && conv.getGroups() == 1 && isAll(conv.getStrides(), 1) &&
         isAll(conv.getDilations(), 1) && isAll(conv.getPadding(), 1);
}

/// Time of one image for each pair of channels, in multiply-adds of a core at its peak, by the plain sum (`tile` 0) or
/// with a filter at its points: the longer of the arithmetic and of reading the filter.
double costOf(Conv2dOp conv, int64_t tile, const Machine &machine) {
  ArrayRef<int64_t> filter = shapeOf(conv.getFilter()), result = shapeOf(conv.getResult());
  const int64_t points = tile ? (tile + 2) * (tile + 2) : 9, bytes = points * elementBytes(conv.getFilter());
  double arithmetic = kPlainSumCost * 9 * result[2] * result[3];
  if (tile) {
    const double values = double(points) * llvm::divideCeil(result[2], tile) * llvm::divideCeil(result[3], tile);
    arithmetic = winogradCost(static_cast<int>(tile)).arithmetic(values, values, filter[1], filter[0]);
  }
  const bool isCached = filter[0] * filter[1] * bytes <= machine.lastCacheBytes;
  return std::max(arithmetic, (isCached ? machine.fmasPerCachedByte() : machine.fmasPerMemoryByte()) * bytes);
}

/// Whether a row of tiles, source and result at their points, fits the stack with something to spare.
bool fitsStack(Conv2dOp conv, int64_t tile) {
  ArrayRef<int64_t> filter = shapeOf(conv.getFilter()), result = shapeOf(conv.getResult());
  const int64_t points = (tile + 2) * (tile + 2);
  const int64_t bytes = points * elementBytes(conv.getFilter());
  return bytes * (filter[0] + filter[1]) * llvm::divideCeil(result[3], tile) <= kMostKernelScratch / 2;
}

struct TransformFilters : resin::impl::TransformFiltersBase<TransformFilters> {
  using TransformFiltersBase::TransformFiltersBase;

  void runOnOperation() override {
    const bool isStrict = wantsStrictNumerics(getOperation());
    const Machine machine = machineOf(getOperation());
    SmallVector<Conv2dOp> convs;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.getName().starts_with(kPredict))
        function.walk([&](Conv2dOp conv) {
          if (suits(conv))
            convs.push_back(conv);
        });
    for (Conv2dOp conv : convs)
      replace(conv, isStrict, machine);
  }

private:
  void replace(Conv2dOp conv, bool isStrict, const Machine &machine) {
    int64_t best = 0;
    for (int64_t tile : {4, 2})
      if (!(isStrict && tile == 4) && fitsStack(conv, tile) &&
          costOf(conv, tile, machine) < costOf(conv, best, machine))
        best = tile;
    LDBG() << "conv2d at " << conv.getLoc() << " costs " << costOf(conv, 0, machine) << ", at the points of 4x4 "
           << costOf(conv, 4, machine) << ", of 2x2 " << costOf(conv, 2, machine) << ": takes " << best;
    if (!best)
      return;
    OpBuilder builder(conv);
    Value points = WinogradFilterOp::create(builder, conv.getLoc(), conv.getFilter(), best);
    Value result = Conv2dWinogradOp::create(builder, conv.getLoc(), conv.getInput(), points, conv.getPadding());
    conv.getResult().replaceAllUsesWith(result);
    conv.erase();
    ++numTransformed;
  }
};

} // namespace
