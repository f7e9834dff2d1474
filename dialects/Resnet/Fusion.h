//===- Fusion.h - Fusion knobs of an entry function -------------*- C++ -*-===//
//
// `resnet.fusion = {epilogues = 1 : i64}` on a function: knobs that are not named have
// their usual value. The dialect verifies names and values.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_FUSION_H
#define RESIN_DIALECTS_RESNET_FUSION_H

#include "machine/FusionKnobs.h"

#include "mlir/IR/Operation.h"

namespace resin::resnet {

inline constexpr llvm::StringLiteral kFusionAttr = "resnet.fusion";

/// The function's, or the usual ones of its module's target.
FusionKnobs fusionKnobsOf(mlir::Operation *function);
void setFusionKnobs(mlir::Operation *function, const FusionKnobs &knobs);

/// Of what stands under `resnet.fusion`.
llvm::LogicalResult verifyFusionKnobs(mlir::Operation *op, mlir::Attribute value);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_FUSION_H
