//===- Target.h - What a module is compiled for -----------------*- C++ -*-===//
//
// `resnet.target = "x86-64-v3"` on a module. Passes that choose by the machine ask here;
// without the attribute they choose for the usual target.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_TARGET_H
#define RESIN_DIALECTS_RESNET_TARGET_H

#include "machine/Targets.h"

#include "mlir/IR/BuiltinOps.h"

namespace resin::resnet {

inline constexpr llvm::StringLiteral kTargetAttr = "resnet.target";

/// Of the module that `op` is, or stands in.
Machine machineOf(mlir::Operation *op);
void setTarget(mlir::ModuleOp module, const TargetInfo &target);

/// Of what stands under `resnet.target`.
llvm::LogicalResult verifyTarget(mlir::Operation *op, mlir::Attribute value);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_TARGET_H
