//===- Cuts.cpp - How each kernel is cut into pieces ----------------------===//

#include "passes/fuse/Cuts.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "fuse"

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Rows of a tile of Winograd's F(4x4, 3x3): bands are multiples of it where they can.
constexpr int64_t kTileRows = 4;

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

/// How large a filter is decides into how many ranges of blocks of channels it is cut.
int64_t piecesBySize(const CutPolicy &cuts, RankedTensorType filter, int64_t dim) {
  if (filter.getDimSize(dim) % kChannelBlock)
    return 1;
  return largestDivisor(filter.getDimSize(dim) / kChannelBlock, cuts.piecesByBytes(bytesOf(filter)));
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
    return ForwardConv{conv.getInput(),         conv.getFilter(),
                       filter.getNumElements(), (filter.getDimSize(2) - 1) * conv.getDilations()[0],
                       conv.getStrides()[0],    static_cast<int64_t>(conv.getGroups()),
                       conv.getPadding()};
  }
  if (auto conv = dyn_cast<Conv2dWinogradOp>(op)) {
    RankedTensorType filter = typeOf(conv.getFilter());
    return ForwardConv{conv.getInput(),  conv.getFilter(), 9 * filter.getDimSize(0) * filter.getDimSize(3), 2, 1, 1,
                       conv.getPadding()};
  }
  return std::nullopt;
}

/// Pieces of a convolution in @predict.
int64_t piecesByWork(const CutPolicy &cuts, const ForwardConv &conv, RankedTensorType result) {
  return cuts.piecesByWork(2 * conv.taps * (result.getNumElements() / result.getDimSize(1)));
}

} // namespace

StringRef resin::nameOf(Cut cut) {
  switch (cut) {
  case Cut::Whole:
    return "whole";
  case Cut::Images:
    return "images";
  case Cut::Channels:
    return "channels";
  case Cut::Bands:
    return "bands";
  case Cut::Lanes:
    return "lanes";
  case Cut::FilterChannels:
    return "filter channels";
  case Cut::Rows:
    return "rows";
  case Cut::Parts:
    return "parts";
  }
  llvm_unreachable("every cut is above");
}

int64_t resin::outermostDim(RankedTensorType filter) {
  return axesOf(LayoutAttr::kindOf(filter), filter.getRank()).front().dimension;
}

int64_t CutRules::lanesOfGradient(Conv2dGradWeightOp grad) const {
  RankedTensorType gradient = typeOf(grad.getGradient());
  int64_t lanes = cuts().lanesOf(gradient.getDimSize(0)), alike = images.piecesOf(gradient);
  bool pays = alike <= mostLanes && alike * typeOf(grad.getResult()).getNumElements() <= gradient.getNumElements();
  return alike <= lanes || pays ? alike : lanes;
}

GroupCut::GroupCut(const Group &group, const CutRules &rules) : group(group), rules(rules), lead(group.lead()) {
  choose();
  if (count == 1)
    cut = Cut::Whole;
  LDBG() << lead->getName() << " at " << lead->getLoc() << ", with " << group.ops.size() - 1 << " more, is cut into "
         << count << " pieces: " << nameOf(cut);
}

void GroupCut::choose() {
  if (auto grad = dyn_cast<Conv2dGradWeightOp>(lead))
    return cutGradient(grad);
  if (resnet::factsOf(lead).role == OpRole::Update)
    return cutUpdate();
  if (isa<BatchSumOp, RelayoutOp>(lead) && isFilter(typeOf(lead->getResult(0))))
    return cutParts();
  if (group.rows) {
    cut = Cut::Images;
    count = group.rows;
    return;
  }
  // Made for a filter's gradient alone: in its pieces, lane by lane.
  if (Value made = group.ops.back()->getResult(0); !group.anchor && made.hasOneUse())
    if (auto grad = dyn_cast<Conv2dGradWeightOp>(*made.getUsers().begin());
        grad && rules.isSummedInLanes(typeOf(grad.getResult()))) {
      cut = Cut::Images;
      count = rules.lanesOfGradient(grad);
      return;
    }
  // What a global pool reads, not what it makes.
  for (Value value : {Value(lead->getResult(0)), lead->getOperand(0)})
    if (isActivation(typeOf(value)))
      return cutActivation(typeOf(value));
}

void GroupCut::cutGradient(Conv2dGradWeightOp grad) {
  RankedTensorType filter = typeOf(grad.getResult());
  int64_t k = filter.getDimSize(0);
  if (!rules.isSummedInLanes(filter) && k % kChannelBlock == 0 && grad.getGroups() == 1) {
    cut = Cut::FilterChannels;
    count = largestDivisor(k / kChannelBlock, rules.cuts().mostPieces());
    return;
  }
  cut = Cut::Lanes;
  count = rules.lanesOfGradient(grad);
}

void GroupCut::cutUpdate() {
  RankedTensorType parameter = typeOf(lead->getOperand(0));
  if (!canCutInRows(resnet::factsOf(lead), parameter.getRank()))
    return;
  cut = Cut::Rows;
  count = piecesBySize(rules.cuts(), parameter, 0);
}

/// As the update that reads the sum: a piece of it can then follow while the sum is in cache.
void GroupCut::cutParts() {
  RankedTensorType made = typeOf(lead->getResult(0));
  cut = Cut::Parts;
  count = piecesBySize(rules.cuts(), made, outermostDim(made));
}

void GroupCut::cutActivation(RankedTensorType space) {
  cut = Cut::Images;
  count = rules.images.piecesOf(space);
  if (!rules.inference)
    return;
  // Nothing is summed over pieces here, so a few images may be cut finer.
  int64_t images = space.getDimSize(0);
  count = std::max(count, largestDivisor(images, rules.cuts().mostPieces()));
  if (int64_t byBands = bandPieces(); byBands > count) {
    cut = Cut::Bands;
    count = byBands;
  } else if (int64_t byChannels = channelPieces(); byChannels > count) {
    cut = Cut::Channels;
    count = byChannels;
  }
}

/// Bands of rows of a convolution's result, so that each reads as many rows per row as the others; 1 where channels are
/// the better cut. Each band reads the filter again as each range of channels reads the source: the smaller of the two.
int64_t GroupCut::bandPieces() const {
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
int64_t GroupCut::channelPieces() const {
  const std::optional<ForwardConv> conv = forwardConv(lead);
  bool byChannel = conv ? conv->groups == 1 : isa<MaxPoolOp, AvgPoolOp>(lead) || !group.anchor;
  RankedTensorType result = typeOf(lead->getResult(0));
  if (!byChannel || !isActivation(result) || result.getDimSize(1) % kChannelBlock)
    return 1;
  return largestDivisor(result.getDimSize(1) / kChannelBlock,
                        conv ? piecesByWork(rules.cuts(), *conv, result) : rules.cuts().mostPieces());
}

int64_t GroupCut::operandDim(OpOperand &operand) const {
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

int64_t GroupCut::resultDim(RankedTensorType type) const {
  if (cut == Cut::Whole)
    return -1;
  if (cut == Cut::Parts)
    return outermostDim(type);
  return cut == Cut::Channels ? channelDim(type) : cut == Cut::Bands ? 2 : 0;
}

int64_t GroupCut::overlapOf(OpOperand &operand) const {
  const std::optional<ForwardConv> conv = forwardConv(operand.getOwner());
  return conv && cut == Cut::Bands && operand.getOperandNumber() == 0 ? conv->padding[0] : 0;
}
