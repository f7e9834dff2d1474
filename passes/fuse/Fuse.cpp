//===- Fuse.cpp - Regions that become kernels, cut into pieces ------------===//
//
//   1. Group the ops (Groups.h).
//   2. Decide how each group is cut into pieces:
//        images           what has a batch, into ranges of images (Pieces.h)
//        channels         @predict of a few images: ranges of output channels
//        bands            likewise: ranges of rows
//        lanes            a filter's gradient: sums over ranges of images, side by
//                         side, and a `batch_sum` of them
//        filter channels  the gradient of a filter too large for lanes
//        rows             the update of a large parameter
//        parts            the sum of large lanes, the transposition of a large filter:
//                         each takes its part of the whole
//        whole            the rest: small
//   3. Build the `resnet.fused`: its operands, sliced; the ops, with the shapes of
//      one piece; what others read of it.
//   4. Move reads to the function's beginning and leave writes at its end, so that
//      between them there are kernels only.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Fusion.h"
#include "passes/EntryPoints.h"
#include "passes/fuse/Groups.h"
#include "passes/Passes.h"
#include "passes/Pieces.h"
#include "passes/StaticTensors.h"
#include "support/KernelSpec.h"

namespace resin {
#define GEN_PASS_DEF_FUSE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Rows of a tile of Winograd's F(4x4, 3x3): bands are multiples of it where they can.
constexpr int64_t kTileRows = 4;

enum class Cut { Whole, Images, Channels, Bands, Lanes, FilterChannels, Rows, Parts };

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

bool isFilter(RankedTensorType type) {
  const Layout layout = LayoutAttr::kindOf(type);
  return layout != Layout::Dense && layout != Layout::C16;
}

bool isActivation(RankedTensorType type) { return type.getRank() == 4 && !isFilter(type); }

/// Whether the first dimension counts images: activations and features.
bool hasBatch(RankedTensorType type) {
  return isActivation(type) || (type.getRank() == 2 && LayoutAttr::kindOf(type) == Layout::Dense);
}

/// The dimension along which channels of the result stand in a channel vector, a filter or an activation.
int64_t channelDim(RankedTensorType type) { return isActivation(type) ? 1 : 0; }

/// The dimension that is outermost in a filter's memory.
int64_t outermostDim(RankedTensorType filter) {
  return axesOf(LayoutAttr::kindOf(filter), filter.getRank()).front().dimension;
}

/// How large a filter is decides into how many ranges of blocks of channels it is cut.
int64_t piecesBySize(const CutPolicy &cuts, RankedTensorType filter, int64_t dim) {
  if (filter.getDimSize(dim) % kChannelBlock)
    return 1;
  return largestDivisor(filter.getDimSize(dim) / kChannelBlock, cuts.piecesByBytes(bytesOf(filter)));
}

RankedTensorType slice(RankedTensorType type, int64_t dim, int64_t pieces, int64_t overlap = 0) {
  if (dim < 0)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  assert(shape[dim] % pieces == 0 && "pieces are equal");
  shape[dim] = shape[dim] / pieces + 2 * overlap;
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

/// A convolution as its cuts see it.
struct ForwardConv {
  Value input, filter;
  int64_t taps;  ///< multiplications of the plain sum for one pixel of all result channels
  int64_t reach; ///< rows from the first to the last that one row of the result reads
  int64_t stride, groups;
  ArrayRef<int64_t> padding;
};

std::optional<ForwardConv> forwardConv(Operation *op) {
  if (auto conv = dyn_cast<Conv2dOp>(op)) {
    RankedTensorType filter = typeOf(conv.getFilter());
    return ForwardConv{conv.getInput(), conv.getFilter(), filter.getNumElements(),
                       (filter.getDimSize(2) - 1) * conv.getDilations()[0], conv.getStrides()[0],
                       static_cast<int64_t>(conv.getGroups()), conv.getPadding()};
  }
  if (auto conv = dyn_cast<Conv2dWinogradOp>(op)) {
    RankedTensorType filter = typeOf(conv.getFilter());
    return ForwardConv{conv.getInput(), conv.getFilter(), 9 * filter.getDimSize(0) * filter.getDimSize(3), 2, 1, 1,
                       conv.getPadding()};
  }
  return std::nullopt;
}

/// Pieces of a convolution in @predict.
int64_t piecesByWork(const CutPolicy &cuts, const ForwardConv &conv, RankedTensorType result) {
  return cuts.piecesByWork(2 * conv.taps * (result.getNumElements() / result.getDimSize(1)));
}

//===----------------------------------------------------------------------===//
// One group
//===----------------------------------------------------------------------===//

/// What holds for every group of a function.
struct CutRules {
  PieceRule images;
  bool inference;
  int64_t mostLanes;

  const CutPolicy &cuts() const { return images.cuts(); }
  bool isSummedInLanes(RankedTensorType filter) const { return cuts().isSummedInLanes(bytesOf(filter)); }

  /// Lanes that are the pieces of the gradient they read can run right behind whoever makes it, while it is in cache.
  /// More of them than otherwise pay as long as they are together no larger than that gradient.
  int64_t lanesOfGradient(Conv2dGradWeightOp grad) const {
    RankedTensorType gradient = typeOf(grad.getGradient());
    int64_t lanes = cuts().lanesOf(gradient.getDimSize(0)), alike = images.piecesOf(gradient);
    bool pays = alike <= mostLanes && alike * typeOf(grad.getResult()).getNumElements() <= gradient.getNumElements();
    return alike <= lanes || pays ? alike : lanes;
  }
};

/// How one group becomes a `resnet.fused`.
class Fuser {
public:
  Fuser(const Group &group, const CutRules &rules) : group(group), rules(rules) {
    lead = group.anchor ? group.anchor : group.ops.front();
    chooseCut();
    if (pieces == 1)
      cut = Cut::Whole;
  }

  /// Builds the op and hands its results to the readers of the group's.
  void build(OpBuilder &builder);

private:
  using Operand = std::tuple<Value, int64_t, int64_t>; ///< and the dimension it is cut along, with what overlap

  void chooseCut();
  void cutGradient(Conv2dGradWeightOp grad);
  void cutUpdate();
  void cutParts();
  void cutActivation(RankedTensorType space);
  int64_t channelPieces();
  int64_t bandPieces();

  int64_t operandDim(OpOperand &operand) const;
  int64_t overlapOf(OpOperand &operand) const;
  int64_t resultDim(RankedTensorType type) const;
  RankedTensorType typeInside(OpResult result) const;
  RankedTensorType typeOutside(OpResult result) const;
  void collectOperandsAndResults();
  Operation *cloneInside(OpBuilder &builder, Operation *op);
  Value takePart(OpBuilder &builder, Value whole, RankedTensorType made);

  bool isInside(Operation *op) const { return llvm::is_contained(group.ops, op); }

  const Group &group;
  const CutRules &rules;
  Operation *lead = nullptr;
  Cut cut = Cut::Whole;
  int64_t pieces = 1;
  llvm::MapVector<Operand, Value> operands; ///< and their block arguments
  SmallVector<OpResult> results;
  llvm::DenseMap<Value, Value> inside; ///< of the group's results
};

void Fuser::chooseCut() {
  if (auto grad = dyn_cast<Conv2dGradWeightOp>(lead))
    return cutGradient(grad);
  if (factsOf(lead).role == OpRole::Update)
    return cutUpdate();
  if (isa<BatchSumOp, RelayoutOp>(lead) && isFilter(typeOf(lead->getResult(0))))
    return cutParts();
  if (group.rows) {
    cut = Cut::Images;
    pieces = group.rows;
    return;
  }
  // Made for a filter's gradient alone: in its pieces, lane by lane.
  if (Value made = group.ops.back()->getResult(0); !group.anchor && made.hasOneUse())
    if (auto grad = dyn_cast<Conv2dGradWeightOp>(*made.getUsers().begin());
        grad && rules.isSummedInLanes(typeOf(grad.getResult()))) {
      cut = Cut::Images;
      pieces = rules.lanesOfGradient(grad);
      return;
    }
  // What a global pool reads, not what it makes.
  for (Value value : {Value(lead->getResult(0)), lead->getOperand(0)})
    if (isActivation(typeOf(value)))
      return cutActivation(typeOf(value));
}

void Fuser::cutGradient(Conv2dGradWeightOp grad) {
  RankedTensorType filter = typeOf(grad.getResult());
  int64_t k = filter.getDimSize(0);
  if (!rules.isSummedInLanes(filter) && k % kChannelBlock == 0 && grad.getGroups() == 1) {
    cut = Cut::FilterChannels;
    pieces = largestDivisor(k / kChannelBlock, rules.cuts().mostPieces());
    return;
  }
  cut = Cut::Lanes;
  pieces = rules.lanesOfGradient(grad);
}

void Fuser::cutUpdate() {
  RankedTensorType parameter = typeOf(lead->getOperand(0));
  if (!canCutInRows(factsOf(lead), parameter.getRank()))
    return;
  cut = Cut::Rows;
  pieces = piecesBySize(rules.cuts(), parameter, 0);
}

/// As the update that reads the sum: a piece of it can then follow while the sum is in cache.
void Fuser::cutParts() {
  RankedTensorType made = typeOf(lead->getResult(0));
  cut = Cut::Parts;
  pieces = piecesBySize(rules.cuts(), made, outermostDim(made));
}

void Fuser::cutActivation(RankedTensorType space) {
  cut = Cut::Images;
  pieces = rules.images.piecesOf(space);
  if (!rules.inference)
    return;
  // Nothing is summed over pieces here, so a few images may be cut finer.
  int64_t images = space.getDimSize(0);
  pieces = std::max(pieces, largestDivisor(images, rules.cuts().mostPieces()));
  if (int64_t byBands = bandPieces(); byBands > pieces) {
    cut = Cut::Bands;
    pieces = byBands;
  } else if (int64_t byChannels = channelPieces(); byChannels > pieces) {
    cut = Cut::Channels;
    pieces = byChannels;
  }
}

/// Bands of rows of a convolution's result, so that each reads as many rows per row as the others; 1 where channels are
/// the better cut. Each band reads the filter again as each range of channels reads the source: the smaller of the two.
int64_t Fuser::bandPieces() {
  const std::optional<ForwardConv> conv = forwardConv(lead);
  if (!conv)
    return 1;
  RankedTensorType source = typeOf(conv->input), result = typeOf(lead->getResult(0)), filter = typeOf(conv->filter);
  const int64_t rows = result.getDimSize(2), stride = conv->stride, top = conv->padding[0], reach = conv->reach;
  // `top` rows overlap on both sides: with them a band has to give its share of rows, no fewer and no more.
  const bool gives = reach - (stride - 1) <= 2 * top && 2 * top <= reach;
  if (source.getDimSize(2) != rows * stride || !gives || LayoutAttr::haloOf(source) < top)
    return 1;
  if (filter.getNumElements() > source.getNumElements() && channelPieces() > 1)
    return 1;
  const int64_t most = piecesByWork(rules.cuts(), *conv, result);
  const bool byTiles = stride == 1 && reach == 2 && rows % kTileRows == 0;
  return byTiles ? largestDivisor(rows / kTileRows, most) : largestDivisor(rows, most);
}

/// Pieces of the output channels; 1 where the group does not allow it.
int64_t Fuser::channelPieces() {
  const std::optional<ForwardConv> conv = forwardConv(lead);
  bool byChannel = conv ? conv->groups == 1 : isa<MaxPoolOp, AvgPoolOp>(lead) || !group.anchor;
  RankedTensorType result = typeOf(lead->getResult(0));
  if (!byChannel || !isActivation(result) || result.getDimSize(1) % kChannelBlock)
    return 1;
  return largestDivisor(result.getDimSize(1) / kChannelBlock,
                        conv ? piecesByWork(rules.cuts(), *conv, result) : rules.cuts().mostPieces());
}

/// The dimension along which an operand from outside is cut; -1 leaves it whole.
int64_t Fuser::operandDim(OpOperand &operand) const {
  RankedTensorType type = typeOf(operand.get());
  switch (cut) {
  case Cut::Whole:
  case Cut::Parts:
    return -1;
  case Cut::Images:
    return hasBatch(type) ? 0 : -1;
  case Cut::Channels:
    return forwardConv(operand.getOwner()) && operand.getOperandNumber() == 0 ? -1 : channelDim(type);
  case Cut::Bands:
    return isActivation(type) ? 2 : -1;
  case Cut::Lanes:
    return 0;
  case Cut::FilterChannels:
    return operand.getOperandNumber() == 0 ? -1 : 1;
  case Cut::Rows:
    return type.getRank() == 0 ? -1 : 0;
  }
  llvm_unreachable("every cut is above");
}

int64_t Fuser::resultDim(RankedTensorType type) const {
  if (cut == Cut::Whole)
    return -1;
  if (cut == Cut::Parts)
    return outermostDim(type);
  return cut == Cut::Channels ? channelDim(type) : cut == Cut::Bands ? 2 : 0;
}

/// Rows beyond its part that a convolution reads.
int64_t Fuser::overlapOf(OpOperand &operand) const {
  const std::optional<ForwardConv> conv = forwardConv(operand.getOwner());
  return conv && cut == Cut::Bands && operand.getOperandNumber() == 0 ? conv->padding[0] : 0;
}

/// With lanes, the filter's gradient has one more dimension, in which they stand side by side.
RankedTensorType Fuser::typeOutside(OpResult result) const {
  RankedTensorType type = typeOf(result);
  if (cut != Cut::Lanes)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  shape.insert(shape.begin(), pieces);
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

RankedTensorType Fuser::typeInside(OpResult result) const {
  RankedTensorType type = typeOutside(result);
  return slice(type, resultDim(type), pieces);
}

void Fuser::collectOperandsAndResults() {
  for (Operation *op : group.ops) {
    for (OpOperand &operand : op->getOpOperands())
      if (!operand.get().getDefiningOp() || !isInside(operand.get().getDefiningOp()))
        operands.insert({{operand.get(), operandDim(operand), overlapOf(operand)}, Value()});
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
    operand.set(known ? known : operands.find({original.get(), operandDim(original), overlapOf(original)})->second);
    if (cut == Cut::Parts)
      operand.set(takePart(builder, operand.get(), typeOf(clone->getResult(0))));
  }
  builder.insert(clone);
  for (auto [original, result] : llvm::zip_equal(op->getResults(), clone->getResults())) {
    result.setType(typeInside(original));
    inside[original] = result;
  }
  if (auto counted = dyn_cast<PieceOpInterface>(clone); counted && cut == Cut::Images)
    counted.setPieceOf(pieces);
  if (auto sum = dyn_cast<ChannelSumOp>(clone))
    sum.setPieces(1);
  if (auto dot = dyn_cast<ChannelDotOp>(clone))
    dot.setPieces(1);
  if (cut == Cut::Bands) { // the overlap has it
    if (auto conv = dyn_cast<Conv2dOp>(clone))
      conv.setPadding({0, conv.getPadding()[1], 0, conv.getPadding()[3]});
    if (auto conv = dyn_cast<Conv2dWinogradOp>(clone))
      conv.setPadding({0, conv.getPadding()[1], 0, conv.getPadding()[3]});
  }
  if (auto grad = dyn_cast<Conv2dGradWeightOp>(clone))
    grad.setLane(cut == Cut::Lanes);
  return clone;
}

/// The part of `whole` that a part of `made` is made of: lanes have one dimension more.
Value Fuser::takePart(OpBuilder &builder, Value whole, RankedTensorType made) {
  const int64_t dim = outermostDim(made) + typeOf(whole).getRank() - made.getRank();
  return PartOp::create(builder, lead->getLoc(), slice(typeOf(whole), dim, pieces), whole, dim, pieces);
}

void Fuser::build(OpBuilder &builder) {
  collectOperandsAndResults();
  SmallVector<Location> locations = {lead->getLoc()};
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
    argument = body->addArgument(slice(typeOf(value), dim, pieces, overlap), loc);
  }
  for (OpResult result : results) {
    types.push_back(typeOutside(result));
    resultDims.push_back(resultDim(typeOutside(result)));
  }
  auto fused = FusedOp::create(builder, loc, types, inputs, pieces, operandDims, resultDims,
                               llvm::any_of(overlaps, [](int64_t rows) { return rows > 0; }) ? overlaps : ArrayRef<int64_t>());
  fused.getBody().push_back(body);

  OpBuilder within = OpBuilder::atBlockEnd(body);
  for (Operation *op : group.ops)
    cloneInside(within, op);
  YieldOp::create(within, loc, llvm::map_to_vector(results, [&](OpResult result) { return inside[result]; }));

  for (auto [result, output] : llvm::zip_equal(results, fused.getOutputs())) {
    Value replacement = cut == Cut::Lanes ? Value(BatchSumOp::create(builder, loc, output)) : Value(output);
    if (cut == Cut::Lanes)
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
      fuseAll(function);
      fuseSumsOfLanes(function);
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

  void fuseAll(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    OpBuilder builder(end);
    SmallVector<Operation *> replaced;
    const CutRules rules = rulesOf(function);
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
  void fuseSumsOfLanes(func::FuncOp function) {
    const CutRules rules = rulesOf(function);
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
