//===- KernelPasses.h - Passes from fused regions to machine code -*- C++ -*-===//

#ifndef RESIN_PASSES_KERNELPASSES_H
#define RESIN_PASSES_KERNELPASSES_H

#include "dialects/Kernel/Kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/Pass.h"

namespace resin {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/KernelPasses.h.inc"

} // namespace resin

#endif // RESIN_PASSES_KERNELPASSES_H
