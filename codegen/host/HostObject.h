//===- HostObject.h - The program's own code as an object file --*- C++ -*-===//

#ifndef RESIN_CODEGEN_HOST_HOSTOBJECT_H
#define RESIN_CODEGEN_HOST_HOSTOBJECT_H

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace resin {

/// What to compile for, as LLVM names it.
struct HostTarget {
  std::string triple;
  std::string cpu;                   ///< for example `x86-64-v3`
  std::vector<std::string> features; ///< for example `+fma`
};

/// The triple of the machine this runs on.
std::string hostTriple();

/// Compiles a module of the LLVM dialect to the bytes of an object file. Failures are
/// diagnostics at the module.
llvm::FailureOr<std::string> makeHostObject(mlir::ModuleOp module, const HostTarget &target);

} // namespace resin

#endif // RESIN_CODEGEN_HOST_HOSTOBJECT_H
