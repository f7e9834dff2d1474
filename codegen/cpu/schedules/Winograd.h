//===- Winograd.h - Transforms of F(4, 3) and F(2, 3), tiles at points -*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_WINOGRAD_H
#define RESIN_CODEGEN_CPU_SCHEDULES_WINOGRAD_H

#include "codegen/cpu/kernels/Conv.h"

namespace resin::codegen {

namespace winograd {

using Values = std::vector<Halide::Expr>;

/// F(tile, 3): its one-dimensional transforms between pixels or taps and points.
struct Form {
  int tile;                            ///< results
  Values (*input)(const Values &d);    ///< tile + 2 pixels -> points
  Values (*output)(const Values &m);   ///< points -> tile pixels
  Values (*gradient)(const Values &d); ///< tile pixels of dY -> points, but for a factor in `weight`
  Values (*weight)(const Values &m);   ///< points -> 3 taps of a filter's gradient
  Values (*filter)(const Values &g);   ///< 3 taps -> points

  int points() const { return tile + 2; }
};
/// Of 4 or 2 results.
const Form &formOf(int tile);

/// Tiles of tile x tile pixels, numbered through rows and images.
struct Grid {
  int tile, width, height, images;
  int across() const { return (width + tile - 1) / tile; }
  int down() const { return (height + tile - 1) / tile; }
  int perImage() const { return across() * down(); }
  int all() const { return perImage() * images; }
  bool isRagged() const { return width % tile || height % tile; }
};
/// Of the convolution's pixels.
inline Grid gridOf(const ConvShape &shape, int tile) { return {tile, shape.ow, shape.oh, shape.n}; }
/// Points of a tile.
inline int pointsOf(int tile) { return (tile + 2) * (tile + 2); }

/// An activation's tiles at their points: points(ci, t, i, j, cb) with i across, j
/// down; `rows` is the first of the two passes.
struct Points {
  Halide::Func rows, points;
};
/// Transforms `size` x `size` pixels from `left` and `top` before each tile's corner. Of
/// tiles that reach beyond the image it reads the ring, or a band's overlap.
Points transform(const std::string &name, const Halide::ImageParam &operand, const Grid &grid, int size, int left,
                 int top, Values (*along)(const Values &));
/// Stores all channels of a point side by side: block after block of them, each for all tiles.
void keepTogether(Points &points);
/// Stores all channels of a tile at a point side by side.
void keepFlat(Points &points);
/// Schedules the transform: `storage` tiles are kept.
void schedule(Points &points, const Machine &machine, int storage);

} // namespace winograd

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_WINOGRAD_H
