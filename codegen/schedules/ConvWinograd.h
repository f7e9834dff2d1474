//===- ConvWinograd.h - Knobs of the Winograd templates ---------*- C++ -*-===//

#ifndef RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
#define RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H

#include "codegen/kernels/Conv.h"

namespace resin::codegen {

struct WinogradKnobs {
  int rows, images;  ///< of tiles in a group, whose products stay in cache
  int tiles, blocks; ///< in the register tile of the matrix products: tiles x blocks of result channels
  int channels;      ///< source channels unrolled
  bool filterInRows; ///< transform the filter row by row of the points, for each group anew, not all 36 at once
  int chunk;         ///< blocks of source channels that are transformed and summed before the next
};
std::vector<int> numbersOf(const WinogradKnobs &knobs);
WinogradKnobs winogradKnobs(const std::vector<int> &numbers);
/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradKnobs &knobs, const ConvKernel &conv);
/// With no tiles if the direct template is better.
WinogradKnobs defaultWinogradKnobs(const ConvKernel &conv);

struct WinogradWeightKnobs {
  int rows, images; ///< of tiles in a group, transformed together
  int channels;     ///< input channels in the register tile (x one block of output channels)
  int tiles;        ///< unrolled
};
std::vector<int> numbersOf(const WinogradWeightKnobs &knobs);
WinogradWeightKnobs winogradWeightKnobs(const std::vector<int> &numbers);
/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradWeightKnobs &knobs, const ConvKernel &conv);
/// With no rows if the direct template is better.
WinogradWeightKnobs defaultWinogradWeightKnobs(const ConvKernel &conv);

namespace winograd {

constexpr int kTile = 4, kPoints = 6;

/// One-dimensional transforms of F(4, 3) at the points 0, +-5/8, +-3/2 and infinity:
/// squares and cubes of the points are exact, and the error of a convolution of 64
/// channels is 7e-7 (with +-1, +-2 it is 1.6e-6).
using Values = std::vector<Halide::Expr>;
Values input(const Values &d);    ///< 6 pixels -> 6 points
Values output(const Values &m);   ///< 6 points -> 4 pixels
Values gradient(const Values &d); ///< 4 pixels of dY -> 6 points, but for a factor in `weight`
Values weight(const Values &m);   ///< 6 points -> 3 taps of a filter's gradient
Values filter(const Values &g);   ///< 3 taps -> 6 points

/// Tiles of 4x4 pixels, numbered through rows and images.
struct Grid {
  int width, height, images;
  int across() const { return (width + kTile - 1) / kTile; }
  int down() const { return (height + kTile - 1) / kTile; }
  int perImage() const { return across() * down(); }
  int all() const { return perImage() * images; }
  bool isRagged() const { return width % kTile || height % kTile; }
};

/// An activation's tiles at the 36 points: points(ci, t, i, j, cb) with i across, j
/// down; `rows` is the first of the two passes.
struct Points {
  Halide::Func rows, points;
};
/// Transforms `size` x `size` pixels from `left` and `top` before each tile's corner. Of
/// tiles that reach beyond the image it reads the ring, or a band's overlap.
Points transform(const std::string &name, const Halide::ImageParam &operand, const Grid &grid, int size, int left, int top,
                 Values (*along)(const Values &));
/// Schedules the transform: `storage` tiles are kept.
void schedule(Points &points, const Machine &machine, int storage);

} // namespace winograd

} // namespace resin::codegen

#endif // RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
