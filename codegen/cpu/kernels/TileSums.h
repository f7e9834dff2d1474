//===- TileSums.h - Channel sums as exact as their finish -------*- C++ -*-===//
//
// A kernel's channel sums are taken tile by tile: in f32 from registers within a tile,
// in double over the tiles. f32 knows a sum of squares to 6e-8 of itself, so where the
// mean is r deviations, to 6e-8 * r^2 of the variance: at 10^3 deviations nothing is
// left. A tile therefore sums about its own first pixel, and what it leaves is small
// where the variance is. Of n pixels, the first of which is y0:
//
//   sum of y, sum of y*y   s = sum (y - y0),  q = sum (y - y0)^2
//                          leaves   mean = y0 + s/n,  rest = q - s^2/n
//                          adds     n*mean,           rest + n*mean^2
//   sum of a, sum of a*b   leaves   s = sum a,        d = sum a*(b - b0)
//                          adds     s,                d + s*b0
//
// The mean is rounded to f32 as every y was: 2e-5 of a deviation at 10^3 of them. It
// errs by that in the sum and in the sum of squares alike, so that the variance keeps
// its digits. b0 is read again, which only an operand can be: other products are
// summed as they are.
//
// In convolutions it costs less than the noise of a shared machine (1 % or so); a map in cache
// that does little else takes 5 to 25 % longer (Zen 3 with AVX2).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_KERNELS_TILESUMS_H
#define RESIN_CODEGEN_CPU_KERNELS_TILESUMS_H

#include "codegen/cpu/Builder.h"

#include <functional>

namespace resin::codegen {

class TileSums {
public:
  /// Values below `operands` are the kernel's operands.
  TileSums(std::vector<Epilogue::Reduction> reductions, int operands);

  struct Tile {
    int pixels;
    std::function<Halide::Expr(int number, int pixel)> value;
    /// Whether a pixel counts; undefined if it does in every tile.
    std::function<Halide::Expr(int pixel)> counts;
    Halide::Expr count; ///< pixels that count
    int chains = 1;     ///< additions that do not wait for each other
  };
  /// What a tile leaves, f32.
  std::vector<Halide::Expr> leave(const Tile &tile) const;
  /// What that adds to each reduction, in double. `first` gives an operand at the tile's first pixel.
  std::vector<Halide::Expr> add(const std::vector<Halide::Expr> &left, Halide::Expr count,
                                const std::function<Halide::Expr(int number)> &first) const;

  /// Schedules sums that are not taken along with what they sum up: block by block of the channels c of `results`, each
  /// tile's computed when its turn comes. `totals(c)` adds `tiles` up over `walk`.
  static void placeApart(const std::vector<Halide::Func> &results, Halide::Func totals, Halide::RDom walk,
                         Halide::Func tiles, int lanes);

private:
  enum class Kind { Sum, Dot, Mean, Rest };
  struct Part {
    Kind kind;
    int lhs, rhs; ///< rhs is -1 but for `Dot`
    bool operator==(const Part &) const = default;
  };
  const std::vector<Epilogue::Reduction> reductions;
  const int operands;
  std::vector<Part> parts;

  bool isSquared(int number) const;
  bool isShifted(const Part &dot) const { return dot.rhs < operands; }
  Part sumOf(int number) const { return {isSquared(number) ? Kind::Mean : Kind::Sum, number, -1}; }
  void need(const Part &part);
  Halide::Expr leave(const Part &part, const Tile &tile) const;
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_KERNELS_TILESUMS_H
