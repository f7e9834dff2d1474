//===- ConvWinograd.h - Knobs of the Winograd templates ---------*- C++ -*-===//

#ifndef RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
#define RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H

#include "codegen/kernels/Conv.h"

namespace resin::codegen {

struct WinogradKnobs {
  int rows, images;  ///< of tiles in a group, whose transformed results stay in cache
  int tiles;         ///< in the register tile of the matrix products (x two vectors or one block of channels)
  int channels;      ///< source channels unrolled
  bool filterInRows; ///< transform the filter row by row of the points, not all 36 at once
};
WinogradKnobs winogradKnobs(const std::vector<int> &numbers);
/// No tiles if the direct template is better.
WinogradKnobs defaultWinogradKnobs(const ConvKernel &conv);

/// One-dimensional transforms of F(4, 3) at the points 0, +-5/8, +-3/2 and infinity:
/// squares and cubes of the points are exact, and the error of a convolution of 64
/// channels is 7e-7 (with +-1, +-2 it is 1.6e-6).
namespace winograd {
constexpr int kTile = 4, kPoints = 6;
std::vector<Halide::Expr> input(const std::vector<Halide::Expr> &d);  ///< 6 -> 6
std::vector<Halide::Expr> output(const std::vector<Halide::Expr> &m); ///< 6 -> 4
/// Point `point` (a run-time value) of a filter of three taps.
Halide::Expr filter(Halide::Expr point, const std::vector<Halide::Expr> &g);
} // namespace winograd

} // namespace resin::codegen

#endif // RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
