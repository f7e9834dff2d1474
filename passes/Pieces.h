//===- Pieces.h - How a batch is cut into pieces ----------------*- C++ -*-===//
//
// One rule for everyone: whoever makes partial sums and whoever consumes them must
// agree. What is worth it on the machine says its cut policy (machine/CutPolicy.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_PIECES_H
#define RESIN_PASSES_PIECES_H

#include "machine/CutPolicy.h"
#include "support/OpFacts.h"

#include "mlir/IR/Types.h"
#include "llvm/ADT/DenseMap.h"

#include <cstdint>

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace resin {

/// How the activations of a function are cut: all of one shape alike, by the largest filter
/// of the convolutions that make them, or that read them and make no smaller map.
class PieceRule {
public:
  explicit PieceRule(mlir::func::FuncOp function);

  /// Pieces of a batch of activations [n, c, h, w] or features [n, f].
  int64_t piecesOf(mlir::Type activation) const;

  const CutPolicy &cuts() const { return *policy; }

private:
  std::unique_ptr<CutPolicy> policy;               ///< of the module's target and the function's fusion knobs
  llvm::DenseMap<mlir::Type, int64_t> filterBytes; ///< by the activation's type without its layout
};

/// Whether an update may be cut into ranges of the rows of its parameter: one that is not elementwise, as with the norm
/// of a parameter, needs all of it for each of its elements.
bool canCutInRows(const OpFacts &update, int64_t rank);

} // namespace resin

#endif // RESIN_PASSES_PIECES_H
