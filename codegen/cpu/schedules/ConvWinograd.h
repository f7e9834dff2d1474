//===- ConvWinograd.h - Knobs of the Winograd templates ---------*- C++ -*-===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_CONVWINOGRAD_H
#define RESIN_CODEGEN_CPU_SCHEDULES_CONVWINOGRAD_H

#include "codegen/cpu/kernels/Conv.h"
#include "codegen/cpu/schedules/RegisterTile.h"

namespace resin::codegen {

/// What the method takes in each direction: 3x3, unit strides, and a ring of zeros left and right.
inline bool suitsWinograd(const ConvShape &s) {
  return s.groups == 1 && s.r == 3 && s.s == 3 && s.strideX == 1 && s.strideY == 1 && s.dilationX == 1 &&
         s.dilationY == 1 && s.left == 1 && s.w == s.ow;
}

struct WinogradKnobs {
  int tile;          ///< results of a tile, each way: 4 or 2; the template's
  int rows, images;  ///< of tiles in a group, whose products stay in cache
  int tiles, blocks; ///< in the register tile of the matrix products: tiles x blocks of result channels
  int channels;      ///< source channels unrolled
  /// Blocks of source channels that are transformed and summed before the next, the filter row by row of the points,
  /// for each group anew; 0: all of them, and the filter at all points at once.
  int chunk;
};

struct WinogradWeightKnobs {
  int tile;             ///< pixels of dY in a tile, each way: 4 or 2; the template's
  int rows;             ///< of tiles in a group, through all images, transformed together
  int channels, blocks; ///< in the register tile: input channels x blocks of output channels
  int tiles;            ///< unrolled
  int panel;            ///< blocks of output channels whose sums are made and finished before the next
};

/// A register tile of the products at the points: values of one operand that are broadcast x blocks of channels.
struct WinogradTile {
  int broadcasts, blocks;
};
inline constexpr int kMostBroadcasts = 28;
inline RegisterTile registersOf(const WinogradTile &tile, const Machine &machine) {
  return {tile.broadcasts, tile.blocks * static_cast<int>(kChannelBlock) / machine.vectorFloats};
}
/// The best one by a model of the core (RegisterTile.h), with as little as possible left over of `values`, and a
/// divisor of `blocks`. Not the defaults': in slow runs of the machine at hand 3 x 4 vectors take 5 to 10 % less time
/// than the 4 x 2 of AVX2, in fast ones 5 to 7 % more.
WinogradTile bestWinogradTile(const ConvProblem &conv, int values, int blocks);

void buildConvWinograd(ConvKernel &conv, const WinogradKnobs &knobs, std::vector<Halide::Func> &outputs);
void buildConvWinogradWeight(ConvKernel &conv, const WinogradWeightKnobs &knobs, std::vector<Halide::Func> &outputs);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_CONVWINOGRAD_H
