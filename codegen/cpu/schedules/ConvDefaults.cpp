//===- ConvDefaults.cpp - Which knobs a convolution gets untuned ----------===//
//
// The register tile by a model of the core (RegisterTile.h), sizes of groups and chunks
// by those of caches.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ChannelSpans.h"
#include "codegen/cpu/schedules/ConvDirect.h"
#include "codegen/cpu/schedules/ConvWeight.h"
#include "codegen/cpu/schedules/ConvWinograd.h"
#include "codegen/cpu/schedules/RegisterTile.h"
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

static RegisterTile registerTile(const DirectKnobs &t) { return {t.pixels * t.rows * t.images, t.vectors}; }

/// Of one source channel and tap.
static double cyclesOf(const DirectKnobs &t, const Machine &machine) {
  // Weights come from L2, but for chunks of them, 32 bytes a cycle, of which most hides behind the FMAs.
  const double stream = t.blocks ? 0 : 0.15 * t.vectors * machine.vectorFloats * 4 / 32;
  return registerTile(t).cycles() + stream;
}

double rateTile(const DirectKnobs &t, const Machine &machine) {
  const RegisterTile tile = registerTile(t);
  return tile.registers() > machine.registers ? 0 : tile.accumulators() / 2.0 / cyclesOf(t, machine);
}

/// Share of the FMA peak over a row of `width` pixels. Chunks compute of the last tile what is left over, else it is
/// shifted inwards.
static double rateRow(const DirectKnobs &t, int width, const Machine &machine) {
  const double rate = rateTile(t, machine);
  const int rest = width % t.pixels;
  if (!rate || !rest || !t.blocks)
    return rate * width / roundUp(width, t.pixels);
  DirectKnobs last = t;
  last.pixels = rest;
  const double cycles = width / t.pixels * cyclesOf(t, machine) + cyclesOf(last, machine);
  return 0.5 * width * t.rows * t.images * t.vectors / cycles;
}

/// Tensors of the result's size that the epilogue reads.
static int epilogueTensors(const ConvKernel &conv) {
  int count = 0;
  for (size_t i = 0; i < conv.spec.operands.size(); ++i)
    count += conv.spec.operands[i].shape.size() == 4 && static_cast<int>(i) != conv.operandNumber(0) &&
             static_cast<int>(i) != conv.operandNumber(1);
  return count;
}

int64_t chunkScratchOf(const DirectKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.direction == ConvDirection::Forward;
  return int64_t(s.n) * (forward ? int64_t(s.oh) * s.ow : int64_t(s.h) * s.w) * t.vectors * conv.machine.vectorFloats *
         4;
}

DirectKnobs defaultDirectKnobs(const ConvKernel &conv, const GatherAxis &axisX, const GatherAxis &axisY) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.direction == ConvDirection::Forward,
             planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int classesX = axisX.classes.size(), classesY = axisY.classes.size();
  const int width = ((forward ? s.ow : s.w) + classesX - 1) / classesX,
            height = ((forward ? s.oh : s.h) + classesY - 1) / classesY;
  // Of one group, or of a span and its block.
  const bool hasSpans = !fillsBlocks(s);
  const ChannelSpans spans(conv, 4);
  const int sourceChannels = hasSpans ? spans.mostChannels() : (forward ? s.c : s.k) / s.groups,
            resultBlocks = hasSpans ? 1 : ((forward ? s.k : s.c) / s.groups + 15) / 16;
  const int perBlock = kChannelBlock / conv.machine.vectorFloats, sourcePixels = forward ? s.h * s.w : s.oh * s.ow;
  DirectKnobs best{1, 1, 1, 1, 1, false, 0, DirectOrder::Images};
  // A 1x1 convolution does little with each value. With 256 source channels and more its tiles lie in one row, whose
  // pixels of a block of channels stand together: 1024 channels at 14x14 by 2x2 pixels 25 -> 85 % of peak from
  // memory, with the chunks below.
  const bool pointwise = s.r * s.s == 1 && classesX * classesY == 1,
             deep = pointwise && !hasSpans && sourceChannels >= 256;
  // Tensors that ride along are read in longer runs by a tile of one row and few vectors, one panel after the other: 64
  // channels at 56x56 to 256 with four of them 2.26 -> 1.79 ms, 256 at 14x14 to 1024 with three 5.9 -> 5.2 ms.
  const bool isLaden = epilogueTensors(conv) > 1;
  // One image does not pay for a panel of weights that streams from beyond L2: at least each line of it is used whole
  // (512 channels at 14x14, stride 2: 49 -> 61 % of peak from memory).
  const bool streams = s.n == 1 && int64_t(sourceChannels) * s.r * s.s * kChannelBlock * 4 > 128 << 10;
  // A panel of weights that would stream from L2 for every tile is cut into chunks that stay in L1: 512 channels at 7x7
  // 68 -> 87 % of peak, 256 at 14x14 84 -> 88 %, 128 at 28x28, stride 2, 66 -> 78 % beside a busy hardware thread.
  const bool isCut =
      !planar && !hasSpans && s.r * s.s > 1 && int64_t(sourceChannels) * s.r * s.s * kChannelBlock * 4 > 64 << 10;
  const bool isStrided = axisX.step * axisY.step > 1, isRow = deep && (isStrided || canFlatten(conv));
  const int across = isRow ? width * height : width, down = isRow ? 1 : height;
  double bestRate = 0;
  for (int vectors : {2, 1, 4})
    for (int images = 1; images <= (deep ? 1 : std::min(s.n, 4)); images *= 2)
      for (int rows = 1; rows <= (deep || isLaden ? 1 : std::min(height, 4)); ++rows)
        for (int pixels = 1; pixels <= std::min(width, 14); ++pixels) {
          if ((vectors > perBlock && resultBlocks % (vectors / perBlock)) || s.n % images ||
              ((deep || streams || hasSpans) && vectors < perBlock) || (isLaden && vectors > perBlock))
            continue;
          if ((classesX > 1 && width % pixels) || (classesY > 1 && height % rows))
            continue;
          const DirectKnobs t{pixels, rows, images, vectors, 1, false, deep || isCut, DirectOrder::Images};
          const double rate = rateRow(t, across, conv.machine) * down / roundUp(down, rows);
          if (rate > bestRate + 1e-3)
            best = t, bestRate = rate;
        }
  best.blocks = 0;
  // About 32 FMAs to a turn of the loop; a body of some hundreds leaves the micro-op cache.
  const int body = best.pixels * best.rows * best.images * best.vectors;
  const int copies = classesX * classesY > 1 ? s.r * s.s : 1;
  for (int channels : {1, 2, 4})
    if (!planar && body * channels <= 64 && body * channels * copies <= 300)
      best.channels = channels;
  const int panelWidth = best.vectors * conv.machine.vectorFloats * 4, sourceBlocks = (sourceChannels + 15) / 16;
  const int blockBytes = kChannelBlock * s.r * s.s * panelWidth;
  const int64_t copied = isStrided && pointwise ? int64_t(s.n) * s.c * s.oh * s.ow * 4 : 0;
  // Where a panel's sums do not fit the stack the filter streams all the same.
  const bool keepsSums = chunkScratchOf(best, conv) + copied <= kLargestScratch;
  if (isCut && keepsSums)
    best.blocks = largestDivisor(sourceBlocks, std::max(1, (streams ? 10 << 10 : 20 << 10) / blockBytes));
  // Where the weights exceed a small L2 they should not stream once per image.
  const int64_t filterBytes =
      hasSpans ? spans.filterBytes() : int64_t(sourceChannels) * resultBlocks * s.groups * 16 * s.r * s.s * 4;
  if (best.blocks || (s.n > best.images && filterBytes > 1 << 19))
    best.order = DirectOrder::Panels;
  if (s.r * s.s == 1)
    best.order =
        int64_t(forward ? s.c : s.k) * sourcePixels * 4 > 1 << 18 && !isLaden ? DirectOrder::Rows : DirectOrder::Images;
  // Chunks whose filter, 8 KB of it, stays in L1 while the pixels stream: of what comes from memory 30-60 % more a
  // second (forward 256 channels at 56x56 to 64 50 -> 81 %, data gradient 37 -> 64 %).
  // Strided pixels are copied first.
  if (deep && keepsSums && sourceChannels % kChannelBlock == 0 && copied <= kLargestScratch / 2) {
    best.blocks = largestDivisor(sourceBlocks, std::max(1, (8 << 10) / blockBytes));
    best.order = DirectOrder::Panels;
  }
  if (hasSpans && !spans.fitAtOnce())
    best.order = DirectOrder::Panels;
  return best;
}

std::vector<int> numbersOf(const WeightKnobs &k) {
  return {k.vectors, k.channels, k.tapsX, k.tapsY, k.rows, k.images, k.pixels, k.rolled, k.pixelsInside};
}

WeightKnobs weightKnobs(const std::vector<int> &k) {
  assert(k.size() == 9 && "the template has nine knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7] != 0, k[8] != 0};
}

/// Taps that the weight gradient of a planar image unrolls: all of a stem's, not those of a filter as wide as an image.
constexpr int kMostTapsAcross = 31;

WeightKnobs defaultWeightKnobs(const ConvKernel &conv, bool canRoll) {
  const ConvShape &s = conv.shape;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int outputBlocks = fillsBlocks(s) ? (s.k / s.groups + 15) / 16 : 1; // of one group, or of a span
  WeightKnobs t{1, 1, 1, 1, 1, 1, 1, canRoll, false};
  if (planar) {
    t.rolled = false;
    t.tapsX = largestDivisor(s.s, kMostTapsAcross);
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
  // Of few FMAs 32 to a turn of the loop rather than 16: 128 channels at 28x28 to 512, 1x1, 66 -> 70 % of peak.
  const int body = t.vectors * t.channels * t.tapsX * t.tapsY;
  t.pixels = largestDivisor(t.rolled ? s.w : s.ow, t.rolled && s.w == 7 ? 7 : body <= 8 ? 4 : 2);
  const int64_t weightBytes = int64_t(s.k) * s.c / s.groups * s.r * s.s * 4;
  t.pixelsInside = weightBytes > 3 << 19 && fillsBlocks(s);
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

WinogradTile bestWinogradTile(const ConvKernel &conv, int values, int blocks) {
  double bestRate = 0;
  WinogradTile best{1, 1};
  for (int b : {1, 2, 4})
    for (int n = 1; blocks % b == 0 && n <= kMostBroadcasts; ++n) {
      const RegisterTile tile{n, b * int(kChannelBlock) / conv.machine.vectorFloats};
      const double rate = tile.rate(conv.machine.registers) * values / roundUp(values, n);
      if (rate > bestRate + 1e-3)
        best = {n, b}, bestRate = rate;
    }
  return best;
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

std::vector<int> numbersOf(const WinogradWeightKnobs &k) {
  return {k.tile, k.rows, k.channels, k.blocks, k.tiles, k.panel};
}

WinogradWeightKnobs winogradWeightKnobs(const std::vector<int> &k) {
  assert(k.size() == 6 && "the template has six knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5]};
}

/// Of the sums at the points for `blocks` blocks of output channels, and of one tile of `channels`.
static int64_t sumBytesOf(const WinogradWeightKnobs &t, const ConvShape &s, int blocks) {
  return winograd::pointsOf(t.tile) * 4 * kChannelBlock * blocks * (roundUp(roundUp(s.c, 16), t.channels) + 1);
}
static int64_t tileBytesOf(const WinogradWeightKnobs &t, int channels) {
  return winograd::pointsOf(t.tile) * 4 * int64_t(roundUp(channels, 16));
}

int64_t scratchOf(const WinogradWeightKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, t.tile);
  const bool isCut = t.panel < (s.k + 15) / 16;
  const int group = grid.across() * t.rows;
  return tileBytesOf(t, s.c) * (isCut ? grid.all() : group) +
         tileBytesOf(t, isCut ? t.panel * kChannelBlock : s.k) * group + sumBytesOf(t, s, t.panel);
}

bool suitsWeightTile(const ConvKernel &conv, int tile) {
  return !winograd::gridOf(conv.shape, tile).isRagged() || conv.operandSpec(1).halo >= 1;
}

/// Of sums at the points that are kept together where V is whole.
static constexpr int64_t kPanelBytes = 256 << 10;

WinogradWeightKnobs winogradWeightKnobsOf(const ConvKernel &conv, int tile) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, tile);
  const int resultBlocks = (s.k + 15) / 16, allRows = grid.down() * grid.images, vector = conv.machine.vectorFloats;
  WinogradWeightKnobs t{tile, 1, vector == 16 ? 16 : vector == 4 ? 2 : 4, 1, 1, resultBlocks};
  // The sums in memory are read and written once for each group, tiles at their points live in cache: half a megabyte
  // of them, or twice what the sums take.
  const int64_t tileBytes = tileBytesOf(t, s.c) + tileBytesOf(t, s.k), sumBytes = sumBytesOf(t, s, resultBlocks);
  const int64_t limit =
      std::max<int64_t>(1, std::min(std::max<int64_t>(1 << 19, 2 * sumBytes), kLargestScratch - sumBytes) / tileBytes);
  t.rows = largestDivisor(allRows, std::max<int64_t>(1, limit / grid.across()));
  t.tiles = largestDivisor(grid.across() * t.rows, 4);
  // In one group V is kept for all tiles anyway, and the sums of a panel stay in L2: 64 channels at 8x8 x 8 images
  // 182 -> 164, 213 -> 195 and 211 -> 204 us in three runs, with operands and results from memory.
  if (t.rows == allRows && sumBytes > kPanelBytes)
    t.panel = largestDivisor(resultBlocks, std::max<int64_t>(1, kPanelBytes / sumBytesOf(t, s, 1)));
  return t;
}

WinogradWeightKnobs defaultWinogradWeightKnobs(const ConvKernel &conv) {
  if (!conv.knobs.empty())
    return conv.knobs.size() == 6 ? winogradWeightKnobs(conv.knobs) : WinogradWeightKnobs{};
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
