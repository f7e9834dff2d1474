//===- StaticTensors.h - What passes may take for granted -------*- C++ -*-===//

#ifndef RESIN_PASSES_STATICTENSORS_H
#define RESIN_PASSES_STATICTENSORS_H

#include "mlir/IR/BuiltinOps.h"

namespace resin {

/// Whether every value of the module's functions is a ranked tensor whose extents and elements are known; a diagnostic
/// in the name of `pass` if not.
llvm::LogicalResult verifyStaticTensors(mlir::ModuleOp module, llvm::StringRef pass);

} // namespace resin

#endif // RESIN_PASSES_STATICTENSORS_H
