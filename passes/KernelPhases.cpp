//===- KernelPhases.cpp - The phases behind fusion, in order --------------===//

#include "passes/KernelPhases.h"

#include "passes/KernelPasses.h"

#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

void resin::addKernelPhase(OpPassManager &manager) {
  manager.addPass(createLowerToKernel());
  // Behind it: dependences are between places, and what is made in a variable counts as its last use.
  manager.addNestedPass<func::FuncOp>(createFormPieces());
}

void resin::addPlannedPhase(OpPassManager &manager) {
  // Lives are counted in the regions that are left, so these are formed first.
  manager.addPass(createPlanMemory());
  addPlannedGate(manager);
}

void resin::addPlannedGate(OpPassManager &manager) { manager.addPass(createVerifyPlan()); }

void resin::addLLVMPhase(OpPassManager &manager) { manager.addPass(createLowerKernelToLLVM()); }

void resin::registerKernelPassesAndPhases() {
  registerResinKernelPasses();
  PassPipelineRegistration<>("kernel-phase", "From fused regions to launches", addKernelPhase);
  PassPipelineRegistration<>("planned-phase", "Plan memory", addPlannedPhase);
  PassPipelineRegistration<>("llvm-phase", "From launches to calls", addLLVMPhase);
}
