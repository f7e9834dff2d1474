//===- Fuse.cpp - Regions that become kernels, cut into pieces ------------===//
//
//   1. Group the ops (Groups.h), and decide how each group is cut (Cuts.h).
//   2. Build the `resnet.fused`: its operands, sliced; the ops, with the shapes of
//      one piece; what others read of it.
//   3. Move reads to the function's beginning and leave writes at its end, so that
//      between them there are kernels only.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Fusion.h"
#include "passes/EntryPoints.h"
#include "passes/Passes.h"
#include "passes/StaticTensors.h"
#include "passes/fuse/Cuts.h"

namespace resin {
#define GEN_PASS_DEF_FUSE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

RankedTensorType slice(RankedTensorType type, int64_t dim, int64_t pieces, int64_t overlap = 0) {
  if (dim < 0)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  assert(shape[dim] % pieces == 0 && "pieces are equal");
  shape[dim] = shape[dim] / pieces + 2 * overlap;
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

//===----------------------------------------------------------------------===//
// One group
//===----------------------------------------------------------------------===//

/// How one group becomes a `resnet.fused`.
class Fuser {
public:
  Fuser(const Group &group, const CutRules &rules) : group(group), cut(group, rules) {}

  /// Builds the op and hands its results to the readers of the group's.
  void build(OpBuilder &builder);

private:
  using Operand = std::tuple<Value, int64_t, int64_t>; ///< and the dimension it is cut along, with what overlap

  RankedTensorType typeInside(OpResult result) const;
  RankedTensorType typeOutside(OpResult result) const;
  void collectOperandsAndResults();
  Operation *cloneInside(OpBuilder &builder, Operation *op);
  Value takePart(OpBuilder &builder, Value whole, RankedTensorType made);

  bool isInside(Operation *op) const { return llvm::is_contained(group.ops, op); }

  const Group &group;
  const GroupCut cut;
  llvm::MapVector<Operand, Value> operands; ///< and their block arguments
  SmallVector<OpResult> results;
  llvm::DenseMap<Value, Value> inside; ///< of the group's results
};

/// With lanes, the filter's gradient has one more dimension, in which they stand side by side.
RankedTensorType Fuser::typeOutside(OpResult result) const {
  RankedTensorType type = typeOf(result);
  if (cut.kind() != Cut::Lanes)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), cut.pieces());
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

RankedTensorType Fuser::typeInside(OpResult result) const {
  RankedTensorType type = typeOutside(result);
  return slice(type, cut.resultDim(type), cut.pieces());
}

void Fuser::collectOperandsAndResults() {
  for (Operation *op : group.ops) {
    for (OpOperand &operand : op->getOpOperands())
      if (!operand.get().getDefiningOp() || !isInside(operand.get().getDefiningOp()))
        operands.insert({{operand.get(), cut.operandDim(operand), cut.overlapOf(operand)}, Value()});
    for (OpResult result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !isInside(user); }))
        results.push_back(result);
  }
}

/// Clones `op` with the shapes of one piece.
Operation *Fuser::cloneInside(OpBuilder &builder, Operation *op) {
  Operation *clone = op->clone();
  for (auto [original, operand] : llvm::zip_equal(op->getOpOperands(), clone->getOpOperands())) {
    Value known = inside.lookup(original.get());
    operand.set(known ? known
                      : operands.find({original.get(), cut.operandDim(original), cut.overlapOf(original)})->second);
    if (cut.kind() == Cut::Parts)
      operand.set(takePart(builder, operand.get(), typeOf(clone->getResult(0))));
  }
  builder.insert(clone);
  for (auto [original, result] : llvm::zip_equal(op->getResults(), clone->getResults())) {
    result.setType(typeInside(original));
    inside[original] = result;
  }
  if (auto counted = dyn_cast<PieceOpInterface>(clone); counted && cut.kind() == Cut::Images)
    counted.setPieceOf(cut.pieces());
  if (auto sum = dyn_cast<ChannelSumOp>(clone))
    sum.setPieces(1);
  if (auto dot = dyn_cast<ChannelDotOp>(clone))
    dot.setPieces(1);
  if (cut.kind() == Cut::Bands) { // the overlap has it
    if (auto conv = dyn_cast<Conv2dOp>(clone))
      conv.setPadding({0, conv.getPadding()[1], 0, conv.getPadding()[3]});
    if (auto conv = dyn_cast<Conv2dWinogradOp>(clone))
      conv.setPadding({0, conv.getPadding()[1], 0, conv.getPadding()[3]});
  }
  if (auto grad = dyn_cast<Conv2dGradWeightOp>(clone))
    grad.setLane(cut.kind() == Cut::Lanes);
  return clone;
}

/// The part of `whole` that a part of `made` is made of: lanes have one dimension more.
Value Fuser::takePart(OpBuilder &builder, Value whole, RankedTensorType made) {
  const int64_t dim = outermostDim(made) + typeOf(whole).getRank() - made.getRank();
  return PartOp::create(builder, group.lead()->getLoc(), slice(typeOf(whole), dim, cut.pieces()), whole, dim,
                        cut.pieces());
}

void Fuser::build(OpBuilder &builder) {
  collectOperandsAndResults();
  SmallVector<Location> locations = {group.lead()->getLoc()};
  for (Operation *op : group.ops)
    locations.push_back(op->getLoc());
  Location loc = builder.getFusedLoc(locations);

  SmallVector<Value> inputs;
  SmallVector<int64_t> operandDims, overlaps, resultDims;
  SmallVector<Type> types;
  auto *body = new Block;
  for (auto &[operand, argument] : operands) {
    auto [value, dim, overlap] = operand;
    inputs.push_back(value);
    operandDims.push_back(dim);
    overlaps.push_back(overlap);
    argument = body->addArgument(slice(typeOf(value), dim, cut.pieces(), overlap), loc);
  }
  for (OpResult result : results) {
    types.push_back(typeOutside(result));
    resultDims.push_back(cut.resultDim(typeOutside(result)));
  }
  auto fused =
      FusedOp::create(builder, loc, types, inputs, cut.pieces(), operandDims, resultDims,
                      llvm::any_of(overlaps, [](int64_t rows) { return rows > 0; }) ? overlaps : ArrayRef<int64_t>());
  fused.getBody().push_back(body);

  OpBuilder within = OpBuilder::atBlockEnd(body);
  for (Operation *op : group.ops)
    cloneInside(within, op);
  YieldOp::create(within, loc, llvm::map_to_vector(results, [&](OpResult result) { return inside[result]; }));

  for (auto [result, output] : llvm::zip_equal(results, fused.getOutputs())) {
    Value replacement = cut.kind() == Cut::Lanes ? Value(BatchSumOp::create(builder, loc, output)) : Value(output);
    if (cut.kind() == Cut::Lanes)
      replacement.setType(result.getType());
    result.replaceUsesWithIf(replacement, [&](OpOperand &use) { return !isInside(use.getOwner()); });
  }
}

//===----------------------------------------------------------------------===//
// All groups of a function
//===----------------------------------------------------------------------===//

struct Fuse : resin::impl::FuseBase<Fuse> {
  using FuseBase::FuseBase;

  void runOnOperation() override {
    if (failed(verifyStaticTensors(getOperation(), getArgument())) || failed(verifyLayouts()))
      return signalPassFailure();
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      eraseUnread(function);
      const CutRules rules = rulesOf(function);
      fuseAll(function, rules);
      fuseSumsOfLanes(function, rules);
      moveReadsAndWrites(function);
    }
  }

private:
  /// Only its layout tells a filter from an activation.
  LogicalResult verifyLayouts() {
    for (auto function : getOperation().getOps<func::FuncOp>())
      for (Operation &op : function.getBody().front())
        for (Value result : op.getResults())
          if (typeOf(result).getRank() == 4 && !isa_and_nonnull<LayoutAttr>(typeOf(result).getEncoding()))
            return op.emitError("fuse: ") << result.getType() << " has no layout; assign-layouts comes first";
    return success();
  }

  /// A kernel without a result would have nothing to say: a gradient of the image, for example.
  static void eraseUnread(func::FuncOp function) {
    SmallVector<Operation *> ops;
    for (Operation &op : function.getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : llvm::reverse(ops))
      if (op->use_empty() && !isa<WriteOp>(op))
        op->erase();
  }

  CutRules rulesOf(func::FuncOp function) const {
    PieceRule images(function);
    const int64_t lanes = mostLanes ? mostLanes : images.cuts().mostLanes();
    return {std::move(images), isInference(function), lanes};
  }

  void fuseAll(func::FuncOp function, const CutRules &rules) {
    Operation *end = function.getBody().front().getTerminator();
    OpBuilder builder(end);
    SmallVector<Operation *> replaced;
    for (const Group &group : formGroups(function)) {
      Fuser(group, rules).build(builder);
      replaced.append(group.ops);
      ++numFused;
    }
    for (Operation *op : replaced)
      op->dropAllReferences();
    for (Operation *op : replaced)
      op->erase();
  }

  /// The sums that put lanes together came behind their kernels, as ops of their own.
  void fuseSumsOfLanes(func::FuncOp function, const CutRules &rules) {
    for (auto sum : llvm::make_early_inc_range(function.getOps<BatchSumOp>())) {
      OpBuilder builder(sum);
      Group group;
      group.ops = {sum};
      group.anchor = sum;
      Fuser(group, rules).build(builder);
      sum.erase();
      ++numFused;
    }
  }

  static void moveReadsAndWrites(func::FuncOp function) {
    Block &body = function.getBody().front();
    Operation *first = &body.front(), *end = body.getTerminator();
    for (auto read : llvm::make_early_inc_range(function.getOps<ReadOp>()))
      if (read != first)
        read->moveBefore(first);
    for (WriteOp write : llvm::to_vector(function.getOps<WriteOp>())) // a moved write would be met again
      write->moveBefore(end);
  }
};

} // namespace
