//===- EvaluateSpec.h - What a KernelSpec means -----------------*- C++ -*-===//
//
// Kernels are held against this. It is built on MLIR, and shows
// none of it to the side that is built on Halide.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_EVALUATESPEC_H
#define RESIN_DIALECTS_RESNET_EVALUATESPEC_H

#include "support/KernelSpec.h"

#include <string>
#include <vector>

namespace resin {

/// Elements of a tensor, row-major in its logical shape.
using Elements = std::vector<double>;

/// Evaluates `spec` as a `resnet.fused` region, in double, as its piece `piece`. On failure
/// returns false and says in `error` what is wrong with the spec.
bool evaluateSpec(const KernelSpec &spec, const std::vector<Elements> &operands, std::vector<Elements> &results,
                  std::string &error, int64_t piece = 0);

} // namespace resin

#endif // RESIN_DIALECTS_RESNET_EVALUATESPEC_H
