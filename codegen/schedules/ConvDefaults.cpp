//===- ConvDefaults.cpp - Which knobs a convolution gets untuned ----------===//
//
// A small model of the core picks the register tile: two FMAs and two loads a
// cycle, four cycles from an FMA to the next on the same accumulator.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvDirect.h"
#include "codegen/schedules/ConvWeight.h"

#include <algorithm>

namespace resin::codegen {

DirectKnobs directKnobs(const std::vector<int> &k) {
  assert(k.size() == 6 && "the template has six knobs");
  return {k[0], k[1], k[2], k[3], k[4] != 0, k[5] != 0};
}

/// Share of the FMA peak that a tile can reach; 0 if it does not fit.
static double rateTile(const DirectKnobs &t, int taps, int step, int registers) {
  const int accumulators = t.pixels * t.rows * t.vectors, inside = t.tapsInside ? taps : 1;
  const int weights = inside * t.vectors;
  const int broadcasts = t.rows * (t.tapsInside && step == 1 ? t.pixels + taps - 1 : t.pixels * inside);
  if (accumulators + weights + 1 > registers)
    return 0;
  const double fmas = accumulators * inside, cycles = std::max({fmas / 2, (weights + broadcasts) / 2.0, 4.0 * inside});
  return fmas / 2 / cycles;
}

DirectKnobs defaultDirectKnobs(const ConvKernel &conv, const GatherAxis &axisX, const GatherAxis &) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.direction == ConvDirection::Forward;
  const int classesX = axisX.classes.size();
  const int width = (forward ? s.ow : s.w) / classesX;
  const int sourceChannels = forward ? s.c : s.k, resultBlocks = ((forward ? s.k : s.c) + 15) / 16;
  const int perBlock = kChannelBlock / conv.machine.vectorFloats, taps = axisX.classes.back().taps;
  DirectKnobs best{1, 1, 1, 1, false, false};
  double bestRate = 0;
  for (int pixels = 1; pixels <= std::min(width, 28); ++pixels)
    for (int vectors = 1; vectors <= 4; vectors *= 2)
      for (bool inside : {false, true}) {
        if (vectors > perBlock && resultBlocks % (vectors / perBlock))
          continue;
        if (classesX > 1 && width % pixels)
          continue;
        DirectKnobs t{pixels, 1, vectors, 2, inside, false};
        const double used = double(width) / ((width + pixels - 1) / pixels * pixels);
        const double rate = rateTile(t, taps, axisX.step, conv.machine.registers) * used + 1e-4 * pixels * vectors;
        if (rate > bestRate)
          best = t, bestRate = rate;
      }
  const int body = best.pixels * best.vectors * (best.tapsInside ? std::max(taps, 1) : 1);
  best.channels = conv.operandSpec(0).layout == LayoutKind::Dense ? 1 : body * 4 <= 100 ? 4 : body * 2 <= 200 ? 2 : 1;
  // Where the weights exceed half a small L2 they should not stream once per image.
  best.panelOuter = s.n > 1 && int64_t(sourceChannels) * resultBlocks * 16 * s.r * s.s * 4 > 1 << 20;
  return best;
}

WeightKnobs weightKnobs(const std::vector<int> &k) {
  assert(k.size() == 9 && "the template has nine knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7] != 0, k[8] != 0};
}

static int largestDivisor(int value, int limit) {
  for (int d = std::min(value, limit); d > 1; --d)
    if (value % d == 0)
      return d;
  return 1;
}

WeightKnobs defaultWeightKnobs(const ConvKernel &conv, bool canRoll) {
  const ConvShape &s = conv.shape;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int outputBlocks = (s.k + 15) / 16;
  WeightKnobs t{1, 1, 1, 1, 1, 1, 1, canRoll, false};
  if (planar) {
    t.rolled = false;
    t.tapsX = s.s;
    t.tapsY = s.s * s.r <= 12 ? s.r : 1;
  } else if (canRoll && s.s <= 3) {
    t.tapsX = s.s, t.channels = 4;
  } else {
    t.vectors = 2, t.channels = 4;
  }
  const int perBlock = kChannelBlock / conv.machine.vectorFloats;
  if (t.vectors > perBlock && outputBlocks % (t.vectors / perBlock))
    t.vectors = perBlock;
  t.rows = largestDivisor(s.oh, std::max(1, 256 / s.ow));
  t.pixels = largestDivisor(t.rolled ? s.w : s.ow, 2);
  const int64_t weightBytes = int64_t(s.k) * s.c * s.r * s.s * 4;
  t.pixelsInside = weightBytes > 1 << 20;
  if (t.pixelsInside)
    t.images = largestDivisor(s.n, std::max(1, 4096 / (s.oh * s.ow)));
  return t;
}

} // namespace resin::codegen
