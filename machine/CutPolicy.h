//===- CutPolicy.h - How finely work is cut into pieces ---------*- C++ -*-===//
//
// Passes cut kernels into pieces by what this says. It depends on the machine that is
// compiled for and on the problem, never on the number of threads, so that partial sums
// are added in the same order everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_MACHINE_CUTPOLICY_H
#define RESIN_MACHINE_CUTPOLICY_H

#include "machine/FusionKnobs.h"
#include "machine/Machine.h"
#include "support/Divisors.h"

#include <cstdint>
#include <memory>

namespace resin {

class CutPolicy {
public:
  virtual ~CutPolicy() = default;

  /// Images of a piece of `images`. Whoever makes partial sums and whoever consumes them must agree. `imageBytes` are
  /// of the operand as of the result; each piece meets `filterBytes`.
  virtual int64_t imagesOfPiece(int64_t images, int64_t imageBytes, int64_t filterBytes) const = 0;
  /// Pieces, at most, of what is cut by channels, by rows, or by images in a prediction.
  virtual int64_t mostPieces() const = 0;
  /// Pieces that are worth it of a kernel with so many floating-point operations.
  virtual int64_t piecesByWork(int64_t operations) const = 0;
  /// Pieces of an update, a sum of lanes or a transposed filter of so many bytes.
  virtual int64_t piecesByBytes(int64_t bytes) const = 0;

  /// Whether the gradient of a filter is summed over images in lanes: of larger ones each costs more than it brings.
  virtual bool isSummedInLanes(int64_t filterBytes) const = 0;
  /// Lanes, at least, that sum a filter's gradient over `images` side by side.
  virtual int64_t lanesOf(int64_t images) const = 0;
  /// Lanes that may run right behind the pieces of what they read; the kernel that adds them reads as many streams at
  /// once.
  virtual int64_t mostLanes() const = 0;
};

/// For cores with caches of their own: pieces stay in L2 from kernel to kernel.
std::unique_ptr<CutPolicy> cutForCaches(const Machine &machine, const FusionKnobs &knobs);

} // namespace resin

#endif // RESIN_MACHINE_CUTPOLICY_H
