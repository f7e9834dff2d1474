//===- ChannelSpans.h - What a block of channels has to do with -*- C++ -*-===//
//
// Groups of channels need not end where blocks of 16 do: of 48 channels in 4 groups of
// 12, the second block has the end of the second group and the beginning of the third.
// Yet the groups that a block of results belongs to read neighbouring channels of the
// source, its *span*: here channels 12 to 35. A template that broadcasts source channels
// one by one can begin and end at any of them. So it walks over the span of each block,
// with filters that are zero where source and result are of different groups:
//
//   block                0      1      2
//   groups             0, 1   1, 2   2, 3
//   span               0-23  12-35  24-47     72 of 144 channels, of which half count
//
// Where channels are unrolled, spans begin and end at multiples of that `step`.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_SCHEDULES_CHANNELSPANS_H
#define RESIN_CODEGEN_CPU_SCHEDULES_CHANNELSPANS_H

#include "codegen/cpu/kernels/Conv.h"

namespace resin::codegen {

class ChannelSpans {
public:
  /// Of the blocks of channels that the convolution makes; a weight gradient's are those of the forward direction.
  /// `channels` are unrolled, a divisor of 16; of planar images one.
  ChannelSpans(const ConvProblem &conv, int channels);

  const int step;

  /// Steps of the longest span, and whether others are shorter.
  int mostSteps() const { return longest; }
  int mostChannels() const { return longest * step; }
  bool vary() const { return shortest < longest; }
  /// Of result block `kb`: the first step of its span, counted from channel 0, and how many there are.
  Halide::Expr firstStep(Halide::Expr kb) const;
  Halide::Expr steps(Halide::Expr kb) const;
  Halide::Expr firstChannel(Halide::Expr kb) const { return firstStep(kb) * step; }

  /// The element of a source at channel `at` of the span of block `kb`.
  Halide::Expr source(const Halide::ImageParam &operand, Halide::Expr kb, Halide::Expr at, Halide::Expr x,
                      Halide::Expr y, Halide::Expr n) const;
  /// A filter of layout K16, as (ki, at, s, r, kb): for each block the source channels of its span, zero between
  /// different groups. Where it is computed is left open.
  Halide::Func spread(const Halide::ImageParam &filter, int vectorFloats) const;
  /// Where in its block's span stands source channel `c` of the group of result channel `ki`.
  Halide::Expr placeInSpan(Halide::Expr ki, Halide::Expr c, Halide::Expr kb) const;
  /// Whether the channel is none of the last block's padding.
  Halide::Expr isReal(Halide::Expr ki, Halide::Expr kb) const { return kb * int(kChannelBlock) + ki < resultChannels; }

  /// Of a block's filters when they are spread out, of those of all blocks, and whether these may be at once.
  int64_t panelBytes() const { return int64_t(mostChannels()) * kChannelBlock * tapsX * tapsY * elementBytes; }
  int64_t filterBytes() const { return panelBytes() * blocks(); }
  bool fitAtOnce() const { return filterBytes() <= mostAtOnce; }

  /// Taps of a filter that are copied without a loop.
  static constexpr int kMostUnrolled = 9;

private:
  Halide::Func spreadRows(const Halide::ImageParam &filter, int vectorFloats) const;
  Halide::Func spreadTransposed(const Halide::ImageParam &filter, int vectorFloats) const;
  static Halide::Expr zeroOf(const Halide::ImageParam &filter);
  int blocks() const { return (resultChannels + kChannelBlock - 1) / kChannelBlock; }
  int first(int block) const;
  int end(int block) const;

  const bool transposed; ///< the filter's rows are source channels
  const int tapsX, tapsY;
  const int64_t elementBytes;                 ///< of filters
  const int64_t mostAtOnce;                   ///< bytes of filters: half of L2
  const int resultChannels, results, sources; ///< all; of a group
  int longest = 0, shortest = 0;
};

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_SCHEDULES_CHANNELSPANS_H
