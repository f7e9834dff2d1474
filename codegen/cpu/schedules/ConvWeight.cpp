//===- ConvWeight.cpp - Weight gradients of blocked convolutions ----------===//
//
//   dW[k, c, r, s] = sum over images and pixels of dY[k, y, x] * X[c, y', x']
//
// A register tile of vectors of output channels x input channels x taps is summed
// over a block of rows (`partial`), then added to the gradient in memory: sums of
// two levels, so that many thousands of values keep their precision.
//
// Groups that fill no whole blocks are summed over the span of each block of output
// channels (ChannelSpans.h), and what is theirs is taken of it.
//
// `rolled` sums over the input's pixels instead: dW[s] += X[p] * dY[p - s + pad].
// X is zero outside its image, so p runs over the image only and dY needs a ring.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ConvWeight.h"

#include "codegen/cpu/schedules/ChannelSpans.h"
#include "codegen/cpu/schedules/ConvTile.h"

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
    return hasSpans ? takeGroups() : sums;
  }

private:
  ConvKernel &conv;
  const ConvShape &shape = conv.shape;
  WeightKnobs knobs;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const TensorSpec &resultSpec = conv.spec.results[0];
  const bool lane = resultSpec.shape.size() == 5;
  const bool hasSpans = !fillsBlocks(shape);
  const ChannelSpans spans{conv, knobs.channels}; ///< `ci` counts in the span of `kb`

  Var ki{"ki"}, ci{"ci"}, s{"s"}, r{"r"}, cb{"cb"}, kb{"kb"}, l{"l"}, u{"u"}, v{"v"};
  Var kii{"kii"}, kv{"kv"}, kvo{"kvo"}, kvi{"kvi"}, kbo{"kbo"}, kbi{"kbi"};
  Var cio{"cio"}, cii{"cii"}, so{"so"}, si{"si"}, ro{"ro"}, ri{"ri"};
  Func partial{"partial"}, sums{"sums"};
  RDom pixel, block;
  RVar blockRows, blockImages;
  /// Loops over input channels: of `ci`, or of the span.
  VarOrRVar channelInside = cii, channelOutside = cio;

  /// The filter has the input channels of one group: those of its output channels'.
  Expr input(Expr x, Expr y, Expr n) const {
    const ImageParam &operand = conv.operand(0);
    if (hasSpans)
      return spans.source(operand, kb, ci, x, y, n);
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
    const Range rows(0, shape.oh / knobs.rows), images(0, shape.n / knobs.images);
    if (hasSpans)
      return defineSpanSums(rows, images);
    std::vector<Var> args = planar ? std::vector<Var>{ki, s, r, cb, kb} : std::vector<Var>{ki, ci, s, r, cb, kb};
    if (lane)
      args.push_back(l);
    block = RDom({rows, images}, "block");
    blockRows = block[0], blockImages = block[1];
    addBlocks(args, {args.begin(), args.end()}, planar ? Expr(0) : ci);
    bindResult(sums, resultSpec);
  }

  void defineSpanSums(const Range &rows, const Range &images) {
    block = RDom({Range(0, spans.step), Range(0, spans.mostSteps()), rows, images}, "block");
    channelInside = block[0], channelOutside = block[1], blockRows = block[2], blockImages = block[3];
    if (spans.vary())
      block.where(block[1] < spans.steps(kb));
    Expr channel = block[1] * spans.step + block[0];
    addBlocks({ki, ci, s, r, cb, kb}, {ki, channel, s, r, cb, kb}, channel);
  }

  /// The first block overwrites what is there: zeros to begin with would be one more pass, and a call of memset.
  void addBlocks(const std::vector<Var> &args, const std::vector<Expr> &at, Expr channel) {
    sums(args) = undef<float>();
    Expr before = select(blockRows == 0 && blockImages == 0, 0.f, sums(at));
    sums(at) = before + partial(ki, channel, s, r, cb, kb, blockRows, blockImages);
  }

  /// The filter's layout has the channels of a group one after the other for all output channels of a block.
  Func takeGroups() {
    Func result("result0");
    std::vector<Var> args = {ki, s, r, ci, kb};
    if (lane)
      args.push_back(l);
    Expr sum = sums(ki, spans.placeInSpan(ki, ci, kb), s, r, 0, kb);
    result(args) =
        shape.k % kChannelBlock ? select(spans.isReal(ki, kb), sum, hiddenZero(conv.operand(1)(0, 0, 0, 0, 0))) : sum;
    bindResult(result, resultSpec);
    result.reorder(s, r, ci, ki, kb);
    if (shape.r * shape.s <= ChannelSpans::kMostUnrolled)
      result.unroll(s).unroll(r);
    sums.compute_at(result, kb).store_in(kStackScratch).bound(ci, 0, spans.mostChannels());
    return result;
  }

  void schedule() {
    const int vector = conv.machine.vectorFloats, perBlock = kChannelBlock / vector;
    Stage update = sums.update();
    update.split(ki, kv, kii, vector).split(kv, kvo, kvi, std::min(knobs.vectors, perBlock));
    update.split(kb, kbo, kbi, std::max(1, knobs.vectors / perBlock));
    update.split(s, so, si, knobs.tapsX).split(r, ro, ri, knobs.tapsY);
    if (!planar && !hasSpans)
      update.split(ci, cio, cii, knobs.channels);
    const bool hasChannels = !planar || hasSpans;
    std::vector<VarOrRVar> order = {kii, kvi, kbi};
    if (hasChannels)
      order.push_back(channelInside);
    order.insert(order.end(), {si, ri});
    if (knobs.pixelsInside)
      order.insert(order.end(), {blockRows, blockImages});
    if (hasChannels)
      order.push_back(channelOutside);
    order.insert(order.end(), {so, ro, kvo, kbo, cb});
    if (!knobs.pixelsInside)
      order.insert(order.end(), {blockRows, blockImages});
    if (lane && !hasSpans)
      order.push_back(l);
    update.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi).unroll(si).unroll(ri);
    if (hasChannels)
      update.unroll(channelInside);
    schedulePartial(knobs.pixelsInside ? LoopLevel(sums, blockRows)
                    : hasChannels      ? LoopLevel(sums, channelOutside)
                                       : LoopLevel(sums, so));
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

} // namespace

void buildConvWeight(ConvKernel &conv, const WeightKnobs &knobs, std::vector<Func> &outputs) {
  outputs = {WeightConv(conv, knobs).build()};
}

} // namespace resin::codegen
