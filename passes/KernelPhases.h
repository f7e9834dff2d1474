//===- KernelPhases.h - The phases behind fusion ----------------*- C++ -*-===//

#ifndef RESIN_PASSES_KERNELPHASES_H
#define RESIN_PASSES_KERNELPHASES_H

#include "mlir/Pass/PassManager.h"

namespace resin {

/// Tensors become places, regions become loops of launches.
void addKernelPhase(mlir::OpPassManager &manager);
/// Every place gets its offset.
void addPlannedPhase(mlir::OpPassManager &manager);
/// The check at that phase's end; also for a planned module that comes from a file.
void addPlannedGate(mlir::OpPassManager &manager);
/// Launches become calls.
void addLLVMPhase(mlir::OpPassManager &manager);

/// Makes these passes, and `--kernel-phase`, `--planned-phase` and `--llvm-phase`, known to command lines.
void registerKernelPassesAndPhases();

} // namespace resin

#endif // RESIN_PASSES_KERNELPHASES_H
