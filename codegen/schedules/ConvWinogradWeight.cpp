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
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvTile.h"
#include "codegen/schedules/ConvWinograd.h"

using namespace Halide;

namespace resin::codegen {

namespace {

using winograd::Values;

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
  const int group = grid.across() * knobs.rows * knobs.images, vector = conv.machine.vectorFloats;

  winograd::Points V, Q;
  Func partial{"partial"}, W{"W"}, Z{"Z"}, result{"result0"};
  RDom tile, groups;
  Var ki{"ki"}, ci{"ci"}, s{"s"}, r{"r"}, cb{"cb"}, kb{"kb"}, l{"l"}, i{"i"}, j{"j"}, g{"g"};
  Var kv{"kv"}, kii{"kii"}, cio{"cio"}, cii{"cii"};

  void defineSums() {
    tile = RDom(0, group, "tile");
    groups = RDom(0, grid.all() / group, "groups");
    partial(ki, ci, cb, i, j, kb, g) = 0.f;
    partial(ki, ci, cb, i, j, kb, g) +=
        Q.points(ki, g * group + tile, i, j, kb) * V.points(ci, g * group + tile, i, j, cb);
    W(ki, ci, cb, i, j, kb) = undef<float>();
    W(ki, ci, cb, i, j, kb) = select(groups == 0, 0.f, W(ki, ci, cb, i, j, kb)) + partial(ki, ci, cb, i, j, kb, groups);
  }

  void defineResult() {
    Values down, across;
    for (int q = 0; q < form.points(); ++q)
      down.push_back(W(ki, ci, cb, i, q, kb));
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
    result.split(ki, kv, kii, vector).reorder(kii, s, r, kv, ci, cb, kb).vectorize(kii).unroll(s).unroll(r);
    Z.compute_at(result, kv).store_in(MemoryType::Register).reorder(ki, r, i).vectorize(ki, vector).unroll(r).unroll(i);
    // The result gathers a pair of channels from all points, whose planes would stand a power of two apart: in the same
    // few sets of L1. With a line between them 185 -> 127 us (64 channels at 8x8 x 8 images).
    W.compute_root().store_in(kStackScratch).align_storage(ci, int(kChannelBlock) + 1);
    Stage sum = W.update();
    sum.split(ki, kv, kii, vector).split(ci, cio, cii, knobs.channels);
    sum.reorder({kii, kv, cii, cio, cb, kb, i, j, groups}).vectorize(kii).unroll(kv).unroll(cii);
    partial.compute_at(W, cio).store_in(MemoryType::Register).vectorize(ki, vector).unroll(ki).unroll(ci);
    RVar outer("outer"), inner("inner");
    partial.update().split(ki, kv, kii, vector).split(tile, outer, inner, knobs.tiles);
    partial.update().reorder({kii, kv, ci, inner, outer}).vectorize(kii).unroll(kv).unroll(ci).unroll(inner);
    for (winograd::Points *points : {&V, &Q}) {
      points->points.compute_at(W, groups);
      winograd::schedule(*points, conv.machine, group);
    }
  }
};

} // namespace

bool buildConvWinogradWeight(ConvKernel &conv, std::vector<Func> &outputs) {
  const ConvShape &s = conv.shape;
  if (conv.direction != ConvDirection::GradWeight || conv.spec.nodes.size() != 1 || conv.spec.results.size() != 1 ||
      s.groups != 1 || s.r != 3 || s.s != 3 || s.strideX != 1 || s.strideY != 1 || s.dilationX != 1 ||
      s.dilationY != 1 || s.top != 1 || s.left != 1 || s.h != s.oh || s.w != s.ow)
    return false;
  const TensorSpec &x = conv.operandSpec(0), &dy = conv.operandSpec(1);
  if (x.layout != LayoutKind::C16 || x.halo < 1 || dy.layout != LayoutKind::C16 ||
      conv.spec.results[0].layout != LayoutKind::K16C16)
    return false;
  const WinogradWeightKnobs knobs = defaultWinogradWeightKnobs(conv);
  if (!knobs.rows)
    return false;
  if (knobs.tile != 4 && knobs.tile != 2)
    throw CompileError("there is no such tile");
  const int across = winograd::gridOf(s, knobs.tile).across(), down = winograd::gridOf(s, knobs.tile).down();
  if (!suitsWeightTile(conv, knobs.tile) || down % knobs.rows || s.n % knobs.images ||
      (knobs.images > 1 && knobs.rows != down) || kChannelBlock % knobs.channels ||
      across * knobs.rows * knobs.images % knobs.tiles)
    throw CompileError("the groups of tiles do not fit the weight gradient");
  if (conv.plan)
    return *conv.plan = numbersOf(knobs), true;
  outputs = {WinogradWeight(conv, knobs).build()};
  return true;
}

} // namespace resin::codegen
