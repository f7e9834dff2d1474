//===- ConvTile.h - The loop nest around a convolution's tiles --*- C++ -*-===//
//
// What the templates of forward convolutions and data gradients share: results are
// blocked by 16 channels and written tile by tile; the epilogue is evaluated on a
// tile while it is in registers, and so are its channel sums. A template says how a
// tile of the anchor comes about, and in which order tiles are visited.
//
//   for tiles (no, yo, xo), panels of channels (kbo, kvo)    in the template's order
//     anchor[ki, x, y, kb, n]                by the template, in registers or on the stack
//     for ni, yi, xi                         unrolled
//       for kbi, kvi, kii                    unrolled, vectors
//         values = pointwise nodes           that several results need
//         results = values                   all of them within one nest
//     tileSums[ki, xo, yo, kb, no] = channel sums of the tile
//   for tiles, k
//     total[k] += tileSums                   in double
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_CONVTILE_H
#define RESIN_CODEGEN_CPU_SCHEDULES_CONVTILE_H

#include "codegen/cpu/kernels/Conv.h"
#include "codegen/cpu/kernels/TileSums.h"
#include "codegen/cpu/schedules/FetchAhead.h"

#include <map>

namespace resin::codegen {

/// Constant-sized scratch on the stack: what Halide calls Stack goes to malloc when it is large.
inline constexpr Halide::MemoryType kStackScratch = Halide::MemoryType::Register;

class ConvTile {
public:
  virtual ~ConvTile() = default;
  void build(std::vector<Halide::Func> &outputs);

protected:
  struct Shape {
    int x, y, images; ///< result pixels
    int vectors;      ///< of result channels
    /// What happens to the last tile along an axis whose extent is no multiple: it is
    /// shifted inwards, or stored in part.
    bool shiftedX, shiftedY;
  };
  ConvTile(ConvKernel &conv, Shape tile) : conv(conv), tile(tile) {}

  ConvKernel &conv;
  const ConvShape &shape = conv.shape;
  const Shape tile;
  const bool forward = conv.direction == ConvDirection::Forward;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int lanes = planar ? 1 : kChannelBlock; ///< source channels in a block
  /// Of one group.
  const int sourceBlocks = ((forward ? shape.c : shape.k) / shape.groups + lanes - 1) / lanes;
  const int resultBlocks = ((forward ? shape.k : shape.c) + kChannelBlock - 1) / kChannelBlock;
  const int width = forward ? shape.ow : shape.w, height = forward ? shape.oh : shape.h;
  const int vectorFloats = conv.machine.vectorFloats;

  Halide::Var ki{"ki"}, x{"x"}, y{"y"}, kb{"kb"}, n{"n"};
  /// Tiles and pixels in a tile.
  Halide::Var xo{"xo"}, xi{"xi"}, yo{"yo"}, yi{"yi"}, no{"no"}, ni{"ni"};
  /// Channels: lane of a vector; vector in its block, inside and outside the tile; block likewise.
  Halide::Var kii{"kii"}, kv{"kv"}, kvi{"kvi"}, kvo{"kvo"}, kbi{"kbi"}, kbo{"kbo"};

  virtual void defineAnchor() = 0;
  /// The anchor's value.
  virtual Halide::Expr anchor(const Coordinates &at) const = 0;
  /// Schedules the anchor within the tile loop of `master`.
  virtual void scheduleAnchor(Halide::Func master) = 0;
  /// The loops outside a tile from inner to outer, `xo` first.
  virtual std::vector<Halide::VarOrRVar> loopOrder() const = 0;
  /// Further splits of the loops over tiles.
  virtual void splitTileLoops(Halide::Func) {}

  /// Lines of a part of every result and of every operand of the epilogue that is as large.
  std::vector<LinesAhead> tileTensors(const ActivationPart &part) const;
  /// Any float, for `hiddenZero`.
  Halide::Expr anyFloat() const;
  /// Splits channels into vectors of a tile: (kii, kvi, kbi) inside, (kvo, kbo) outside.
  template <typename Stage> void splitChannels(Stage &&stage) const {
    const int perBlock = kChannelBlock / vectorFloats;
    stage.split(ki, kv, kii, vectorFloats);
    stage.split(kv, kvo, kvi, std::min(tile.vectors, perBlock));
    stage.split(kb, kbo, kbi, std::max(1, tile.vectors / perBlock));
  }

private:
  std::map<int, Halide::Func> tileValues; ///< by value number
  std::vector<std::pair<Halide::Func, int>> results;
  Halide::Func tileSums{"tile_sums"}, total{"totals"};
  Halide::RDom allTiles;
  std::vector<Halide::Func> sumResults;

  Halide::Expr value(int number, const Coordinates &at) const;
  Halide::Expr valueInTile(int number, const Coordinates &at) const;
  Coordinates insideImage(const Coordinates &at) const;
  Halide::Expr storedValue(int number, const Coordinates &at) const;
  void defineValues();
  void nameResults();
  void defineResults(std::vector<Halide::Func> &outputs);
  TileSums::Tile sumsTile() const;
  std::pair<Halide::Expr, Halide::Expr> basePixel(Halide::Expr tileX, Halide::Expr tileY) const;
  Halide::Expr countedPixels(Halide::Expr tileX, Halide::Expr tileY) const;
  void defineSums(std::vector<Halide::Func> &outputs);
  void defineTotal(const TileSums &sums, size_t parts);

  void orderLoops(Halide::Func f, std::vector<Halide::VarOrRVar> inner) const;
  void schedule();
  void scheduleResults(Halide::Func master);
  void scheduleSums(Halide::Func master);
  void zeroRings();
  int tilesX() const { return (width + tile.x - 1) / tile.x; }
  int tilesY() const { return (height + tile.y - 1) / tile.y; }
};

/// Whether all tensors of the epilogue and all results are what `ConvTile` reads and writes.
bool suitsTiles(const ConvProblem &conv);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_CONVTILE_H
