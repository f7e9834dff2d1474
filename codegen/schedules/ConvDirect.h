//===- ConvDirect.h - Knobs of the gathering template -----------*- C++ -*-===//

#ifndef RESIN_CODEGEN_SCHEDULES_CONVDIRECT_H
#define RESIN_CODEGEN_SCHEDULES_CONVDIRECT_H

#include "codegen/kernels/Conv.h"

namespace resin::codegen {

struct DirectKnobs {
  int pixels;      ///< of a register tile, along x (of each residue class)
  int rows;        ///< of a register tile
  int images;      ///< of a register tile: fills it where maps are small and odd
  int vectors;     ///< of result channels in a register tile
  int channels;    ///< source channels unrolled
  bool tapsInside; ///< the taps of a row unrolled inside the pixels: each broadcast feeds several of them
  bool panelOuter; ///< result channels outside the images: weights stay in cache, images stream
};
DirectKnobs directKnobs(const std::vector<int> &numbers);
DirectKnobs defaultDirectKnobs(const ConvKernel &conv, const GatherAxis &x, const GatherAxis &y);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_SCHEDULES_CONVDIRECT_H
