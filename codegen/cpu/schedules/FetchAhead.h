//===- FetchAhead.h - Cache lines on their way before they are used -*- C++ -*-===//
//
// Products of a convolution leave memory idle, and what comes before and behind them
// waits for it. So the loop of the products fetches, a line or two at a turn, what is
// needed next: the filter's next part, the lines that results will be stored to, the
// operands of the epilogue. Nothing waits for a fetch, and one that reaches beyond its
// storage does nothing.
//
// Fetching is part of a schedule: `fetchDuring` puts it into a sum that is defined already.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_FETCHAHEAD_H
#define RESIN_CODEGEN_CPU_SCHEDULES_FETCHAHEAD_H

#include "codegen/cpu/Builder.h"

namespace resin::codegen {

/// Zero, once the cache line at float `offset` of a storage is on its way to L1: an operand's, a result's, by the name
/// of its parameter or Func. `Func::prefetch` knows operands alone, and would ask for a whole region at once.
Halide::Expr fetchLine(const std::string &storage, Halide::Expr offset);

/// Turns calls of `fetchLine` into prefetches: a lowering pass of every pipeline.
class LowerFetches : public Halide::Internal::IRMutator {
  using IRMutator::visit;
  Halide::Expr visit(const Halide::Internal::Call *op) override;
};

/// Cache lines of 16 floats, side by side in every plane.
struct LinesAhead {
  std::string storage;
  int planes, lines;                                      ///< of each plane
  std::function<Halide::Expr(Halide::Expr plane)> offset; ///< of a plane's first, in floats
};

/// Part of an activation in C16: some rows of blocks of channels of images.
struct ActivationPart {
  Halide::Expr image, block, row; ///< the first
  int images, blocks, rows;
};
LinesAhead linesOf(const std::string &storage, const TensorSpec &tensor, const ActivationPart &part);

/// Where a loop is: at one of its steps, there in one of some passes, of whose body at one of the unrolled parts. Where
/// lines lie is worked out once a step.
struct FetchTurn {
  Halide::Expr step, pass, part;
  int steps, passes, parts;
};
/// Zero as a float, and on the way those of the lines that are due.
Halide::Expr fetchShare(const std::vector<LinesAhead> &ahead, const FetchTurn &turn);

/// A hook of the schedule: from now on the last update of `f`, a sum, asks for lines at every turn. `fetch` is zero as
/// a float, in the update's loops; what is added stays the same.
void fetchDuring(const Halide::Func &f, const Halide::Expr &fetch);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_FETCHAHEAD_H
