//===- Pipelines.h - The phases of the compiler -----------------*- C++ -*-===//

#ifndef RESIN_PASSES_PIPELINES_H
#define RESIN_PASSES_PIPELINES_H

#include "mlir/Pass/PassManager.h"

#include <cstdint>
#include <vector>

namespace resin {

struct TrainPhaseOptions {
  int64_t batch = 0; ///< 0: the recipe's
  std::vector<int64_t> predictBatch = {1, 32};
};

/// From the frontend's @model to its entry functions.
void addTrainPhase(mlir::OpPassManager &manager, const TrainPhaseOptions &options);
/// Every value gets its place in memory's order.
void addLayoutPhase(mlir::OpPassManager &manager);
/// Ops become kernels.
void addFusedPhase(mlir::OpPassManager &manager);

/// Makes every pass and `--train-phase`, `--layout-phase`, `--fused-phase` known to command lines.
void registerPassesAndPipelines();

} // namespace resin

#endif // RESIN_PASSES_PIPELINES_H
