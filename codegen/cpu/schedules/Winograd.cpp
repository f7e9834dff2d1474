//===- Winograd.cpp - Transforms of F(4, 3) and F(2, 3), tiles at points --===//
//
// F(4, 3) at 0, +-P, +-R and infinity; F(2, 3) at 0, +-1 and infinity. The points of
// a pair share their even and odd parts.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/Winograd.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen::winograd {

namespace {

Expr f32(double value) { return Expr(static_cast<float>(value)); }

/// Squares and cubes of the points are exact; with +-1, +-2 errors are twice as large.
namespace four {

constexpr double P = 0.625, R = 1.5, P2 = P * P, R2 = R * R;

Values input(const Values &d) {
  Expr even1 = d[4] - f32(R2) * d[2], odd1 = d[3] - f32(R2) * d[1], even2 = d[4] - f32(P2) * d[2],
       odd2 = d[3] - f32(P2) * d[1];
  return {f32(P2 * R2) * d[0] + (d[4] - f32(P2 + R2) * d[2]),
          even1 + f32(P) * odd1,
          even1 - f32(P) * odd1,
          even2 + f32(R) * odd2,
          even2 - f32(R) * odd2,
          f32(P2 * R2) * d[1] + (d[5] - f32(P2 + R2) * d[3])};
}

Values output(const Values &m) {
  Expr evenP = m[1] + m[2], oddP = m[1] - m[2], evenR = m[3] + m[4], oddR = m[3] - m[4];
  return {m[0] + (evenP + evenR), f32(P) * oddP + f32(R) * oddR, f32(P2) * evenP + f32(R2) * evenR,
          m[5] + (f32(P2 * P) * oddP + f32(R2 * R) * oddR)};
}

/// The divisors of G's rows: products of a point's differences to the others.
constexpr double atZero = P2 * R2, atP = 2 * P2 * (P2 - R2), atR = 2 * R2 * (R2 - P2);

Values gradient(const Values &d) {
  Expr evenP = d[0] + f32(P2) * d[2], oddP = d[1] + f32(P2) * d[3], evenR = d[0] + f32(R2) * d[2],
       oddR = d[1] + f32(R2) * d[3];
  return {d[0], evenP + f32(P) * oddP, evenP - f32(P) * oddP, evenR + f32(R) * oddR, evenR - f32(R) * oddR, d[3]};
}

Values weight(const Values &m) {
  Expr evenP = f32(1 / atP) * (m[1] + m[2]), oddP = f32(P / atP) * (m[1] - m[2]);
  Expr evenR = f32(1 / atR) * (m[3] + m[4]), oddR = f32(R / atR) * (m[3] - m[4]);
  return {f32(1 / atZero) * m[0] + (evenP + evenR), oddP + oddR, f32(P2) * evenP + f32(R2) * evenR + m[5]};
}

Values filter(const Values &g) {
  Expr evenP = f32(1 / atP) * g[0] + f32(P2 / atP) * g[2], oddP = f32(P / atP) * g[1];
  Expr evenR = f32(1 / atR) * g[0] + f32(R2 / atR) * g[2], oddR = f32(R / atR) * g[1];
  return {f32(1 / atZero) * g[0], evenP + oddP, evenP - oddP, evenR + oddR, evenR - oddR, g[2]};
}

} // namespace four

namespace two {

Values input(const Values &d) { return {d[0] - d[2], d[2] + d[1], d[2] - d[1], d[3] - d[1]}; }

Values output(const Values &m) { return {m[0] + (m[1] + m[2]), (m[1] - m[2]) + m[3]}; }

Values gradient(const Values &d) { return {d[0], d[0] + d[1], d[0] - d[1], d[1]}; }

Values weight(const Values &m) {
  Expr even = f32(0.5) * (m[1] + m[2]), odd = f32(0.5) * (m[1] - m[2]);
  return {m[0] + even, odd, even + m[3]};
}

Values filter(const Values &g) {
  Expr even = f32(0.5) * (g[0] + g[2]), odd = f32(0.5) * g[1];
  return {g[0], even + odd, even - odd, g[2]};
}

} // namespace two

} // namespace

const Form &formOf(int tile) {
  static const Form forms[] = {{4, four::input, four::output, four::gradient, four::weight, four::filter},
                               {2, two::input, two::output, two::gradient, two::weight, two::filter}};
  assert((tile == 4 || tile == 2) && "there are two forms");
  return forms[tile == 2];
}

Points transform(const std::string &name, const ImageParam &operand, const Grid &grid, int size, int left, int top,
                 Values (*along)(const Values &)) {
  Var ci("ci"), t("t"), i("i"), j("j"), cb("cb");
  // Tiles past the last stand in for it: they fill up register tiles.
  Expr tile = min(t, grid.all() - 1), tx = tile % grid.across(), ty = tile / grid.across() % grid.down(),
       image = tile / grid.perImage();
  auto edge = [&](Expr at, int extent, int before) {
    const int last = extent - 1 + std::max(1, size - grid.tile - before);
    return extent % grid.tile ? min(at, last) : at;
  };
  Points f{Func(name + "_rows"), Func(name)};
  Values column, row;
  for (int q = 0; q < size; ++q)
    column.push_back(operand(ci, edge(tx * grid.tile + i - left, grid.width, left),
                             edge(ty * grid.tile + q - top, grid.height, top), cb, image));
  f.rows(ci, i, j, t, cb) = mux(j, along(column));
  for (int q = 0; q < size; ++q)
    row.push_back(f.rows(ci, q, j, t, cb));
  f.points(ci, t, i, j, cb) = mux(i, along(row));
  return f;
}

void keepTogether(Points &f) { f.points.reorder_storage(Var("ci"), Var("t"), Var("cb"), Var("i"), Var("j")); }

void keepFlat(Points &f) { f.points.reorder_storage(Var("ci"), Var("cb"), Var("t"), Var("i"), Var("j")); }

void schedule(Points &f, const Machine &machine, int storage) {
  Var ci("ci"), t("t"), i("i"), j("j"), cb("cb"), cv("cv"), cii("cii");
  // Odd strides in cache lines keep the points' streams of stores in different sets.
  f.points.store_in(MemoryType::Register).align_storage(t, storage | 1);
  f.points.split(ci, cv, cii, machine.vectorFloats).reorder(cii, i, j, cv, t, cb).vectorize(cii).unroll(i).unroll(j);
  f.rows.compute_at(f.points, cv)
      .store_in(MemoryType::Register)
      .reorder(ci, j, i)
      .vectorize(ci, machine.vectorFloats)
      .unroll(i)
      .unroll(j);
}

} // namespace resin::codegen::winograd
