//===- ConvWeight.h - Knobs of the weight gradient's template ---*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_CONVWEIGHT_H
#define RESIN_CODEGEN_CPU_SCHEDULES_CONVWEIGHT_H

#include "codegen/cpu/kernels/Conv.h"

namespace resin::codegen {

struct WeightKnobs {
  int vectors;       ///< of output channels in the register tile
  int channels;      ///< input channels in it (of a block)
  int tapsX, tapsY;  ///< taps in it
  int rows, images;  ///< summed in registers before the gradient in memory is touched
  int pixels;        ///< unrolled
  bool rolled;       ///< sum over input pixels: each broadcast of x feeds all taps of a row, dY slides
  bool pixelsInside; ///< row blocks and images inside the channels: for weights that exceed the cache
};

void buildConvWeight(ConvKernel &conv, const WeightKnobs &knobs, std::vector<Halide::Func> &outputs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_CONVWEIGHT_H
