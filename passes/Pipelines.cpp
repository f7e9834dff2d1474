//===- Pipelines.cpp - The phases of the compiler, in order ---------------===//

#include "passes/Pipelines.h"
#include "passes/Passes.h"

#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;

namespace resin {

static void addGate(OpPassManager &manager, StringRef phase) {
  manager.addPass(createVerifyPhase({.phase = phase.str()}));
}

void addTrainPhase(OpPassManager &manager, const TrainPhaseOptions &options) {
  // Shapes and the kind of run first: everything behind knows its batch.
  SpecializeOptions specialize;
  specialize.batch = options.batch;
  specialize.predictBatch.assign(options.predictBatch.begin(), options.predictBatch.end());
  manager.addPass(createSpecialize(specialize));
  // Gradients of the model's own ops, before anything is cut up or folded.
  manager.addPass(createDifferentiate());
  manager.addPass(createAppendOptimizer());
  // Folding makes ops that depend on variables alone; hoisting then finds them.
  manager.addPass(createFoldBatchNorm());
  manager.addPass(createTransformFilters());
  manager.addPass(createHoistPrepare());
  addGate(manager, "train");
}

void addLayoutPhase(OpPassManager &manager) {
  // Only now, since the gradient of batch norm as a whole is the shorter and the more exact one.
  manager.addPass(createDecomposeBatchNorm());
  // Behind it, as it is the affine map that is computed again; before layouts, so that each copy has what its reader
  // wants.
  manager.addPass(createRebuildActivations());
  manager.addPass(createAssignLayouts());
  addGate(manager, "layout");
}

void addFusedPhase(OpPassManager &manager) {
  manager.addPass(createFuse());
  addGate(manager, "fused");
}

namespace {
struct TrainPipelineOptions : PassPipelineOptions<TrainPipelineOptions> {
  Option<int64_t> batch{*this, "batch", llvm::cl::desc("Images of a training step; 0 takes the recipe's"),
                        llvm::cl::init(0)};
  ListOption<int64_t> predictBatch{*this, "predict-batch", llvm::cl::desc("Batch sizes to make @predict_N for")};
};
} // namespace

void registerPassesAndPipelines() {
  registerResinPasses();
  PassPipelineRegistration<TrainPipelineOptions>(
      "train-phase", "From the model to its entry functions",
      [](OpPassManager &manager, const TrainPipelineOptions &options) {
        addTrainPhase(manager, {.batch = options.batch,
                                .predictBatch = {options.predictBatch.begin(), options.predictBatch.end()}});
      });
  PassPipelineRegistration<>("layout-phase", "Give every value its layout", addLayoutPhase);
  PassPipelineRegistration<>("fused-phase", "Gather ops into kernels", addFusedPhase);
}

} // namespace resin
