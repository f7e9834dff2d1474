//===- Strict.cpp - Floats that may be NaN or infinite --------------------===//

#include "codegen/cpu/kernels/Strict.h"

using namespace Halide;
using Halide::Internal::Call;

namespace resin::codegen {

static Expr strict(Call::IntrinsicOp op, Type type, Expr a, Expr b) {
  return Call::make(type, op, {std::move(a), std::move(b)}, Call::PureIntrinsic);
}

Expr strictDifference(Expr a, Expr b) { return strict(Call::strict_sub, a.type(), a, b); }
Expr strictProduct(Expr a, Expr b) { return strict(Call::strict_mul, a.type(), a, b); }
Expr isLess(Expr a, Expr b) { return strict(Call::strict_lt, Bool(a.type().lanes()), a, b); }
Expr isEqual(Expr a, Expr b) { return strict(Call::strict_eq, Bool(a.type().lanes()), a, b); }

Expr isNan(Expr x) { return (reinterpret<int32_t>(x) & 0x7fffffff) > 0x7f800000; }

// maxps gives its second operand where one of them is NaN, and strict_max(a, b) is that instruction.
Expr atLeast(Expr low, Expr x) { return strict(Call::strict_max, x.type(), low, x); }

// Each order keeps the NaN of one of them. The other then gives a number, whose bits leave a NaN a NaN.
Expr largerOrNan(Expr a, Expr b) {
  auto bits = [](Expr x) { return reinterpret<int32_t>(x); };
  return reinterpret<float>(bits(atLeast(a, b)) | bits(atLeast(b, a)));
}

} // namespace resin::codegen
