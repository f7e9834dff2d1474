//===- MlirGen.h - From a network to ops of the resnet dialect --*- C++ -*-===//

#ifndef RESIN_FRONTEND_MLIRGEN_H
#define RESIN_FRONTEND_MLIRGEN_H

#include "frontend/Network.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llvm {
class SourceMgr;
} // namespace llvm

namespace resin::frontend {

mlir::OwningOpRef<mlir::ModuleOp> generateModule(const Network &network, llvm::SourceMgr &sources,
                                                 mlir::MLIRContext &context);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_MLIRGEN_H
