//===- Winograd.cpp - The one-dimensional transforms of F(4, 3) -----------===//
//
// Points 0, +-P, +-R, infinity. The points of a pair share their even and odd parts.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvWinograd.h"

using namespace Halide;

namespace resin::codegen::winograd {

static constexpr double P = 0.625, R = 1.5, P2 = P * P, R2 = R * R;

static Expr f32(double value) { return Expr(static_cast<float>(value)); }

std::vector<Expr> input(const std::vector<Expr> &d) {
  Expr even1 = d[4] - f32(R2) * d[2], odd1 = d[3] - f32(R2) * d[1], even2 = d[4] - f32(P2) * d[2],
       odd2 = d[3] - f32(P2) * d[1];
  return {f32(P2 * R2) * d[0] + (d[4] - f32(P2 + R2) * d[2]),
          even1 + f32(P) * odd1,
          even1 - f32(P) * odd1,
          even2 + f32(R) * odd2,
          even2 - f32(R) * odd2,
          f32(P2 * R2) * d[1] + (d[5] - f32(P2 + R2) * d[3])};
}

std::vector<Expr> output(const std::vector<Expr> &m) {
  Expr evenP = m[1] + m[2], oddP = m[1] - m[2], evenR = m[3] + m[4], oddR = m[3] - m[4];
  return {m[0] + (evenP + evenR), f32(P) * oddP + f32(R) * oddR, f32(P2) * evenP + f32(R2) * evenR,
          m[5] + (f32(P2 * P) * oddP + f32(R2 * R) * oddR)};
}

Expr filter(Expr point, const std::vector<Expr> &g) {
  // Row of G at point x: (1, x, x^2) / product of the differences to the other points.
  const double atZero = P2 * R2, atP = 2 * P2 * (P2 - R2), atR = 2 * R2 * (R2 - P2);
  const double x[] = {0, P, -P, R, -R}, divisor[] = {atZero, atP, atP, atR, atR};
  Expr sum;
  double power[] = {1, 1, 1, 1, 1};
  for (int tap = 0; tap < 3; ++tap) {
    std::vector<Expr> column;
    for (int i = 0; i < 5; ++i) {
      column.push_back(f32(power[i] / divisor[i]));
      power[i] *= x[i];
    }
    column.push_back(f32(tap == 2 ? 1 : 0));
    Expr term = mux(point, column) * g[tap];
    sum = tap ? sum + term : term;
  }
  return sum;
}

} // namespace resin::codegen::winograd
