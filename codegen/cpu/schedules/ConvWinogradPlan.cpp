//===- ConvWinogradPlan.cpp - When and how convolutions are Winograd's ----===//

#include "codegen/cpu/Template.h"
#include "codegen/cpu/schedules/ConvTile.h"
#include "codegen/cpu/schedules/ConvWinograd.h"
#include "codegen/cpu/schedules/Winograd.h"
#include "support/ConvCost.h"

#include <algorithm>
#include <limits>

namespace resin::codegen {

namespace {

int sourceChannels(const ConvProblem &conv) { return conv.isForward() ? conv.shape.c : conv.shape.k; }
int resultChannels(const ConvProblem &conv) { return conv.isForward() ? conv.shape.k : conv.shape.c; }
winograd::Grid gridOf(const WinogradKnobs &t, const ConvProblem &conv) { return winograd::gridOf(conv.shape, t.tile); }
/// Tiles of a group.
int groupOf(const WinogradKnobs &t, const ConvProblem &conv) { return gridOf(t, conv).across() * t.rows * t.images; }

/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradKnobs &t, const ConvProblem &conv) {
  const winograd::Grid grid = gridOf(t, conv);
  const int64_t groups = (grid.down() + t.rows - 1) / t.rows * ((conv.shape.n + t.images - 1) / t.images),
                tiles = roundUp(groupOf(t, conv), t.tiles) * groups, source = sourceChannels(conv) + 15;
  const bool atPoints = conv.pointsTile();
  const int64_t resultBlocks = atPoints ? blocksOf(conv.shape.k) : t.blocks;
  return winograd::pointsOf(t.tile) * kSumBytes *
         (source * tiles + 16 * resultBlocks * ((atPoints ? 0 : source) + tiles));
}

//===----------------------------------------------------------------------===//
// What is best untuned
//===----------------------------------------------------------------------===//

/// Groups as large as 200 tiles of 36 points, better the whole piece: then a row of points of the filter is used up
/// before the next is made. That is 0.9 of L2 for a block of channels.
void chooseGroup(WinogradKnobs &t, const ConvProblem &conv) {
  const winograd::Grid grid = gridOf(t, conv);
  const int most = 200 * 36 / winograd::pointsOf(t.tile);
  t.rows = largestDivisor(grid.down(), std::max(1, most / grid.across()));
  if (t.rows == grid.down())
    t.images = largestDivisor(conv.shape.n, std::max(1, most / grid.perImage()));
}

void chooseChunk(WinogradKnobs &t, const ConvProblem &conv) {
  const int sourceBlocks = blocksOf(sourceChannels(conv));
  // A filter that comes at its points is read in the order in which it stands: all channels of a point.
  if (conv.pointsTile())
    t.chunk = 0;
  else if (t.rows == gridOf(t, conv).down() && t.images == conv.shape.n)
    t.chunk = sourceBlocks;
  // Large filters: a chunk and its points stay in L1 from one row of points to the next, and the sums, which each chunk
  // reads and writes, are few. 512 channels at 7x7 x 8 images 154 -> 201 % of peak, x 1 82 -> 105 %; 256 at 14x14 200
  // -> 223 %; 128 at 28x28 rather less.
  if (t.chunk && sourceBlocks > 8)
    t.chunk = largestDivisor(sourceBlocks, std::max(1, groupOf(t, conv) / 16));
}

/// 4 or 5 tiles x 2 vectors with 16 registers of AVX2, 8 to 13 x 2 blocks with 32 of AVX-512, 2 or 3 x 4 vectors of
/// SSE: whichever leaves least over.
void chooseTile(WinogradKnobs &t, const ConvProblem &conv) {
  const int perBlock = conv.vectorsPerBlock(), group = groupOf(t, conv);
  if (perBlock == 1 && blocksOf(resultChannels(conv)) % 2 == 0)
    t.blocks = 2;
  const int largest = (conv.machine.vectorRegisters - 5) / (perBlock * t.blocks),
            least = std::max(2, (largest * 3 + 3) / 4);
  t.tiles = least;
  for (int tiles = least; tiles <= largest; ++tiles)
    if (roundUp(group, tiles) < roundUp(group, t.tiles))
      t.tiles = tiles;
}

WinogradKnobs chooseKnobs(const ConvProblem &conv, int tile) {
  WinogradKnobs t{tile, 1, 1, 4, 1, 4, 0};
  chooseGroup(t, conv);
  chooseChunk(t, conv);
  chooseTile(t, conv);
  return t;
}

//===----------------------------------------------------------------------===//
// The template
//===----------------------------------------------------------------------===//

class WinogradTemplate : public Template {
public:
  explicit WinogradTemplate(int tile)
      : Template(tile == 4 ? "winograd" : "winograd2", {"rows", "images", "tiles", "blocks", "channels", "chunk"},
                 tile) {}

  bool suits(const ConvProblem &conv) const override {
    const ConvShape &s = conv.shape;
    if (conv.direction == ConvDirection::GradWeight || !suitsWinograd(s))
      return false;
    // A band of rows brings the rows above and below with it.
    const bool isWhole = s.top == 1 && s.h == s.oh, isBand = s.top == 0 && s.h == s.oh + 2;
    return (isWhole || (isBand && conv.isForward())) && suitsLayouts(conv) && suitsTiles(conv);
  }

  Numbers untuned(const ConvProblem &conv) const override { return numbersOf(chooseKnobs(conv, tile)); }

  double cost(const ConvProblem &conv, const Numbers &untuned) const override {
    const WinogradKnobs t = knobsOf(untuned);
    if (scratchOf(t, conv) > kLargestScratch)
      return std::numeric_limits<double>::infinity();
    const winograd::Grid grid = gridOf(t, conv);
    const int group = groupOf(t, conv), points = winograd::pointsOf(tile);
    const double products = double(points) * roundUp(group, t.tiles) * grid.all() / group;
    const double source = sourceChannels(conv), result = resultChannels(conv), values = double(points) * grid.all();
    const WinogradCost cost = winogradCost(tile);
    return cost.arithmetic(products, values, source, result) + cost.filter;
  }

  std::vector<Numbers> values(const ConvProblem &conv) const override {
    Numbers chunks = divisorsOf(blocksOf(sourceChannels(conv)));
    chunks.push_back(0); // all channels, as the chunk before it
    return {divisorsOf(winograd::gridOf(conv.shape, tile).down()),
            divisorsOf(conv.shape.n),
            upTo(kMostBroadcasts),
            {1, 2, 4},
            channelsInStep(),
            chunks};
  }

  bool fits(const ConvProblem &conv, const Numbers &numbers) const override {
    const WinogradKnobs t = knobsOf(numbers);
    const int down = gridOf(t, conv).down();
    return divides(t.rows, down) && divides(t.images, conv.shape.n) && (t.images == 1 || t.rows == down) &&
           t.tiles > 0 && divides(t.channels, kChannelBlock) && divides(t.blocks, blocksOf(resultChannels(conv))) &&
           (!t.chunk || divides(t.chunk, blocksOf(sourceChannels(conv))));
  }

  Needs needs(const ConvProblem &conv, const Numbers &numbers) const override {
    const WinogradKnobs t = knobsOf(numbers);
    const RegisterTile registers = registersOf({t.tiles, t.blocks}, conv.machine);
    return {int64_t(registers.accumulators()) * t.channels, registers.registers(), scratchOf(t, conv)};
  }

  std::vector<Numbers> rated(const ConvProblem &conv, const Numbers &numbers) const override {
    WinogradKnobs t = knobsOf(numbers);
    const WinogradTile best = bestWinogradTile(conv, groupOf(t, conv), blocksOf(resultChannels(conv)));
    t.tiles = best.broadcasts, t.blocks = best.blocks;
    return {numbersOf(t)};
  }

  void build(ConvKernel &conv, const Numbers &numbers, std::vector<Halide::Func> &outputs) const override {
    buildConvWinograd(conv, knobsOf(numbers), outputs);
  }

private:
  /// The tile is the template's.
  static Numbers numbersOf(const WinogradKnobs &k) {
    return {k.rows, k.images, k.tiles, k.blocks, k.channels, k.chunk};
  }
  WinogradKnobs knobsOf(const Numbers &k) const {
    assert(k.size() == 6 && "the template has six knobs");
    return {tile, k[0], k[1], k[2], k[3], k[4], k[5]};
  }

  bool suitsLayouts(const ConvProblem &conv) const {
    const LayoutKind filter = conv.pointsTile()  ? LayoutKind::K16
                              : conv.isForward() ? LayoutKind::K16C16
                                                 : LayoutKind::C16K16;
    if (conv.pointsTile() && conv.pointsTile() != tile)
      return false;
    return conv.operandSpec(0).layout == LayoutKind::C16 && conv.operandSpec(0).halo >= 1 &&
           conv.operandSpec(1).layout == filter;
  }
};

} // namespace

WinogradTile bestWinogradTile(const ConvProblem &conv, int values, int blocks) {
  double bestRate = 0;
  WinogradTile best{1, 1};
  for (int b : {1, 2, 4})
    for (int n = 1; blocks % b == 0 && n <= kMostBroadcasts; ++n) {
      const double rate = registersOf({n, b}, conv.machine).rate(conv.machine) * values / roundUp(values, n);
      if (rate > bestRate + 1e-3)
        best = {n, b}, bestRate = rate;
    }
  return best;
}

const Template &winogradTemplate(int tile) {
  static const WinogradTemplate four(4), two(2);
  return tile == 4 ? four : two;
}

} // namespace resin::codegen
