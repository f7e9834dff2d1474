//===- ChannelSpans.cpp - What a block of channels has to do with ---------===//

#include "codegen/cpu/schedules/ChannelSpans.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

static constexpr int kBlock = kChannelBlock;

ChannelSpans::ChannelSpans(const ConvProblem &conv, int channels)
    : step(conv.operandSpec(0).layout == LayoutKind::Dense ? 1 : channels),
      transposed(conv.direction == ConvDirection::GradData), tapsX(conv.shape.s), tapsY(conv.shape.r),
      elementBytes(conv.elementBytes(1)), mostAtOnce(conv.machine.l2Bytes / 2),
      resultChannels(transposed ? conv.shape.c : conv.shape.k), results(resultChannels / conv.shape.groups),
      sources((transposed ? conv.shape.k : conv.shape.c) / conv.shape.groups) {
  longest = shortest = end(0) - first(0);
  for (int block = 1; block < blocks(); ++block) {
    longest = std::max(longest, end(block) - first(block));
    shortest = std::min(shortest, end(block) - first(block));
  }
}

/// In steps; `firstStep` and `steps` say the same.
int ChannelSpans::first(int block) const { return block * kBlock / results * sources / step; }
int ChannelSpans::end(int block) const {
  const int last = std::min(block * kBlock + kBlock, resultChannels) - 1;
  return ((last / results + 1) * sources + step - 1) / step;
}

Expr ChannelSpans::firstStep(Expr kb) const { return kb * kBlock / results * sources / step; }

Expr ChannelSpans::steps(Expr kb) const {
  Expr last = min(kb * kBlock + kBlock, resultChannels) - 1;
  return ((last / results + 1) * sources + step - 1) / step - firstStep(kb);
}

Expr ChannelSpans::source(const ImageParam &operand, Expr kb, Expr at, Expr x, Expr y, Expr n) const {
  // A span begins at a step, so that steps are counted and none is cut by a block.
  Expr number = firstStep(kb) + at / step, within = at % step;
  if (operand.dimensions() == 4)
    return operand(x, y, number * step + within, n);
  const int perBlock = kBlock / step;
  return operand(number % perBlock * step + within, x, y, number / perBlock, n);
}

Func ChannelSpans::spread(const ImageParam &filter, int vectorFloats) const {
  return transposed ? spreadTransposed(filter, vectorFloats) : spreadRows(filter, vectorFloats);
}

// A source channel is of one group, so that of all result channels the same row of the filter is read. Compared as
// unsigned, which is one comparison, and none that Halide 21 mistakes for a constant (two quotients of channels by
// `==`, one of which is used again: simplify_correlated_differences).
Func ChannelSpans::spreadRows(const ImageParam &filter, int vectorFloats) const {
  Func spread("spread");
  Var ki("ki"), at("at"), s("s"), r("r"), kb("kb");
  Expr source = firstChannel(kb) + at, inGroup = kb * kBlock + ki - source / sources * results;
  spread(ki, at, s, r, kb) =
      select(cast<uint32_t>(inGroup) < cast<uint32_t>(results), filter(ki, s, r, source % sources, kb), zeroOf(filter));
  spread.reorder(ki, s, r, at, kb).vectorize(ki, vectorFloats).unroll(ki);
  return spread;
}

// Zeros, then one by one what is of the same group: vectors of result channels would be gathered from rows that are far
// apart, those of other groups too.
Func ChannelSpans::spreadTransposed(const ImageParam &filter, int vectorFloats) const {
  Func spread("spread");
  Var ki("ki"), at("at"), s("s"), r("r"), kb("kb");
  RDom own(0, kBlock, 0, sources, "own");
  Expr result = min(kb * kBlock + own.x, resultChannels - 1), source = result / results * sources + own.y;
  spread(ki, at, s, r, kb) = zeroOf(filter);
  spread(own.x, placeInSpan(own.x, own.y, kb), s, r, kb) =
      select(isReal(own.x, kb), filter(source % kBlock, s, r, result % results, source / kBlock), zeroOf(filter));
  spread.vectorize(ki, vectorFloats).unroll(ki);
  spread.bound(s, 0, tapsX).bound(r, 0, tapsY).update().reorder(s, r, own.y, own.x, kb);
  if (tapsX * tapsY <= kMostUnrolled)
    spread.update().unroll(s).unroll(r);
  return spread;
}

Expr ChannelSpans::zeroOf(const ImageParam &filter) { return hiddenZero(filter(0, 0, 0, 0, 0)); }

Expr ChannelSpans::placeInSpan(Expr ki, Expr c, Expr kb) const {
  Expr result = min(kb * kBlock + ki, resultChannels - 1);
  return result / results * sources + c - firstChannel(kb);
}

} // namespace resin::codegen
