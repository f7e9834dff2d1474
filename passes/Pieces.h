//===- Pieces.h - How a batch is cut into pieces ----------------*- C++ -*-===//
//
// One rule for everyone: whoever makes partial sums and whoever consumes them must
// agree, and the number depends on the problem alone, never on threads.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_PIECES_H
#define RESIN_PASSES_PIECES_H

#include <cstdint>

namespace mlir {
class Type;
} // namespace mlir

namespace resin {

/// The largest divisor of `n` that is at most `limit`; at least 1.
int64_t largestDivisor(int64_t n, int64_t limit);

/// Pieces of a batch of activations [n, c, h, w] or features [n, f]: as many images a
/// piece as fit in 256 KiB (half of the smallest L2 we care for), a divisor of n.
int64_t piecesOf(mlir::Type activation);

/// Lanes, at least, that sum a filter's gradient over `n` images side by side.
int64_t lanesOf(int64_t n);

} // namespace resin

#endif // RESIN_PASSES_PIECES_H
