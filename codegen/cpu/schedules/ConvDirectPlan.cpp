//===- ConvDirectPlan.cpp - When and how convolutions gather --------------===//
//
// The register tile by a model of the core (RegisterTile.h), sizes of chunks and the
// order of loops by those of its caches.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Template.h"
#include "codegen/cpu/schedules/ChannelSpans.h"
#include "codegen/cpu/schedules/ConvDirect.h"
#include "codegen/cpu/schedules/ConvTile.h"
#include "codegen/cpu/schedules/RegisterTile.h"

#include <algorithm>

namespace resin::codegen {

namespace {

Numbers numbersOf(const DirectKnobs &k) {
  return {k.pixels, k.rows, k.images, k.vectors, k.channels, k.tapsInside, k.blocks, static_cast<int>(k.order)};
}

DirectKnobs directKnobs(const Numbers &k) {
  assert(k.size() == 8 && "the template has eight knobs");
  return {k[0], k[1], k[2], k[3], k[4], k[5] != 0, k[6], static_cast<DirectOrder>(k[7])};
}

/// Whether the epilogue reads the source too.
bool isReadAgain(const ConvProblem &conv) {
  const std::vector<KernelNode> &nodes = conv.spec.nodes;
  return std::any_of(nodes.begin(), nodes.end(), [&](const KernelNode &node) {
    return &node != &nodes[conv.node] &&
           std::find(node.operands.begin(), node.operands.end(), conv.operandNumber(0)) != node.operands.end();
  });
}

//===----------------------------------------------------------------------===//
// A model of the core
//===----------------------------------------------------------------------===//

RegisterTile registerTile(const DirectKnobs &t) { return {t.pixels * t.rows * t.images, t.vectors}; }

/// Of one source channel and tap.
double cyclesOf(const DirectKnobs &t, const Machine &machine) {
  // Weights come from L2, but for chunks of them, of which most hides behind the FMAs.
  const double stream = t.blocks ? 0 : 0.15 * t.vectors * machine.vectorFloats * kSumBytes / machine.l2BytesPerCycle;
  return registerTile(t).cycles(machine) + stream;
}

/// Share of the FMA peak that a tile can reach; 0 if it does not fit in registers.
double rateTile(const DirectKnobs &t, const Machine &machine) {
  const RegisterTile tile = registerTile(t);
  return tile.registers() > machine.vectorRegisters ? 0
                                                    : tile.accumulators() / machine.fmasPerCycle / cyclesOf(t, machine);
}

/// Share of the FMA peak over a row of `width` pixels. Chunks compute of the last tile what is left over, else it is
/// shifted inwards.
double rateRow(const DirectKnobs &t, int width, const Machine &machine) {
  const double rate = rateTile(t, machine);
  const int rest = width % t.pixels;
  if (!rate || !rest || !t.blocks)
    return rate * width / roundUp(width, t.pixels);
  DirectKnobs last = t;
  last.pixels = rest;
  const double cycles = width / t.pixels * cyclesOf(t, machine) + cyclesOf(last, machine);
  return 1 / machine.fmasPerCycle * width * t.rows * t.images * t.vectors / cycles;
}

//===----------------------------------------------------------------------===//
// What is best untuned
//===----------------------------------------------------------------------===//

/// Tensors of the result's size that the epilogue reads.
int epilogueTensors(const ConvProblem &conv) {
  int count = 0;
  for (size_t i = 0; i < conv.spec.operands.size(); ++i)
    count += conv.spec.operands[i].shape.size() == 4 && static_cast<int>(i) != conv.operandNumber(0) &&
             static_cast<int>(i) != conv.operandNumber(1);
  return count;
}

/// Bytes on the stack of a worker for a panel's sums over chunks of source channels.
int64_t chunkScratchOf(const DirectKnobs &t, const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  return int64_t(s.n) * (conv.isForward() ? int64_t(s.oh) * s.ow : int64_t(s.h) * s.w) * t.vectors *
         conv.machine.vectorFloats * kSumBytes;
}

/// Of strided pixels that a 1x1 convolution copies first.
int64_t copiedBytes(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  return int64_t(s.n) * s.c * s.oh * s.ow * conv.elementBytes(0);
}

class DirectDefaults {
public:
  explicit DirectDefaults(const ConvProblem &conv) : conv(conv) {}

  DirectKnobs choose() const {
    DirectKnobs best = bestTile();
    best.channels = unrolledChannels(best);
    chooseOrder(best);
    return best;
  }

private:
  const ConvProblem &conv;
  const ConvShape &s = conv.shape;
  const Machine &machine = conv.machine;
  const GatherAxes axes = axesOf(conv);
  const bool forward = conv.isForward(), planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int classesX = classesOf(axes.x), classesY = classesOf(axes.y);
  const int width = perClass(forward ? s.ow : s.w, axes.x), height = perClass(forward ? s.oh : s.h, axes.y);
  const int perBlock = kChannelBlock / machine.vectorFloats;
  // Of one group, or of a span and its block.
  const bool hasSpans = !fillsBlocks(s);
  const ChannelSpans spans{conv, 4};
  const int sourceChannels = hasSpans ? spans.mostChannels() : (forward ? s.c : s.k) / s.groups,
            resultBlocks = hasSpans ? 1 : blocksOf((forward ? s.k : s.c) / s.groups);
  const int64_t panelBytes = int64_t(sourceChannels) * s.r * s.s * kChannelBlock * conv.elementBytes(1);
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
  const bool streams = s.n == 1 && panelBytes > machine.l2Bytes / 4;
  // A panel of weights that would stream from L2 for every tile is cut into chunks that stay in L1: 512 channels at 7x7
  // 68 -> 87 % of peak, 256 at 14x14 84 -> 88 %, 128 at 28x28, stride 2, 66 -> 78 % beside a busy hardware thread.
  const bool isCut = !planar && !hasSpans && s.r * s.s > 1 && panelBytes > 2 * machine.l1Bytes;
  const bool isStrided = axes.x.step * axes.y.step > 1, isRow = deep && (isStrided || canFlatten(conv));

  bool isCandidate(const DirectKnobs &t) const {
    if (t.vectors > perBlock && (resultBlocks % (t.vectors / perBlock) || isLaden))
      return false;
    if (t.vectors < perBlock && (deep || streams || hasSpans))
      return false;
    return s.n % t.images == 0 && (classesX == 1 || width % t.pixels == 0) && (classesY == 1 || height % t.rows == 0);
  }

  DirectKnobs bestTile() const {
    DirectKnobs best{1, 1, 1, 1, 1, false, 0, DirectOrder::Images};
    const int across = isRow ? width * height : width, down = isRow ? 1 : height;
    double bestRate = 0;
    for (int vectors : {2, 1, 4})
      for (int images = 1; images <= (deep ? 1 : std::min(s.n, 4)); images *= 2)
        for (int rows = 1; rows <= (deep || isLaden ? 1 : std::min(height, 4)); ++rows)
          for (int pixels = 1; pixels <= std::min(width, 14); ++pixels) {
            const DirectKnobs t{pixels, rows, images, vectors, 1, false, deep || isCut, DirectOrder::Images};
            if (!isCandidate(t))
              continue;
            const double rate = rateRow(t, across, machine) * down / roundUp(down, rows);
            if (rate > bestRate + 1e-3)
              best = t, bestRate = rate;
          }
    best.blocks = 0;
    return best;
  }

  /// About 32 FMAs to a turn of the loop; a body of some hundreds leaves the micro-op cache.
  int unrolledChannels(const DirectKnobs &t) const {
    const int body = t.pixels * t.rows * t.images * t.vectors, copies = classesX * classesY > 1 ? s.r * s.s : 1;
    int best = 1;
    for (int channels : {1, 2, 4})
      if (!planar && body * channels <= 64 && body * channels * copies <= 300)
        best = channels;
    return best;
  }

  void chooseOrder(DirectKnobs &best) const {
    const int sourceBlocks = blocksOf(sourceChannels);
    const int64_t blockBytes =
        int64_t(kChannelBlock) * s.r * s.s * best.vectors * machine.vectorFloats * conv.elementBytes(1);
    const int64_t copied = isStrided && pointwise ? copiedBytes(conv) : 0;
    auto blocksIn = [&](int64_t bytes) {
      return largestDivisor(sourceBlocks, std::max<int64_t>(1, bytes / blockBytes));
    };
    // Where a panel's sums do not fit the stack the filter streams all the same.
    const bool keepsSums = chunkScratchOf(best, conv) + copied <= kLargestScratch;
    if (isCut && keepsSums)
      best.blocks = blocksIn(machine.l1Bytes * 5 / (streams ? 16 : 8));
    if (best.blocks || (s.n > best.images && filterBytes() > machine.l2Bytes))
      best.order = DirectOrder::Panels;
    if (s.r * s.s == 1)
      best.order = sourceBytes() > machine.l2Bytes / 2 && !isLaden ? DirectOrder::Rows : DirectOrder::Images;
    // Chunks whose filter, a quarter of L1, stays there while the pixels stream: of what comes from memory 30-60 % more
    // a second (forward 256 channels at 56x56 to 64 50 -> 81 %, data gradient 37 -> 64 %).
    // Strided pixels are copied first.
    if (deep && keepsSums && sourceChannels % kChannelBlock == 0 && copied <= kLargestScratch / 2) {
      best.blocks = blocksIn(machine.l1Bytes / 4);
      best.order = DirectOrder::Panels;
    }
    if (hasSpans && !spans.fitAtOnce())
      best.order = DirectOrder::Panels;
  }

  /// Where the weights exceed a small L2 they should not stream once per image.
  int64_t filterBytes() const { return hasSpans ? spans.filterBytes() : panelBytes * resultBlocks * s.groups; }
  /// Of one image.
  int64_t sourceBytes() const {
    return int64_t(forward ? s.c : s.k) * (forward ? s.h * s.w : s.oh * s.ow) * conv.elementBytes(0);
  }
};

//===----------------------------------------------------------------------===//
// The template
//===----------------------------------------------------------------------===//

/// Whether the filter has the layout that goes with the source's.
bool suitsLayouts(const ConvProblem &conv) {
  if (conv.pointsTile())
    return false;
  const LayoutKind source = conv.operandSpec(0).layout, filter = conv.operandSpec(1).layout;
  if (!fillsBlocks(conv.shape))
    return filter == LayoutKind::K16 && ChannelSpans(conv, kChannelBlock).panelBytes() <= kLargestScratch &&
           (source == LayoutKind::C16 || (source == LayoutKind::Dense && conv.isForward()));
  if (conv.direction == ConvDirection::GradData)
    return source == LayoutKind::C16 && filter == LayoutKind::C16K16;
  return (source == LayoutKind::C16 && filter == LayoutKind::K16C16) ||
         (source == LayoutKind::Dense && filter == LayoutKind::K16 && conv.shape.groups == 1);
}

/// Whether the source's ring holds all that is read beyond the image.
bool suitsRing(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const bool forward = conv.isForward();
  const auto [x, y] = axesOf(conv);
  const int sourceW = forward ? s.w : s.ow, sourceH = forward ? s.h : s.oh, halo = conv.operandSpec(0).halo,
            columns = perClass(forward ? s.ow : s.w, x) * classesOf(x),
            rows = perClass(forward ? s.oh : s.h, y) * classesOf(y);
  return x.sourceMin() >= -halo && y.sourceMin() >= -halo && x.sourceMax(columns) < sourceW + halo &&
         y.sourceMax(rows) < sourceH + halo;
}

/// Whether a tile has one span, and the filters of large ones are spread out once.
bool fitsSpans(const DirectKnobs &t, const ConvProblem &conv) {
  return t.blocks == 0 && t.vectors <= conv.vectorsPerBlock() &&
         (t.order == DirectOrder::Panels || ChannelSpans(conv, t.channels).fitAtOnce());
}

bool fitsBlocks(const DirectKnobs &t, const ConvProblem &conv) {
  return fitsVectors(t.vectors, blocksOf((conv.isForward() ? conv.shape.k : conv.shape.c) / conv.shape.groups), conv);
}

bool fitsChunks(const DirectKnobs &t, const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  if (!t.blocks)
    return true;
  if (blocksOf((conv.isForward() ? s.c : s.k) / s.groups) % t.blocks || t.order != DirectOrder::Panels)
    return false;
  const bool isCopied = conv.isForward() && s.r * s.s == 1 && s.strideX * s.strideY > 1;
  return !isCopied || copiedBytes(conv) <= kLargestScratch / 2;
}

class DirectTemplate : public Template {
public:
  DirectTemplate()
      : Template("direct", {"pixels", "rows", "images", "vectors", "channels", "taps_inside", "blocks", "order"}) {}

  bool suits(const ConvProblem &conv) const override {
    return conv.direction != ConvDirection::GradWeight && suitsLayouts(conv) && suitsTiles(conv) && suitsRing(conv);
  }

  Numbers untuned(const ConvProblem &conv) const override { return numbersOf(DirectDefaults(conv).choose()); }

  std::vector<Numbers> values(const ConvProblem &conv) const override {
    Numbers chunks = divisorsOf(blocksOf(conv.isForward() ? conv.shape.c : conv.shape.k));
    chunks.insert(chunks.begin(), 0);
    return {upTo(28), upTo(4), divisorsOf(conv.shape.n, 8), {1, 2, 4, 8}, channelsInStep(), {0, 1}, chunks, {0, 1, 2}};
  }

  bool fits(const ConvProblem &conv, const Numbers &numbers) const override {
    const DirectKnobs t = directKnobs(numbers);
    const auto [x, y] = axesOf(conv);
    const int width = perClass(conv.isForward() ? conv.shape.ow : conv.shape.w, x),
              height = perClass(conv.isForward() ? conv.shape.oh : conv.shape.h, y);
    if (!divides(t.images, conv.shape.n) || !divides(t.channels, kChannelBlock) || t.pixels < 1 || t.rows < 1 ||
        t.pixels > width || t.rows > height)
      return false;
    if ((classesOf(x) > 1 && width % t.pixels) || (classesOf(y) > 1 && height % t.rows))
      return false;
    return (fillsBlocks(conv.shape) || fitsSpans(t, conv)) && fitsBlocks(t, conv) && fitsChunks(t, conv);
  }

  /// A strided data gradient unrolls the classes of its pixels with their taps. Chunks of source channels are summed
  /// over all pixels of a panel.
  Needs needs(const ConvProblem &conv, const Numbers &numbers) const override {
    const ConvShape &s = conv.shape;
    const DirectKnobs t = directKnobs(numbers);
    const int classes = conv.isForward() ? 1 : s.strideX * s.strideY;
    const int64_t tile = int64_t(t.pixels) * t.rows * t.images * t.vectors;
    const int64_t copies = classes > 1 ? s.r * s.s : t.tapsInside ? s.s : 1;
    return {tile * t.channels * copies, registerTile(t).registers(), t.blocks ? chunkScratchOf(t, conv) : 0};
  }

  std::vector<Numbers> rated(const ConvProblem &conv, const Numbers &numbers) const override;

  void build(ConvKernel &conv, const Numbers &numbers, std::vector<Halide::Func> &outputs) const override {
    buildConvDirect(conv, directKnobs(numbers), outputs);
  }
};

/// The best three.
std::vector<Numbers> DirectTemplate::rated(const ConvProblem &conv, const Numbers &numbers) const {
  const int width = conv.isForward() ? conv.shape.ow : conv.shape.w,
            height = conv.isForward() ? conv.shape.oh : conv.shape.h;
  auto used = [](int whole, int part) { return double(whole) / roundUp(whole, part); };
  std::vector<std::pair<double, Numbers>> found;
  const std::vector<Numbers> each = values(conv);
  for (int vectors : each[3])
    for (int images : each[2])
      for (int rows : each[1])
        for (int pixels : each[0]) {
          Numbers tile = numbers;
          tile[0] = pixels, tile[1] = rows, tile[2] = images, tile[3] = vectors;
          const double rate = rateTile(directKnobs(tile), conv.machine) * used(width, pixels) * used(height, rows);
          if (rate > 0 && accepts(conv, tile))
            found.push_back({rate, tile});
        }
  std::sort(found.rbegin(), found.rend());
  std::vector<Numbers> best;
  for (size_t i = 0; i < std::min<size_t>(3, found.size()); ++i)
    best.push_back(found[i].second);
  return best;
}

} // namespace

GatherAxes axesOf(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  if (conv.isForward())
    return {forwardAxis(s.strideX, s.left, s.dilationX, s.s), forwardAxis(s.strideY, s.top, s.dilationY, s.r)};
  return {gradDataAxis(s.strideX, s.left, s.dilationX, s.s), gradDataAxis(s.strideY, s.top, s.dilationY, s.r)};
}

bool canFlatten(const ConvProblem &conv) {
  const ConvShape &s = conv.shape;
  const TensorSpec &source = conv.operandSpec(0);
  return s.r * s.s * s.strideX * s.strideY == 1 && s.h == s.oh && s.w == s.ow && source.layout == LayoutKind::C16 &&
         source.halo == 0 && source.storedRows % s.h == 0 && !isReadAgain(conv);
}

const Template &directTemplate() {
  static const DirectTemplate row;
  return row;
}

} // namespace resin::codegen
