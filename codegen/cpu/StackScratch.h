//===- StackScratch.h - How much stack a kernel needs -----------*- C++ -*-===//
//
// Kernels run on a stack of known size (support/KernelStack.h): one that does not fit is
// an error when it is compiled.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_STACKSCRATCH_H
#define RESIN_CODEGEN_CPU_STACKSCRATCH_H

#include "Halide.h"

namespace resin::codegen {

/// Bytes that the scratch of a lowered kernel takes on the stack, spilled registers aside. Throws Halide::CompileError
/// if some of it would come from elsewhere.
int64_t stackScratchOf(const Halide::Module &module);

/// Throws Halide::CompileError if that is more than a kernel may have.
void checkStackScratch(const Halide::Module &module);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_STACKSCRATCH_H
