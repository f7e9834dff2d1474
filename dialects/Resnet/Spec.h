//===- Spec.h - Between fused regions and KernelSpecs -----------*- C++ -*-===//
//
// `specOf` is the only way from the dialect to kernels; `fusedFromSpec` is the way
// back, by which any spec can be run by the interpreter.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_SPEC_H
#define RESIN_DIALECTS_RESNET_SPEC_H

#include "support/KernelSpec.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace resin::resnet {

class FusedOp;

/// The kernel of a verified fused op: one piece of it. Attributes that are flags become the integers 0 and 1, absent
/// ones too.
KernelSpec specOf(FusedOp op);

/// How a tensor of this type is stored: shape, element type, layout.
TensorSpec tensorSpecOf(mlir::RankedTensorType type);

/// A module whose function @kernel holds one fused op of one piece, of which `specOf` gives the spec again; only
/// storedChannels and storedRows are lost, as the tensors are the pieces themselves. Null, after a diagnostic, where
/// the spec is not one the dialect verifies.
mlir::OwningOpRef<mlir::ModuleOp> fusedFromSpec(mlir::MLIRContext *context, const KernelSpec &spec);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_SPEC_H
