//===- ConvWinograd.h - Knobs of the Winograd templates ---------*- C++ -*-===//

#ifndef RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
#define RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H

#include "codegen/cpu/kernels/Conv.h"

namespace resin::codegen {

struct WinogradKnobs {
  int tile;          ///< results of a tile, each way: 4 or 2
  int rows, images;  ///< of tiles in a group, whose products stay in cache
  int tiles, blocks; ///< in the register tile of the matrix products: tiles x blocks of result channels
  int channels;      ///< source channels unrolled
  /// Blocks of source channels that are transformed and summed before the next, the filter row by row of the points,
  /// for each group anew; 0: all of them, and the filter at all points at once.
  int chunk;
};
std::vector<int> numbersOf(const WinogradKnobs &knobs);
WinogradKnobs winogradKnobs(const std::vector<int> &numbers);
/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradKnobs &knobs, const ConvKernel &conv);
/// A register tile of the products at the points: values of one operand that are broadcast x blocks of channels.
struct WinogradTile {
  int broadcasts, blocks;
};
inline constexpr int kMostBroadcasts = 28;
/// The best one by a model of the core (RegisterTile.h), with as little as possible left over of `values`, and a
/// divisor of `blocks`. Not the defaults': in slow runs of the machine at hand 3 x 4 vectors take 5 to 10 % less time
/// than the 4 x 2 of AVX2, in fast ones 5 to 7 % more.
WinogradTile bestWinogradTile(const ConvKernel &conv, int values, int blocks);

/// The default of one form, whether or not it is fast.
WinogradKnobs winogradKnobsOf(const ConvKernel &conv, int tile);
/// With no tiles if the direct template is better than every form in `conv.tiles`.
WinogradKnobs defaultWinogradKnobs(const ConvKernel &conv);

struct WinogradWeightKnobs {
  int tile;             ///< pixels of dY in a tile, each way: 4 or 2
  int rows;             ///< of tiles in a group, through all images, transformed together
  int channels, blocks; ///< in the register tile: input channels x blocks of output channels
  int tiles;            ///< unrolled
  int panel;            ///< blocks of output channels whose sums are made and finished before the next
};
std::vector<int> numbersOf(const WinogradWeightKnobs &knobs);
WinogradWeightKnobs winogradWeightKnobs(const std::vector<int> &numbers);
/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradWeightKnobs &knobs, const ConvKernel &conv);
/// Whether dY can be cut into such tiles: where the last reach beyond the map, they read its ring.
bool suitsWeightTile(const ConvKernel &conv, int tile);
/// The default of one form, whether or not it is fast.
WinogradWeightKnobs winogradWeightKnobsOf(const ConvKernel &conv, int tile);
/// With no rows if the direct template is better than every form in `conv.tiles`.
WinogradWeightKnobs defaultWinogradWeightKnobs(const ConvKernel &conv);

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

#endif // RESIN_CODEGEN_SCHEDULES_CONVWINOGRAD_H
