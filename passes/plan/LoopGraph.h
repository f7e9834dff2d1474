//===- LoopGraph.h - Which loop waits for which, and when it runs -*- C++ -*-===//
//
//   1. Note for each loop which parts of which places it touches; what conflicts is
//      a dependence, piece by piece if both loops cut the place alike, else a barrier.
//   2. A loop's level is the number of barriers before it: one more than those it
//      depends on, the same for a dependence piece by piece.
//   3. A loop that makes more than it ends the life of moves down to the level of its
//      first reader: what a gradient needs again is made again then, not kept.
//   4. What stands between two barriers in single pieces, updates and copies of filters
//      above all, moves to a level beside it that has more pieces, where it fills up
//      what those leave of the workers' time; if what it depends on allows.
//
// Levels are as early as they can be, not as the program is written: a filter's
// gradient then runs beside the small work between two layers, which alone would
// leave all workers but one idle.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_PLAN_LOOPGRAPH_H
#define RESIN_PASSES_PLAN_LOOPGRAPH_H

#include "dialects/Kernel/Kernel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

#include <vector>

namespace resin {

/// What a place is known by: a variable's symbol, or the view itself.
using Place = const void *;

struct Access {
  mlir::Value view; ///< the whole
  int64_t dim;      ///< along which it is cut; -1: not at all, or into parts that overlap
  bool writes;
};

struct Loop {
  kernel::ParallelOp op;
  llvm::MapVector<Place, llvm::SmallVector<Access, 2>> accesses;
  llvm::SmallVector<std::pair<int, bool>> before; ///< loops it depends on; whether piece by piece
  llvm::SmallVector<std::pair<int, bool>> behind; ///< those that depend on it
  int level = 0;
};

class LoopGraph {
public:
  /// Of the function's loops, with their levels.
  explicit LoopGraph(mlir::func::FuncOp function);

  std::vector<Loop> loops;

  /// The loops of each level, in program order; levels in theirs.
  std::vector<llvm::SmallVector<int>> levels() const;

private:
  void collect(mlir::func::FuncOp function);
  void findDependences();
  void assignLevels();
  void sinkLoops();
  bool makesMoreThanItEnds(int index);
  void fillLevels();
  int earliestLevel(const Loop &loop) const;
  int latestLevel(const Loop &loop) const;

  llvm::MapVector<Place, llvm::SmallVector<int>> touching; ///< place to loops, in order
};

} // namespace resin

#endif // RESIN_PASSES_PLAN_LOOPGRAPH_H
