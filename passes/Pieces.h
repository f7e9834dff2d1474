//===- Pieces.h - How a batch is cut into pieces ----------------*- C++ -*-===//
//
// One rule for everyone: whoever makes partial sums and whoever consumes them must
// agree, and the number depends on the problem alone, never on threads.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_PIECES_H
#define RESIN_PASSES_PIECES_H

#include "support/OpFacts.h"

#include "mlir/IR/Types.h"
#include "llvm/ADT/DenseMap.h"

#include <cstdint>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace resin {

/// The largest divisor of `n` that is at most `limit`; at least 1.
int64_t largestDivisor(int64_t n, int64_t limit);

/// Images of a piece of `images`, so that the fewest bytes come from beyond L2, which holds `cacheBytes`.
///
/// What one piece costs there:
///   * `filterBytes`, if the filters do not stay in half of L2: each piece streams them;
///   * twice (written, read again) whatever of the piece's operand and result, `imageBytes`
///     an image each, exceeds L2.
/// Per image, many images a piece save on the first, few on the second. Of equally good
/// numbers the largest wins, and a batch is cut into `kFewestPieces` at least, that there is
/// something for the workers to share.
int64_t imagesOfPiece(int64_t images, int64_t imageBytes, int64_t filterBytes, int64_t cacheBytes);

/// How the activations of a function are cut: all of one shape alike, by the largest filter
/// of the convolutions that make them, or that read them and make no smaller map, for the cache that its fusion knobs
/// say.
class PieceRule {
public:
  explicit PieceRule(mlir::func::FuncOp function);

  /// Pieces of a batch of activations [n, c, h, w] or features [n, f].
  int64_t piecesOf(mlir::Type activation) const;

private:
  int64_t cacheBytes;
  llvm::DenseMap<mlir::Type, int64_t> filterBytes; ///< by the activation's type without its layout
};

/// Whether the gradient of a filter of this type is summed over images in lanes: of larger ones each lane costs more
/// than it brings.
bool isSummedInLanes(mlir::Type filter);

/// Lanes, at least, that sum a filter's gradient over `n` images side by side.
int64_t lanesOf(int64_t n);

/// Whether an update may be cut into ranges of the rows of its parameter: one that is not elementwise, as with the norm
/// of a parameter, needs all of it for each of its elements.
bool canCutInRows(const OpFacts &update, int64_t rank);

} // namespace resin

#endif // RESIN_PASSES_PIECES_H
