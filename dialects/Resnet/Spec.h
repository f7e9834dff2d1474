//===- Spec.h - From a fused region to its KernelSpec -----------*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_SPEC_H
#define RESIN_DIALECTS_RESNET_SPEC_H

#include "dialects/Resnet/Resnet.h"
#include "support/KernelSpec.h"

namespace resin::resnet {

/// What one piece of the tensor is to a kernel: `whole` cut into `pieces` along `dim` (-1: not at all).
TensorSpec specOf(mlir::RankedTensorType whole, int64_t dim, int64_t pieces);

/// The canonical print of the region: the kernel that computes one piece.
KernelSpec specOf(FusedOp fused);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_SPEC_H
