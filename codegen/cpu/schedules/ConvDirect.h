//===- ConvDirect.h - Knobs of the gathering template -----------*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_CONVDIRECT_H
#define RESIN_CODEGEN_CPU_SCHEDULES_CONVDIRECT_H

#include "codegen/cpu/kernels/Conv.h"

namespace resin::codegen {

/// What stands outside: with images, a panel of the filter passes over one image;
/// with panels, over all of them, so that filters larger than the cache stream once;
/// with rows, all panels pass over a row of tiles, so that the source streams once.
enum class DirectOrder { Images, Panels, Rows };

struct DirectKnobs {
  int pixels;      ///< of a register tile, along x (of each residue class)
  int rows;        ///< of a register tile
  int images;      ///< of a register tile: fills it where maps are small and odd
  int vectors;     ///< of result channels in a register tile
  int channels;    ///< source channels unrolled
  bool tapsInside; ///< the taps of a row unrolled inside the pixels: each broadcast feeds several of them
  int blocks;      ///< of 16 source channels before the tile moves on; 0 for all of them, else needs order Panels
  DirectOrder order;
};

/// How result pixels gather source pixels, either way.
struct GatherAxes {
  GatherAxis x, y;
};
GatherAxes axesOf(const ConvProblem &conv);
inline int classesOf(const GatherAxis &axis) { return axis.classes.size(); }
/// Pixels of each residue class among `extent`, the last of which may lie outside.
inline int perClass(int extent, const GatherAxis &axis) { return (extent + classesOf(axis) - 1) / classesOf(axis); }

/// Whether a convolution reads pixel by pixel what it makes, and a row of its source follows on the one before: then
/// chunks of source channels take the pixels of an image as one row.
bool canFlatten(const ConvProblem &conv);

void buildConvDirect(ConvKernel &conv, const DirectKnobs &knobs, std::vector<Halide::Func> &outputs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_CONVDIRECT_H
