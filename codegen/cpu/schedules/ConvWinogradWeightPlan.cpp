//===- ConvWinogradWeightPlan.cpp - When weight gradients are Winograd's --===//

#include "codegen/cpu/Template.h"
#include "codegen/cpu/schedules/ConvWinograd.h"
#include "codegen/cpu/schedules/Winograd.h"

#include <algorithm>
#include <limits>

namespace resin::codegen {

namespace {

/// Of the sums at the points for `blocks` blocks of output channels, and of one tile of `channels`.
int64_t sumBytesOf(const WinogradWeightKnobs &t, const ConvShape &s, int blocks) {
  return winograd::pointsOf(t.tile) * kSumBytes * kChannelBlock * blocks * (roundUp(roundUp(s.c, 16), t.channels) + 1);
}
int64_t tileBytesOf(const WinogradWeightKnobs &t, int channels) {
  return winograd::pointsOf(t.tile) * kSumBytes * int64_t(roundUp(channels, 16));
}

/// Bytes on the stack of a worker.
int64_t scratchOf(const WinogradWeightKnobs &t, const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const winograd::Grid grid = winograd::gridOf(s, t.tile);
  const bool isCut = t.panel < blocksOf(s.k);
  const int group = grid.across() * t.rows;
  return tileBytesOf(t, s.c) * (isCut ? grid.all() : group) +
         tileBytesOf(t, isCut ? t.panel * kChannelBlock : s.k) * group + sumBytesOf(t, s, t.panel);
}

WinogradWeightKnobs chooseKnobs(const ConvProblem &conv, int tile) {
  const ConvShape &s = conv.shape;
  const Machine &machine = conv.machine;
  const winograd::Grid grid = winograd::gridOf(s, tile);
  const int resultBlocks = blocksOf(s.k), allRows = grid.down() * grid.images, vector = machine.vectorFloats;
  WinogradWeightKnobs t{tile, 1, vector == 16 ? 16 : vector == 4 ? 2 : 4, 1, 1, resultBlocks};
  // The sums in memory are read and written once for each group, tiles at their points live in cache: an L2 of them, or
  // twice what the sums take.
  const int64_t tileBytes = tileBytesOf(t, s.c) + tileBytesOf(t, s.k), sumBytes = sumBytesOf(t, s, resultBlocks);
  const int64_t limit = std::max<int64_t>(
      1, std::min(std::max<int64_t>(machine.l2Bytes, 2 * sumBytes), kLargestScratch - sumBytes) / tileBytes);
  t.rows = largestDivisor(allRows, std::max<int64_t>(1, limit / grid.across()));
  t.tiles = largestDivisor(grid.across() * t.rows, 4);
  // In one group V is kept for all tiles anyway, and the sums of a panel stay in half of L2: 64 channels at 8x8 x 8
  // images 182 -> 164, 213 -> 195 and 211 -> 204 us in three runs, with operands and results from memory.
  const int64_t panelBytes = machine.l2Bytes / 2;
  if (t.rows == allRows && sumBytes > panelBytes)
    t.panel = largestDivisor(resultBlocks, std::max<int64_t>(1, panelBytes / sumBytesOf(t, s, 1)));
  return t;
}

class WinogradWeightTemplate : public Template {
public:
  explicit WinogradWeightTemplate(int tile)
      : Template(tile == 4 ? "winograd-weight" : "winograd2-weight", {"rows", "channels", "blocks", "tiles", "panel"},
                 tile) {}

  bool suits(const ConvProblem &conv) const override {
    const ConvShape &s = conv.shape;
    if (conv.direction != ConvDirection::GradWeight || conv.spec.nodes.size() != 1 || conv.spec.results.size() != 1 ||
        !suitsWinograd(s) || s.top != 1 || s.h != s.oh)
      return false;
    const TensorSpec &x = conv.operandSpec(0), &dy = conv.operandSpec(1);
    // Where the last tiles reach beyond the map, they read dY's ring.
    return x.layout == LayoutKind::C16 && x.halo >= 1 && dy.layout == LayoutKind::C16 &&
           conv.spec.results[0].layout == LayoutKind::K16C16 && (!winograd::gridOf(s, tile).isRagged() || dy.halo >= 1);
  }

  Numbers untuned(const ConvProblem &conv) const override { return numbersOf(chooseKnobs(conv, tile)); }

  double cost(const ConvProblem &conv, const Numbers &untuned) const override {
    const ConvShape &s = conv.shape;
    if (scratchOf(knobsOf(untuned), conv) > kLargestScratch)
      return std::numeric_limits<double>::infinity();
    const double values = double(winograd::pointsOf(tile)) * winograd::gridOf(s, tile).all();
    const double sources = values / s.k + values / s.c;
    return tile == 4 ? 1.35 * values + 3 * sources + 600 : 1.25 * values + 3 * sources + 130;
  }

  std::vector<Numbers> values(const ConvProblem &conv) const override {
    const winograd::Grid grid = winograd::gridOf(conv.shape, tile);
    return {divisorsOf(grid.down() * grid.images),
            upTo(kChannelBlock),
            {1, 2, 4},
            upTo(8),
            divisorsOf(blocksOf(conv.shape.k))};
  }

  bool fits(const ConvProblem &conv, const Numbers &numbers) const override {
    const WinogradWeightKnobs t = knobsOf(numbers);
    const winograd::Grid grid = winograd::gridOf(conv.shape, tile);
    return divides(t.rows, grid.down() * grid.images) && divides(t.tiles, grid.across() * t.rows) && t.channels > 0 &&
           divides(t.panel, blocksOf(conv.shape.k)) && divides(t.blocks, t.panel);
  }

  Needs needs(const ConvProblem &conv, const Numbers &numbers) const override {
    const WinogradWeightKnobs t = knobsOf(numbers);
    const RegisterTile registers = registersOf({t.channels, t.blocks}, conv.machine);
    return {int64_t(registers.accumulators()) * t.tiles, registers.registers(), scratchOf(t, conv)};
  }

  std::vector<Numbers> rated(const ConvProblem &conv, const Numbers &numbers) const override {
    WinogradWeightKnobs t = knobsOf(numbers);
    const ConvShape &s = conv.shape;
    const WinogradTile best = bestWinogradTile(conv, blocksOf(s.c) * kChannelBlock, blocksOf(s.k));
    t.channels = best.broadcasts, t.blocks = best.blocks;
    if (t.panel % t.blocks)
      t.panel *= t.blocks;
    return {numbersOf(t)};
  }

  void build(ConvKernel &conv, const Numbers &numbers, std::vector<Halide::Func> &outputs) const override {
    buildConvWinogradWeight(conv, knobsOf(numbers), outputs);
  }

private:
  /// The tile is the template's.
  static Numbers numbersOf(const WinogradWeightKnobs &k) { return {k.rows, k.channels, k.blocks, k.tiles, k.panel}; }
  WinogradWeightKnobs knobsOf(const Numbers &k) const {
    assert(k.size() == 5 && "the template has five knobs");
    return {tile, k[0], k[1], k[2], k[3], k[4]};
  }
};

} // namespace

const Template &winogradWeightTemplate(int tile) {
  static const WinogradWeightTemplate four(4), two(2);
  return tile == 4 ? four : two;
}

} // namespace resin::codegen
