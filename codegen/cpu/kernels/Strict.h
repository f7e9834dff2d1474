//===- Strict.h - Floats that may be NaN or infinite ------------*- C++ -*-===//
//
// Halide tells LLVM that there is no NaN and no infinity, and that sums may be added
// in any order: without that there would be no fused multiply-add. Arithmetic passes
// NaN on all the same; what would lose it are comparisons. Those whose operand may be
// NaN are made of these, which LLVM takes at their word.
//
// It still believes that what a plain sum made is no NaN, and may then turn "less or
// equal" into "not greater". So every answer to NaN here follows from a comparison that
// is false with NaN and stays as it is written, from bits, or from equality, whose
// opposite is true with NaN on x86.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_KERNELS_STRICT_H
#define RESIN_CODEGEN_CPU_KERNELS_STRICT_H

#include "Halide.h"

namespace resin::codegen {

/// a - b, which LLVM does not take apart.
Halide::Expr strictDifference(Halide::Expr a, Halide::Expr b);
/// a * b, likewise: zero times NaN is NaN.
Halide::Expr strictProduct(Halide::Expr a, Halide::Expr b);
/// a < b and a == b; false with NaN.
Halide::Expr isLess(Halide::Expr a, Halide::Expr b);
Halide::Expr isEqual(Halide::Expr a, Halide::Expr b);
/// Whether an f32 is NaN.
Halide::Expr isNan(Halide::Expr x);
/// `low` where x is less, else x: NaN stays NaN. One instruction.
Halide::Expr atLeast(Halide::Expr low, Halide::Expr x);
/// The larger of two f32; NaN if either is.
Halide::Expr largerOrNan(Halide::Expr a, Halide::Expr b);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_KERNELS_STRICT_H
