//===- ConvWinogradWeight.cpp - 3x3 weight gradients by Winograd's method -===//
//
// F(3x3, 4x4) and F(3x3, 2x2): tiles of 4x4 or 2x2 pixels of dY take the filter's
// place, with 36 or 16 multiplications for each pair of channels where the direct form
// takes 144 or 36. Stride 1.
//
//   1. V, Q     tiles of X and dY at their points, for a group of tiles
//   2. partial  sums of Q x V over the group's tiles, in registers
//   3. W        sums over the groups, in memory
//   4. result   the 3x3 taps
//
// Sums of all pairs of channels may exceed a cache of L2. Then as many blocks of output
// channels as fit are summed and finished before the next; V is kept for all tiles.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ConvTile.h"
#include "codegen/cpu/schedules/ConvWinograd.h"
#include "codegen/cpu/schedules/Winograd.h"

using namespace Halide;

namespace resin::codegen {

namespace {

using winograd::Values;

int resultBlocksOf(const ConvKernel &conv) { return (conv.shape.k + 15) / 16; }

class WinogradWeight {
public:
  WinogradWeight(ConvKernel &conv, const WinogradWeightKnobs &knobs) : conv(conv), knobs(knobs) {}

  Func build() {
    V = winograd::transform("V", conv.operand(0), grid, form.points(), 1, 1, form.input);
    Q = winograd::transform("Q", conv.operand(1), grid, form.tile, 0, 0, form.gradient);
    defineSums();
    defineResult();
    schedule();
    return result;
  }

private:
  ConvKernel &conv;
  const ConvShape &shape = conv.shape;
  const WinogradWeightKnobs knobs;
  const TensorSpec &resultSpec = conv.spec.results[0];
  const winograd::Form &form = winograd::formOf(knobs.tile);
  const winograd::Grid grid = winograd::gridOf(shape, knobs.tile);
  const int block = kChannelBlock, vector = conv.machine.vectorFloats, group = grid.across() * knobs.rows,
            sourceChannels = (shape.c + block - 1) / block * block,
            rounded = (sourceChannels + knobs.channels - 1) / knobs.channels * knobs.channels;
  const bool isCut = knobs.panel < resultBlocksOf(conv);

  winograd::Points V, Q;
  Func partial{"partial"}, W{"W"}, Z{"Z"}, result{"result0"};
  RDom tile, groups;
  Var ki{"ki"}, c{"c"}, ci{"ci"}, s{"s"}, r{"r"}, cb{"cb"}, kb{"kb"}, l{"l"}, i{"i"}, j{"j"}, g{"g"};
  Var kv{"kv"}, kii{"kii"}, co{"co"}, cii{"cii"}, kbo{"kbo"}, kbi{"kbi"};

  void defineSums() {
    tile = RDom(0, group, "tile");
    groups = RDom(0, grid.all() / group, "groups");
    // Of channels that only fill up the register tile the last one stands in.
    Expr channel = rounded > sourceChannels ? min(c, sourceChannels - 1) : Expr(c);
    partial(ki, c, i, j, kb, g) = 0.f;
    partial(ki, c, i, j, kb, g) +=
        Q.points(ki, g * group + tile, i, j, kb) * V.points(channel % block, g * group + tile, i, j, channel / block);
    W(ki, c, i, j, kb) = undef<float>();
    W(ki, c, i, j, kb) = select(groups == 0, 0.f, W(ki, c, i, j, kb)) + partial(ki, c, i, j, kb, groups);
  }

  /// Zero, and on the way what this panel's result will be stored to, and the pixels of the next group or panel. With
  /// all of them from memory 186 -> 161 us (64 channels, 8x8, 8 images), from cache 132 -> 135 (the fast tenth of
  /// calls).
  Expr fetchNext() const {
    const int size = form.points(), points = size * size, columns = rounded / knobs.channels, perBlock = block / vector,
              groupCount = grid.all() / group, panels = resultBlocksOf(conv) / knobs.panel,
              filterLines = sourceChannels * 9, lineFloats = block;
    Expr point = j * size + i, panel = kb / knobs.panel,
         next = min(panel * groupCount + groups + 1, panels * groupCount - 1), nextGroup = next % groupCount;
    FetchTurn turn{point,
                   kb % knobs.panel / knobs.blocks * columns + c / knobs.channels,
                   kb % knobs.blocks * perBlock + ki / vector,
                   points,
                   knobs.panel / knobs.blocks * columns,
                   knobs.blocks * perBlock};
    Expr fetches = 0.f;
    const bool isWhole = knobs.rows % grid.down() == 0;
    if (panels * groupCount > 1 && (isWhole || grid.down() % knobs.rows == 0)) {
      const int images = std::max(1, knobs.rows / grid.down()), groupsDown = std::max(1, grid.down() / knobs.rows);
      ActivationPart part{nextGroup / groupsDown * images,
                          next / groupCount * knobs.panel,
                          nextGroup % groupsDown * (knobs.rows * form.tile),
                          images,
                          knobs.panel,
                          isWhole ? grid.height : knobs.rows * form.tile};
      std::vector<LinesAhead> pixels = {linesOf(conv.operand(1).name(), conv.operandSpec(1), part)};
      part.block = 0, part.blocks = sourceChannels / block;
      if (!isCut)
        pixels.push_back(linesOf(conv.operand(0).name(), conv.operandSpec(0), part));
      fetches = fetchShare(pixels, turn);
    }
    turn.step = groups * points + point, turn.steps *= groupCount;
    fetches +=
        fetchShare({{result.name(), knobs.panel, filterLines,
                     [=, this](Expr plane) { return (panel * knobs.panel + plane) * (filterLines * lineFloats); }}},
                   turn);
    return select(c % knobs.channels == 0, fetches, 0.f);
  }

  void defineResult() {
    Values down, across;
    for (int q = 0; q < form.points(); ++q)
      down.push_back(W(ki, cb * block + ci, i, q, kb));
    Z(ki, i, r, ci, cb, kb) = mux(r, form.weight(down));
    for (int q = 0; q < form.points(); ++q)
      across.push_back(Z(ki, q, r, ci, cb, kb));
    std::vector<Var> args = {ki, ci, s, r, cb, kb};
    if (resultSpec.shape.size() == 5)
      args.push_back(l);
    result(args) = mux(s, form.weight(across));
    bindResult(result, resultSpec);
  }

  void schedule() {
    result.split(ki, kv, kii, vector).split(kb, kbo, kbi, knobs.panel);
    result.reorder(kii, s, r, kv, ci, cb, kbi, kbo).vectorize(kii).unroll(s).unroll(r);
    Z.compute_at(result, kv).store_in(MemoryType::Register).reorder(ki, r, i).vectorize(ki, vector).unroll(r).unroll(i);
    // The result gathers a pair of channels from all points, whose planes would stand a power of two apart: in the same
    // few sets of L1. With a line between them 185 -> 127 us (64 channels at 8x8 x 8 images).
    W.compute_at(result, kbo)
        .store_in(kStackScratch)
        .reorder_storage(ki, c, kb, i, j)
        .bound_extent(c, rounded)
        .align_storage(c, rounded | 1)
        .bound_extent(kb, knobs.panel);
    Stage sum = W.update();
    sum.split(ki, kv, kii, vector).split(c, co, cii, knobs.channels).split(kb, kbo, kbi, knobs.blocks);
    sum.reorder({kii, kv, kbi, cii, co, kbo, i, j, groups}).vectorize(kii).unroll(kv).unroll(kbi).unroll(cii);
    partial.compute_at(W, co).store_in(MemoryType::Register).vectorize(ki, vector).unroll(ki).unroll(c).unroll(kb);
    RVar outer("outer"), inner("inner");
    partial.update().split(ki, kv, kii, vector).split(tile, outer, inner, knobs.tiles);
    if (registersOf({knobs.channels, knobs.blocks}, conv.machine).holdsBroadcasts())
      partial.update().reorder({kii, c, kv, kb, inner, outer});
    else
      partial.update().reorder({kii, kv, kb, c, inner, outer});
    partial.update().vectorize(kii).unroll(kv).unroll(c).unroll(kb).unroll(inner);
    fetchDuring(W, fetchNext());
    if (isCut)
      V.points.compute_root();
    else
      V.points.compute_at(W, groups);
    Q.points.compute_at(W, groups);
    winograd::keepFlat(V);
    winograd::schedule(V, conv.machine, isCut ? grid.all() : group);
    winograd::schedule(Q, conv.machine, group);
  }
};

} // namespace

void buildConvWinogradWeight(ConvKernel &conv, const WinogradWeightKnobs &knobs, std::vector<Func> &outputs) {
  outputs = {WinogradWeight(conv, knobs).build()};
}

} // namespace resin::codegen
