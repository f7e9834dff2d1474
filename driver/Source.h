//===- Source.h - From a file to a module -----------------------*- C++ -*-===//
//
// A file is a `.resin`, or the `.mlir` that any phase left.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DRIVER_SOURCE_H
#define RESIN_DRIVER_SOURCE_H

#include "driver/Build.h"

#include "mlir/IR/BuiltinOps.h"

namespace resin {

bool isMlir(const BuildOptions &options);

/// Reads the file and hands its module to `then`. What is wrong meanwhile is printed, at its place.
Status withModule(const BuildOptions &options, llvm::function_ref<Status(mlir::ModuleOp)> then);

} // namespace resin

#endif // RESIN_DRIVER_SOURCE_H
