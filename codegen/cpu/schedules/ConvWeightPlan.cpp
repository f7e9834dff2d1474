//===- ConvWeightPlan.cpp - When and how weight gradients are sums --------===//

#include "codegen/cpu/Template.h"
#include "codegen/cpu/schedules/ChannelSpans.h"
#include "codegen/cpu/schedules/ConvWeight.h"

#include <algorithm>

namespace resin::codegen {

namespace {

/// Taps that the weight gradient of a planar image unrolls: all of a stem's, not those of a filter as wide as an image.
constexpr int kMostTapsAcross = 31;

Numbers numbersOf(const WeightKnobs &k) {
  return {k.vectors, k.channels, k.tapsX, k.tapsY, k.rows, k.images, k.pixels, k.rolled, k.pixelsInside};
}

WeightKnobs weightKnobs(const Numbers &k) {
  assert(k.size() == 9 && "the template has nine knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7] != 0, k[8] != 0};
}

bool covers(const TensorSpec &tensor, int low, int high, int extent) {
  return low >= -tensor.halo && high < extent + tensor.halo;
}

/// Whether X has all columns, or rows, that pixels of dY meet.
bool coversColumns(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const int last = (s.ow - 1) * s.strideX + (s.s - 1) * s.dilationX - s.left;
  return covers(conv.operandSpec(0), -s.left, last, s.w);
}
bool coversRows(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const int last = (s.oh - 1) * s.strideY + (s.r - 1) * s.dilationY - s.top;
  return covers(conv.operandSpec(0), -s.top, last, s.h);
}

/// Whether pixels of X may be summed over: dY has all columns that they meet.
bool canRoll(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  return s.strideX == 1 && s.s > 1 &&
         covers(conv.operandSpec(1), s.left - (s.s - 1) * s.dilationX, s.w - 1 + s.left, s.ow);
}

bool isPlanar(const ConvProblem &conv) { return conv.operandSpec(0).layout == LayoutKind::Dense; }

bool suitsLayouts(const ConvProblem &conv) {
  const TensorSpec &x = conv.operandSpec(0), &dy = conv.operandSpec(1), &dw = conv.spec.results[0];
  const LayoutKind filter = fillsBlocks(conv.shape) ? LayoutKind::K16C16 : LayoutKind::K16;
  const bool blocked = x.layout == LayoutKind::C16 && dw.layout == filter,
             planar = isPlanar(conv) && dw.layout == LayoutKind::K16;
  if (!fillsBlocks(conv.shape) && ChannelSpans(conv, kChannelBlock).panelBytes() > kLargestScratch)
    return false;
  return dy.layout == LayoutKind::C16 && (blocked || planar);
}

void chooseTile(WeightKnobs &t, const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  if (isPlanar(conv)) {
    t.rolled = false;
    t.tapsX = largestDivisor(s.s, kMostTapsAcross);
    t.tapsY = s.s * s.r <= 12 ? s.r : 1;
  } else if (t.rolled && s.s <= 3) {
    t.tapsX = s.s, t.channels = 4;
  } else {
    t.vectors = 2, t.channels = 4;
  }
  const int perBlock = conv.vectorsPerBlock(),
            outputBlocks = fillsBlocks(s) ? blocksOf(s.k / s.groups) : 1; // of one group, or of a span
  if (t.vectors > perBlock && outputBlocks % (t.vectors / perBlock))
    t.vectors = perBlock;
}

WeightKnobs chooseKnobs(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const Machine &machine = conv.machine;
  WeightKnobs t{1, 1, 1, 1, 1, 1, 1, canRoll(conv), false};
  chooseTile(t, conv);
  // A block of rows of one channel block of X stays in L1: seven eighths of it. Twice as much cost a fifth (128
  // channels at 28x28, stride 2).
  const int64_t rowBytes =
      int64_t(s.strideY) * (s.w + 2) * (isPlanar(conv) ? s.c : kChannelBlock) * conv.elementBytes(0);
  t.rows = largestDivisor(s.oh, std::max<int64_t>(1, machine.l1Bytes * 7 / 8 / rowBytes));
  // Of few FMAs 32 to a turn of the loop rather than 16: 128 channels at 28x28 to 512, 1x1, 66 -> 70 % of peak.
  const int body = t.vectors * t.channels * t.tapsX * t.tapsY;
  t.pixels = largestDivisor(t.rolled ? s.w : s.ow, t.rolled && s.w == 7 ? 7 : body <= 8 ? 4 : 2);
  const int64_t weightBytes = int64_t(s.k) * s.c / s.groups * s.r * s.s * kSumBytes;
  t.pixelsInside = weightBytes > 3 * machine.l2Bytes && fillsBlocks(s);
  // As many as have a block of X in half of L2.
  const int64_t mostPixels = machine.l2Bytes / 2 / (kChannelBlock * conv.elementBytes(0));
  if (t.pixelsInside)
    t.images = largestDivisor(s.n, std::max<int64_t>(1, mostPixels / (s.oh * s.ow)));
  return t;
}

class WeightTemplate : public Template {
public:
  WeightTemplate()
      : Template("weight", {"vectors", "channels", "taps_across", "taps_down", "rows", "images", "pixels", "rolled",
                            "pixels_inside"}) {}

  bool suits(const ConvProblem &conv) const override {
    return conv.direction == ConvDirection::GradWeight && conv.spec.nodes.size() == 1 &&
           conv.spec.results.size() == 1 && suitsLayouts(conv) && coversRows(conv) &&
           (coversColumns(conv) || canRoll(conv));
  }

  Numbers untuned(const ConvProblem &conv) const override { return numbersOf(chooseKnobs(conv)); }

  std::vector<Numbers> values(const ConvProblem &conv) const override {
    const ConvShape &s = conv.shape;
    Numbers pixels = divisorsOf(s.w, 16);
    for (int d : divisorsOf(s.ow, 16))
      pixels.push_back(d);
    std::sort(pixels.begin(), pixels.end());
    pixels.erase(std::unique(pixels.begin(), pixels.end()), pixels.end());
    return {{1, 2, 4, 8},    channelsInStep(), divisorsOf(s.s), divisorsOf(s.r), divisorsOf(s.oh),
            divisorsOf(s.n), pixels,           {0, 1},          {0, 1}};
  }

  bool fits(const ConvProblem &conv, const Numbers &numbers) const override {
    const ConvShape &s = conv.shape;
    const WeightKnobs t = weightKnobs(numbers);
    if (!(t.rolled ? canRoll(conv) : coversColumns(conv)))
      return false;
    if (!fillsBlocks(s) && (t.vectors > conv.vectorsPerBlock() || t.pixelsInside))
      return false; // the sums of a span are complete before the next
    return fitsVectors(t.vectors, blocksOf(s.k / s.groups), conv) && divides(t.channels, kChannelBlock) &&
           divides(t.tapsX, s.s) && divides(t.tapsY, s.r) && divides(t.rows, s.oh) && divides(t.images, s.n) &&
           divides(t.pixels, t.rolled ? s.w : s.ow);
  }

  Needs needs(const ConvProblem &, const Numbers &numbers) const override {
    const WeightKnobs t = weightKnobs(numbers);
    const int64_t sums = int64_t(t.vectors) * t.channels * t.tapsX * t.tapsY;
    return {sums * t.pixels, sums + t.vectors + 1, 0};
  }

  void build(ConvKernel &conv, const Numbers &numbers, std::vector<Halide::Func> &outputs) const override {
    buildConvWeight(conv, weightKnobs(numbers), outputs);
  }
};

} // namespace

const Template &weightTemplate() {
  static const WeightTemplate row;
  return row;
}

} // namespace resin::codegen
