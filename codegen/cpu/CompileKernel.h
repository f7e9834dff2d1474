//===- CompileKernel.h - One KernelSpec to one object file ------*- C++ -*-===//

#ifndef RESIN_CODEGEN_COMPILEKERNEL_H
#define RESIN_CODEGEN_COMPILEKERNEL_H

#include "support/KernelSpec.h"

#include <string>
#include <vector>

namespace resin::codegen {

/// Builds and compiles `spec` for the Halide target called `halideTarget` into the
/// object file `path`, by these knobs of a template, or untuned; in its frugal form (Machine in Builder.h) if the other
/// has more than `mostScratch` bytes of scratch. On failure returns false and says why in `error`.
bool compileKernel(const KernelSpec &spec, const std::vector<int> &knobs, const std::string &halideTarget,
                   int64_t mostScratch, const std::string &path, std::string &error);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_COMPILEKERNEL_H
