//===- Cuts.h - How each kernel is cut into pieces --------------*- C++ -*-===//
//
//   images           what has a batch, into ranges of images (passes/Pieces.h)
//   channels         @predict of a few images: ranges of output channels
//   bands            likewise: ranges of rows
//   lanes            a filter's gradient: sums over ranges of images, side by side,
//                    and a `batch_sum` of them
//   filter channels  the gradient of a filter too large for lanes
//   rows             the update of a large parameter
//   parts            the sum of large lanes, the transposition of a large filter: each
//                    takes its part of the whole
//   whole            the rest: small
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_FUSE_CUTS_H
#define RESIN_PASSES_FUSE_CUTS_H

#include "passes/Pieces.h"
#include "passes/fuse/Groups.h"

namespace resin {

enum class Cut { Whole, Images, Channels, Bands, Lanes, FilterChannels, Rows, Parts };

/// "images", for logs.
llvm::StringRef nameOf(Cut cut);

inline mlir::RankedTensorType typeOf(mlir::Value value) { return cast<mlir::RankedTensorType>(value.getType()); }

/// The dimension that is outermost in a filter's memory.
int64_t outermostDim(mlir::RankedTensorType filter);

/// What holds for every group of a function.
struct CutRules {
  PieceRule images;
  bool inference;
  int64_t mostLanes;

  const CutPolicy &cuts() const { return images.cuts(); }
  bool isSummedInLanes(mlir::RankedTensorType filter) const { return cuts().isSummedInLanes(bytesOf(filter)); }

  /// Lanes that are the pieces of the gradient they read can run right behind whoever makes it, while it is in cache.
  /// More of them than otherwise pay as long as they are together no larger than that gradient.
  int64_t lanesOfGradient(resnet::Conv2dGradWeightOp grad) const;
};

/// How one group is cut.
class GroupCut {
public:
  GroupCut(const Group &group, const CutRules &rules);

  Cut kind() const { return cut; }
  int64_t pieces() const { return count; }
  /// The dimension along which an operand from outside is cut; -1 leaves it whole.
  int64_t operandDim(mlir::OpOperand &operand) const;
  /// Rows beyond its part that a convolution reads.
  int64_t overlapOf(mlir::OpOperand &operand) const;
  /// The dimension along which a result is put together; -1 where there is one piece.
  int64_t resultDim(mlir::RankedTensorType type) const;

private:
  void choose();
  void cutGradient(resnet::Conv2dGradWeightOp grad);
  void cutUpdate();
  void cutParts();
  void cutActivation(mlir::RankedTensorType space);
  int64_t channelPieces() const;
  int64_t bandPieces() const;

  const Group &group;
  const CutRules &rules;
  mlir::Operation *const lead; ///< the anchor, or the first op
  Cut cut = Cut::Whole;
  int64_t count = 1;
};

} // namespace resin

#endif // RESIN_PASSES_FUSE_CUTS_H
