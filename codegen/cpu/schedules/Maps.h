//===- Maps.h - Kernels that map activations pixel by pixel -----*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_MAPS_H
#define RESIN_CODEGEN_CPU_SCHEDULES_MAPS_H

#include "codegen/cpu/Builder.h"

namespace resin::codegen {

/// Builds a kernel whose results are blocked activations of one shape and sums over
/// their pixels, all of it in one pass. False if the kernel is not of that kind.
bool buildMap(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_MAPS_H
