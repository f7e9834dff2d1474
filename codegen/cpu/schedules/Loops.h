//===- Loops.h - Kernels that are loops over a result's storage -*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_LOOPS_H
#define RESIN_CODEGEN_CPU_SCHEDULES_LOOPS_H

#include "codegen/cpu/Builder.h"

namespace resin::codegen {

/// Builds every kernel without a convolution. Throws Halide::Error where a node is
/// unknown or incomplete.
void buildLoops(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_LOOPS_H
