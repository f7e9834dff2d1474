//===- CpuBackend.h - Kernels for x86-64, by Halide -------------*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_CPUBACKEND_H
#define RESIN_CODEGEN_CPU_CPUBACKEND_H

#include "codegen/Backend.h"

namespace resin::codegen {

const Backend &cpuBackend();

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_CPUBACKEND_H
