//===- KernelRows.h - The rows of a program's profile -----------*- C++ -*-===//
//
// A row is one kernel at work for one layer in one function. The manifest lists the
// rows and compiled code counts calls and ticks by their number: both ask here.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_KERNEL_KERNELROWS_H
#define RESIN_DIALECTS_KERNEL_KERNELROWS_H

#include "dialects/Kernel/Kernel.h"
#include "support/KernelSpec.h"

#include "llvm/ADT/DenseMap.h"

#include <vector>

namespace resin::kernel {

struct KernelRow {
  mlir::func::FuncOp function;
  LaunchOp launch;   ///< the first of them
  int64_t calls = 0; ///< in one call of the function
};

struct KernelRows {
  explicit KernelRows(mlir::ModuleOp module);

  std::vector<KernelRow> rows; ///< in program order
  llvm::DenseMap<LaunchOp, int64_t> indexOf;
};

/// Entry functions have one block, and neither arguments nor results: places have names instead. Complains of any
/// other.
llvm::LogicalResult checkEntries(mlir::ModuleOp module);

/// What the launched kernel computes.
KernelSpec specOf(LaunchOp launch);
/// Where the op comes from, as `net.resin:12:5`; empty if nobody knows.
std::string sourceOf(mlir::Location location);
/// The path of its layer; empty if it has none.
llvm::StringRef layerOf(mlir::Location location);

} // namespace resin::kernel

#endif // RESIN_DIALECTS_KERNEL_KERNELROWS_H
