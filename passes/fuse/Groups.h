//===- Groups.h - Which ops become one kernel -------------------*- C++ -*-===//
//
// Partitions the ops of a function into groups, one kernel each, so that the
// groups depend on each other without a cycle.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_PASSES_FUSE_GROUPS_H
#define RESIN_PASSES_FUSE_GROUPS_H

#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <memory>

namespace resin {

/// Ops of one kernel, in program order.
struct Group {
  llvm::SmallVector<mlir::Operation *> ops;
  /// The loop nest the others ride along with; null if they are all pointwise.
  mlir::Operation *anchor = nullptr;
  /// What the group is known by: its anchor, or else its first op.
  mlir::Operation *lead() const { return anchor ? anchor : ops.front(); }
  /// The shape that anchor, pointwise ops and reductions share: [n, c, h, w], [n, f] or [c].
  llvm::SmallVector<int64_t> domain;
  /// Rows of the partial sums its reductions make, which is how it must be cut; 0 without reductions.
  int64_t rows = 0;
};

/// The groups, by its fusion knobs, of the function's ops other than reads, writes and the return, in an order in which
/// each stands behind those it depends on.
llvm::SmallVector<Group> formGroups(mlir::func::FuncOp function);

} // namespace resin

#endif // RESIN_PASSES_FUSE_GROUPS_H
