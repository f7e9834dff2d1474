//===- ConvDefaults.cpp - Which knobs a convolution gets untuned ----------===//
//
// A small model of the core picks the register tile: two FMAs and two loads a
// cycle, four cycles from an FMA to the next on the same accumulator.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvDirect.h"
#include "codegen/schedules/ConvWeight.h"
#include "codegen/schedules/ConvWinograd.h"
#include "support/ConvCost.h"

#include <algorithm>

namespace resin::codegen {

std::vector<int> numbersOf(const DirectKnobs &k) {
  return {k.pixels, k.rows, k.images, k.vectors, k.channels, k.tapsInside, k.blocks, static_cast<int>(k.order)};
}

DirectKnobs directKnobs(const std::vector<int> &k) {
  assert(k.size() == 8 && "the template has eight knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5] != 0, k[6], static_cast<DirectOrder>(k[7])};
}

static int largestDivisor(int value, int limit) {
  for (int d = std::min(value, limit); d > 1; --d)
    if (value % d == 0)
      return d;
  return 1;
}

static int roundUp(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

double rateTile(const DirectKnobs &t, const Machine &machine) {
  const int pixels = t.pixels * t.rows * t.images, accumulators = pixels * t.vectors;
  if (accumulators + t.vectors + 2 > machine.registers)
    return 0;
  // Weights come from L2, 32 bytes a cycle, of which most hides behind the FMAs.
  const double fmas = accumulators / 2.0, stream = 0.15 * t.vectors * machine.vectorFloats * 4 / 32;
  return fmas / (std::max({fmas, (t.vectors + pixels) / 2.0, 4.0}) + stream);
}

DirectKnobs defaultDirectKnobs(const ConvKernel &conv, const GatherAxis &axisX, const GatherAxis &axisY) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.direction == ConvDirection::Forward,
             planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int classesX = axisX.classes.size(), classesY = axisY.classes.size();
  const int width = ((forward ? s.ow : s.w) + classesX - 1) / classesX,
            height = ((forward ? s.oh : s.h) + classesY - 1) / classesY;
  // Of one group.
  const int sourceChannels = (forward ? s.c : s.k) / s.groups,
            resultBlocks = ((forward ? s.k : s.c) / s.groups + 15) / 16;
  const int perBlock = kChannelBlock / conv.machine.vectorFloats, sourcePixels = forward ? s.h * s.w : s.oh * s.ow;
  DirectKnobs best{1, 1, 1, 1, 1, false, 0, DirectOrder::Images};
  // A 1x1 convolution does little with each value. With 256 source channels and more its tiles lie in one row, whose
  // pixels of a block of channels stand together: 1024 channels at 14x14 by 2x2 pixels 25 -> 85 % of peak from
  // memory, with the chunks below.
  const bool pointwise = s.r * s.s == 1 && classesX * classesY == 1, deep = pointwise && sourceChannels >= 256;
  // One image does not pay for a panel of weights that streams from beyond L2: at least each line of it is used whole
  // (512 channels at 14x14, stride 2: 49 -> 61 % of peak from memory).
  const bool streams = s.n == 1 && int64_t(sourceChannels) * s.r * s.s * kChannelBlock * 4 > 128 << 10;
  double bestRate = 0;
  for (int vectors : {2, 1, 4})
    for (int images = 1; images <= (deep ? 1 : std::min(s.n, 4)); images *= 2)
      for (int rows = 1; rows <= (deep ? 1 : std::min(height, 4)); ++rows)
        for (int pixels = 1; pixels <= std::min(width, 14); ++pixels) {
          if ((vectors > perBlock && resultBlocks % (vectors / perBlock)) || s.n % images ||
              ((deep || streams) && vectors != perBlock))
            continue;
          if ((classesX > 1 && width % pixels) || (classesY > 1 && height % rows))
            continue;
          const DirectKnobs t{pixels, rows, images, vectors, 1, false, 0, DirectOrder::Images};
          const double used = double(width) / roundUp(width, pixels) * height / roundUp(height, rows);
          const double rate = used * rateTile(t, conv.machine);
          if (rate > bestRate + 1e-3)
            best = t, bestRate = rate;
        }
  // About 32 FMAs to a turn of the loop; a body of some hundreds leaves the micro-op cache.
  const int body = best.pixels * best.rows * best.images * best.vectors;
  const int copies = classesX * classesY > 1 ? s.r * s.s : 1;
  for (int channels : {1, 2, 4})
    if (!planar && body * channels <= 64 && body * channels * copies <= 300)
      best.channels = channels;
  // A panel of weights that would stream from L2 for every tile is cut into chunks that stay in L1: 512 channels at 7x7
  // 68 -> 87 % of peak, 256 at 14x14 84 -> 88 %.
  const int panelWidth = best.vectors * conv.machine.vectorFloats * 4, sourceBlocks = (sourceChannels + 15) / 16;
  const int blockBytes = kChannelBlock * s.r * s.s * panelWidth;
  if (!planar && s.r * s.s > 1 && blockBytes * sourceBlocks > 128 << 10)
    best.blocks = largestDivisor(sourceBlocks, std::max(1, (streams ? 10 << 10 : 20 << 10) / blockBytes));
  // Where the weights exceed a small L2 they should not stream once per image.
  if (best.blocks ||
      (s.n > best.images && int64_t(sourceChannels) * resultBlocks * s.groups * 16 * s.r * s.s * 4 > 1 << 19))
    best.order = DirectOrder::Panels;
  if (s.r * s.s == 1)
    best.order =
        int64_t(sourceChannels) * s.groups * sourcePixels * 4 > 1 << 18 ? DirectOrder::Rows : DirectOrder::Images;
  // Chunks of 128 channels, whose filter stays in L1 while the pixels stream: of what comes from memory 30-60 % more a
  // second (forward 256 channels at 56x56 to 64 50 -> 81 %, data gradient 37 -> 64 %).
  // Strided pixels are copied first.
  const int64_t copied = axisX.step * axisY.step > 1 ? int64_t(s.n) * s.c * s.oh * s.ow * 4 : 0;
  if (deep && sourceChannels % kChannelBlock == 0 && copied <= kLargestScratch / 2) {
    best.blocks = largestDivisor(sourceBlocks, 8);
    best.order = DirectOrder::Panels;
  }
  return best;
}

std::vector<int> numbersOf(const WeightKnobs &k) {
  return {k.vectors, k.channels, k.tapsX, k.tapsY, k.rows, k.images, k.pixels, k.rolled, k.pixelsInside};
}

WeightKnobs weightKnobs(const std::vector<int> &k) {
  assert(k.size() == 9 && "the template has nine knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7] != 0, k[8] != 0};
}

WeightKnobs defaultWeightKnobs(const ConvKernel &conv, bool canRoll) {
  const ConvShape &s = conv.shape;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int outputBlocks = (s.k / s.groups + 15) / 16; // of one group
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
  // A block of rows of one channel block of X stays in L1: 28 KB of it. Twice as much cost a fifth (128 channels at
  // 28x28, stride 2).
  const int rowBytes = s.strideY * (s.w + 2) * (planar ? 4 * s.c : 64);
  t.rows = largestDivisor(s.oh, std::max(1, (28 << 10) / rowBytes));
  t.pixels = largestDivisor(t.rolled ? s.w : s.ow, t.rolled && s.w == 7 ? 7 : 2);
  const int64_t weightBytes = int64_t(s.k) * s.c / s.groups * s.r * s.s * 4;
  t.pixelsInside = weightBytes > 3 << 19;
  if (t.pixelsInside)
    t.images = largestDivisor(s.n, std::max(1, 4096 / (s.oh * s.ow)));
  return t;
}

std::vector<int> numbersOf(const WinogradKnobs &k) {
  return {k.tile, k.rows, k.images, k.tiles, k.blocks, k.channels, k.chunk};
}

WinogradKnobs winogradKnobs(const std::vector<int> &k) {
  assert(k.size() == 7 && "the template has seven knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6]};
}

int64_t scratchOf(const WinogradKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, t.tile);
  const int64_t group = grid.across() * t.rows * t.images,
                groups = (grid.down() + t.rows - 1) / t.rows * ((s.n + t.images - 1) / t.images),
                tiles = (group + t.tiles - 1) / t.tiles * t.tiles * groups,
                source = (conv.direction == ConvDirection::Forward ? s.c : s.k) + 15;
  const bool atPoints = conv.pointsTile();
  const int64_t resultBlocks = atPoints ? (s.k + 15) / 16 : t.blocks;
  return winograd::pointsOf(t.tile) * 4 * (source * tiles + 16 * resultBlocks * ((atPoints ? 0 : source) + tiles));
}

WinogradKnobs winogradKnobsOf(const ConvKernel &conv, int tile) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, tile);
  const int sourceBlocks = ((conv.direction == ConvDirection::Forward ? s.c : s.k) + 15) / 16;
  WinogradKnobs t{tile, 1, 1, 4, 1, 4, 0};
  // Groups as large as 200 tiles of 36 points, better the whole piece: then a row of points of the filter is used up
  // before the next is made.
  const int most = 200 * 36 / winograd::pointsOf(tile);
  t.rows = largestDivisor(grid.down(), std::max(1, most / grid.across()));
  if (t.rows == grid.down())
    t.images = largestDivisor(s.n, std::max(1, most / grid.perImage()));
  const int group = grid.across() * t.rows * t.images;
  // A filter that comes at its points is read in the order in which it stands: all channels of a point.
  if (conv.pointsTile())
    t.chunk = 0;
  else if (t.rows == grid.down() && t.images == s.n)
    t.chunk = sourceBlocks;
  // Large filters: a chunk and its points stay in L1 from one row of points to the next, and the sums, which each chunk
  // reads and writes, are few. 512 channels at 7x7 x 8 images 154 -> 201 % of peak, x 1 82 -> 105 %; 256 at 14x14 200
  // -> 223 %; 128 at 28x28 rather less.
  if (t.chunk && sourceBlocks > 8)
    t.chunk = largestDivisor(sourceBlocks, std::max(1, group / 16));
  // 4 or 5 tiles x 2 vectors with 16 registers of AVX2, 8 to 13 x 2 blocks with 32 of AVX-512, 2 or 3 x 4 vectors of
  // SSE: whichever leaves least over.
  const int perBlock = kChannelBlock / conv.machine.vectorFloats,
            resultBlocks = ((conv.direction == ConvDirection::Forward ? s.k : s.c) + 15) / 16;
  if (perBlock == 1 && resultBlocks % 2 == 0)
    t.blocks = 2;
  const int largest = (conv.machine.registers - 5) / (perBlock * t.blocks), least = std::max(2, (largest * 3 + 3) / 4);
  t.tiles = least;
  for (int tiles = least; tiles <= largest; ++tiles)
    if (roundUp(group, tiles) < roundUp(group, t.tiles))
      t.tiles = tiles;
  return t;
}

/// What a convolution takes for each pair of channels (support/ConvCost.h).
static double directCost(const ConvShape &s) { return kPlainSumCost * 9 * s.n * s.oh * s.ow; }

static double costOf(const WinogradKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.direction == ConvDirection::Forward;
  const winograd::Grid grid = winograd::gridOf(s, t.tile);
  const int group = grid.across() * t.rows * t.images, points = winograd::pointsOf(t.tile);
  const double products = double(points) * roundUp(group, t.tiles) * grid.all() / group;
  const double source = forward ? s.c : s.k, result = forward ? s.k : s.c, values = double(points) * grid.all();
  const WinogradCost cost = winogradCost(t.tile);
  return cost.arithmetic(products, values, source, result) + cost.filter;
}

static double costOf(const WinogradWeightKnobs &t, const ConvShape &s) {
  const double values = double(winograd::pointsOf(t.tile)) * winograd::gridOf(s, t.tile).all();
  const double sources = values / s.k + values / s.c;
  return t.tile == 4 ? 1.35 * values + 3 * sources + 600 : 1.25 * values + 3 * sources + 130;
}

WinogradKnobs defaultWinogradKnobs(const ConvKernel &conv) {
  if (!conv.knobs.empty())
    return conv.knobs.size() == 7 ? winogradKnobs(conv.knobs) : WinogradKnobs{};
  if (conv.pointsTile())
    return std::find(conv.tiles.begin(), conv.tiles.end(), conv.pointsTile()) == conv.tiles.end()
               ? WinogradKnobs{}
               : winogradKnobsOf(conv, conv.pointsTile());
  WinogradKnobs best{};
  double least = directCost(conv.shape);
  for (int tile : conv.tiles) {
    const WinogradKnobs t = winogradKnobsOf(conv, tile);
    if (const double cost = costOf(t, conv); cost < least && scratchOf(t, conv) <= kLargestScratch)
      best = t, least = cost;
  }
  return best;
}

std::vector<int> numbersOf(const WinogradWeightKnobs &k) { return {k.tile, k.rows, k.images, k.channels, k.tiles}; }

WinogradWeightKnobs winogradWeightKnobs(const std::vector<int> &k) {
  assert(k.size() == 5 && "the template has five knobs");
  return {k[0], k[1], k[2], k[3], k[4]};
}

int64_t scratchOf(const WinogradWeightKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const int64_t channels = (s.c + 15) / 16 * 16 + (s.k + 15) / 16 * 16;
  return winograd::pointsOf(t.tile) * 4 *
         (channels * winograd::gridOf(s, t.tile).across() * t.rows * t.images + int64_t(s.c + 15) * (s.k + 15));
}

bool suitsWeightTile(const ConvKernel &conv, int tile) {
  return !winograd::gridOf(conv.shape, tile).isRagged() || conv.operandSpec(1).halo >= 1;
}

WinogradWeightKnobs winogradWeightKnobsOf(const ConvKernel &conv, int tile) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, tile);
  const int points = winograd::pointsOf(tile);
  const int64_t channels = (s.c + 15) / 16 * 16 + (s.k + 15) / 16 * 16, tileBytes = points * 4 * channels;
  WinogradWeightKnobs t{tile, 1, 1, 4, 1};
  // The sums in memory are read and written once for each group, tiles at their points live in cache: half a megabyte
  // of them, or twice what the sums take.
  const int64_t sumBytes = points * 4 * int64_t(s.c + 15) * (s.k + 15);
  const int limit =
      std::max<int64_t>(1, std::min(std::max<int64_t>(1 << 19, 2 * sumBytes), kLargestScratch - sumBytes) / tileBytes);
  t.rows = largestDivisor(grid.down(), std::max(1, limit / grid.across()));
  if (t.rows == grid.down())
    t.images = largestDivisor(s.n, std::max(1, limit / grid.perImage()));
  const int group = grid.across() * t.rows * t.images;
  t.tiles = largestDivisor(group, 4);
  if (conv.machine.vectorFloats == 16)
    t.channels = 16;
  if (conv.machine.vectorFloats == 4)
    t.channels = 2;
  return t;
}

WinogradWeightKnobs defaultWinogradWeightKnobs(const ConvKernel &conv) {
  if (!conv.knobs.empty())
    return conv.knobs.size() == 5 ? winogradWeightKnobs(conv.knobs) : WinogradWeightKnobs{};
  WinogradWeightKnobs best{};
  double least = directCost(conv.shape);
  for (int tile : conv.tiles) {
    if (!suitsWeightTile(conv, tile))
      continue;
    const WinogradWeightKnobs t = winogradWeightKnobsOf(conv, tile);
    if (const double cost = costOf(t, conv.shape); cost < least && scratchOf(t, conv) <= kLargestScratch)
      best = t, least = cost;
  }
  return best;
}

} // namespace resin::codegen
