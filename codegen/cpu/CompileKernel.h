//===- CompileKernel.h - One KernelSpec to one object file ------*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_COMPILEKERNEL_H
#define RESIN_CODEGEN_CPU_COMPILEKERNEL_H

#include "codegen/Backend.h"

namespace resin::codegen {

/// In its frugal form (KernelMachine in Builder.h) if the other has too much scratch.
bool compileKernel(const Backend::Job &job, std::string &error);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_COMPILEKERNEL_H
