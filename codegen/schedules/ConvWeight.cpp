//===- ConvWeight.cpp - Weight gradients of blocked convolutions ----------===//
//
//   dW[k, c, r, s] = sum over images and pixels of dY[k, y, x] * X[c, y', x']
//
// A register tile of vectors of output channels x input channels x taps is summed
// over a block of rows (`partial`), then added to the gradient in memory: sums of
// two levels, so that many thousands of values keep their precision.
//
// `rolled` sums over the input's pixels instead: dW[s] += X[p] * dY[p - s + pad].
// X is zero outside its image, so p runs over the image only and dY needs a ring.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvWeight.h"

#include "codegen/schedules/ConvTile.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

namespace {

class WeightConv {
public:
  WeightConv(ConvKernel &conv, const WeightKnobs &knobs) : conv(conv), knobs(knobs) {}

  Func build() {
    definePartial();
    defineSums();
    schedule();
    return small ? takeGroups() : sums;
  }

private:
  ConvKernel &conv;
  const ConvShape &shape = conv.shape;
  WeightKnobs knobs;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const TensorSpec &resultSpec = conv.spec.results[0];
  const bool lane = resultSpec.shape.size() == 5;
  /// Groups that share a block are summed as one, and theirs taken of it.
  const bool small = !fillsBlocks(shape);

  Var ki{"ki"}, ci{"ci"}, s{"s"}, r{"r"}, cb{"cb"}, kb{"kb"}, l{"l"}, u{"u"}, v{"v"};
  Var kii{"kii"}, kv{"kv"}, kvo{"kvo"}, kvi{"kvi"}, kbo{"kbo"}, kbi{"kbi"};
  Var cio{"cio"}, cii{"cii"}, so{"so"}, si{"si"}, ro{"ro"}, ri{"ri"};
  Func partial{"partial"}, sums{"sums"};
  RDom pixel, block;

  /// The filter has the input channels of one group: those of its output channels'.
  Expr input(Expr x, Expr y, Expr n) const {
    const ImageParam &operand = conv.operand(0);
    if (planar)
      return operand(x, y, cb, n);
    const int tileBlocks = std::max(1, knobs.vectors * conv.machine.vectorFloats / int(kChannelBlock));
    Expr group = shape.groups == 1 ? Expr(0) : kb / tileBlocks / (blocksOfGroup(shape.k) / tileBlocks);
    return operand(ci, x, y, group * blocksOfGroup(shape.c) + cb, n);
  }
  int blocksOfGroup(int channels) const { return (channels / shape.groups + kChannelBlock - 1) / kChannelBlock; }

  void definePartial() {
    pixel = RDom(0, knobs.rolled ? shape.w : shape.ow, 0, knobs.rows, 0, knobs.images, "pixel");
    Expr px = pixel.x, py = u * knobs.rows + pixel.y, n = v * knobs.images + pixel.z;
    Expr dyX = knobs.rolled ? px - s * shape.dilationX + shape.left : px;
    Expr xX = knobs.rolled ? px : px * shape.strideX + s * shape.dilationX - shape.left;
    partial(ki, ci, s, r, cb, kb, u, v) = 0.f;
    partial(ki, ci, s, r, cb, kb, u, v) +=
        conv.operand(1)(ki, dyX, py, kb, n) * input(xX, py * shape.strideY + r * shape.dilationY - shape.top, n);
  }

  void defineSums() {
    std::vector<Var> args = planar ? std::vector<Var>{ki, s, r, cb, kb} : std::vector<Var>{ki, ci, s, r, cb, kb};
    if (lane && !small)
      args.push_back(l);
    block = RDom(0, shape.oh / knobs.rows, 0, shape.n / knobs.images, "block");
    // The first block overwrites what is there: zeros to begin with would be one more pass, and a call of memset.
    sums(args) = undef<float>();
    Expr before = select(block.x == 0 && block.y == 0, 0.f, sums(args));
    sums(args) = before + partial(ki, planar ? Expr(0) : ci, s, r, cb, kb, block.x, block.y);
    if (!small)
      bindResult(sums, resultSpec);
  }

  Func takeGroups() {
    Func result("result0");
    const int channels = shape.c / shape.groups;
    std::vector<Var> args = {ki, s, r, ci, kb};
    if (lane)
      args.push_back(l);
    result(args) = sums(ki, ki / channels * channels + ci, s, r, 0, kb);
    bindResult(result, resultSpec);
    sums.compute_root().store_in(kStackScratch).bound(ci, 0, int(kChannelBlock));
    return result;
  }

  void schedule() {
    const int vector = conv.machine.vectorFloats, perBlock = kChannelBlock / vector;
    Stage update = sums.update();
    update.split(ki, kv, kii, vector).split(kv, kvo, kvi, std::min(knobs.vectors, perBlock));
    update.split(kb, kbo, kbi, std::max(1, knobs.vectors / perBlock));
    update.split(s, so, si, knobs.tapsX).split(r, ro, ri, knobs.tapsY);
    std::vector<VarOrRVar> order = {kii, kvi, kbi};
    if (!planar) {
      update.split(ci, cio, cii, knobs.channels);
      order.push_back(cii);
    }
    order.insert(order.end(), {si, ri});
    if (knobs.pixelsInside)
      order.insert(order.end(), {block.x, block.y});
    if (!planar)
      order.push_back(cio);
    order.insert(order.end(), {so, ro, kvo, kbo, cb});
    if (!knobs.pixelsInside)
      order.insert(order.end(), {block.x, block.y});
    if (lane && !small)
      order.push_back(l);
    update.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi).unroll(si).unroll(ri);
    if (!planar)
      update.unroll(cii);
    schedulePartial(knobs.pixelsInside ? LoopLevel(sums, block.x)
                    : planar           ? LoopLevel(sums, so)
                                       : LoopLevel(sums, cio));
  }

  void schedulePartial(LoopLevel at) {
    const int vector = conv.machine.vectorFloats;
    partial.compute_at(at).store_in(MemoryType::Register);
    partial.vectorize(ki, vector).unroll(ki).unroll(ci).unroll(s).unroll(r).unroll(kb);
    Stage update = partial.update();
    RVar x = pixel.x, xo("xo"), xi("xi");
    update.split(ki, kv, kii, vector).split(x, xo, xi, knobs.pixels);
    // One broadcast of X feeds what stands inside it: vectors, and when rolled the taps.
    if (knobs.rolled)
      update.reorder({kii, kv, kb, s, ci, r, xi, xo, pixel.y, pixel.z});
    else
      update.reorder({kii, kv, kb, ci, s, r, xi, xo, pixel.y, pixel.z});
    update.vectorize(kii).unroll(kv).unroll(kb).unroll(ci).unroll(s).unroll(r).unroll(xi);
  }
};

bool covers(const TensorSpec &tensor, int low, int high, int extent) {
  return low >= -tensor.halo && high < extent + tensor.halo;
}

/// Whether the gradient and its pixels can be cut into such blocks.
bool fits(const WeightKnobs &t, const ConvKernel &conv) {
  const ConvShape &s = conv.shape;
  const int perBlock = kChannelBlock / conv.machine.vectorFloats,
            blocks = (s.k / s.groups + kChannelBlock - 1) / kChannelBlock;
  auto divides = [](int part, int whole) { return part > 0 && whole % part == 0; };
  const bool vectors = t.vectors > perBlock ? divides(perBlock, t.vectors) && divides(t.vectors / perBlock, blocks)
                                            : divides(t.vectors, perBlock);
  return vectors && divides(t.channels, kChannelBlock) && divides(t.tapsX, s.s) && divides(t.tapsY, s.r) &&
         divides(t.rows, s.oh) && divides(t.images, s.n) && divides(t.pixels, t.rolled ? s.w : s.ow);
}

} // namespace

bool buildConvWeight(ConvKernel &conv, std::vector<Func> &outputs) {
  const ConvShape &s = conv.shape;
  if (conv.direction != ConvDirection::GradWeight || conv.spec.nodes.size() != 1 || conv.spec.results.size() != 1)
    return false;
  const TensorSpec &x = conv.operandSpec(0), &dy = conv.operandSpec(1), &dw = conv.spec.results[0];
  const LayoutKind filter = fillsBlocks(s) ? LayoutKind::K16C16 : LayoutKind::K16;
  const bool blocked = x.layout == LayoutKind::C16 && dw.layout == filter && (fillsBlocks(s) || sharesBlocks(s));
  const bool planar = x.layout == LayoutKind::Dense && dw.layout == LayoutKind::K16 && s.groups == 1;
  if (dy.layout != LayoutKind::C16 || (!blocked && !planar))
    return false;
  const int lastX = (s.ow - 1) * s.strideX + (s.s - 1) * s.dilationX - s.left,
            lastY = (s.oh - 1) * s.strideY + (s.r - 1) * s.dilationY - s.top;
  const bool plain = covers(x, -s.left, lastX, s.w), rows = covers(x, -s.top, lastY, s.h);
  const bool rolls = s.strideX == 1 && s.s > 1 && covers(dy, s.left - (s.s - 1) * s.dilationX, s.w - 1 + s.left, s.ow);
  if (!rows || (!plain && !rolls))
    return false;
  WeightKnobs knobs = conv.knobs.empty() ? defaultWeightKnobs(conv, rolls) : weightKnobs(conv.knobs);
  if (knobs.rolled ? !rolls : !plain)
    return false;
  if (!fits(knobs, conv))
    throw CompileError("the tile does not fit the weight gradient");
  if (conv.plan)
    return *conv.plan = numbersOf(knobs), true;
  outputs = {WeightConv(conv, knobs).build()};
  return true;
}

} // namespace resin::codegen
