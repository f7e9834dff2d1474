//===- WinogradFilter.cpp - Filters at Winograd's points ------------------===//
//
// Once for each program's weights, so plain sums over the taps are good enough: the
// factors of a point do not change in the loops over channels.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Values.h"
#include "codegen/cpu/schedules/Winograd.h"

using namespace Halide;

namespace resin::codegen {

namespace {

/// What the three taps along one axis count at point `which`.
std::vector<Expr> factorsOf(const winograd::Form &form, Expr which) {
  std::vector<Expr> factors;
  for (int tap = 0; tap < 3; ++tap) {
    winograd::Values unit = {0.f, 0.f, 0.f};
    unit[tap] = 1.f;
    winograd::Values column = form.filter(unit);
    for (Expr &value : column)
      value = Internal::simplify(value);
    factors.push_back(mux(which, column));
  }
  return factors;
}

std::vector<Value> winogradFilter(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const int64_t tile = node.integer("tile");
  if (tile != 2 && tile != 4)
    throw CompileError("'winograd_filter' knows the tiles 2 and 4");
  const winograd::Form &form = winograd::formOf(static_cast<int>(tile));
  return {{node.results[0], [=, &form](const Index &at) {
             const std::vector<Expr> down = factorsOf(form, at[1].whole()), across = factorsOf(form, at[2].whole());
             Expr sum = 0.f;
             for (int s = 0; s < 3; ++s) {
               Expr column = 0.f;
               for (int r = 0; r < 3; ++r)
                 column += down[r] * v[0].at({at[0], at[3], Coordinate(Expr(r)), Coordinate(Expr(s))});
               sum += across[s] * column;
             }
             return sum;
           }}};
}

} // namespace

const NodeFamily &winogradNodes() {
  static const NodeFamily rows = {{"winograd_filter", winogradFilter}};
  return rows;
}

} // namespace resin::codegen
