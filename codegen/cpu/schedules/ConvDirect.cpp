//===- ConvDirect.cpp - Convolutions that gather: forward, data gradient --===//
//
// The source is blocked by 16 channels, or a planar image. A register tile of pixels
// x vectors of result channels is summed over all taps and source channels:
//
//   for n                            `images` at a time
//     for kbo, kvo                   panels of `vectors` of result channels
//       for yo, xo                   tiles of `rows` x `pixels`, by order `Images`; the
//                                    others have the panels further out or in
//         acc = 0                    in registers
//         for cb, r, s               blocks of source channels, taps
//           for cio                  channels, `channels` of them unrolled
//             acc += filter * source
//         results = epilogue(acc)    and the tile's channel sums (ConvTile.h)
//
// In chunks of source channels a part of the filter stays in L1 while all tiles pass:
//
//   for kbo, kvo
//     sum = 0                        of all pixels, on the stack
//     for chunks of `blocks`
//       for n, yo, xo                here the filter's next chunk is fetched
//         acc = ...                  over the chunk's source channels
//         sum += acc
//     for n, yo, xo
//       results = epilogue(sum)
//
// Of a strided data gradient acc has a sum for each residue class of the result's pixels.
//
// Groups of whole blocks of channels read the blocks of their group. Others read the span
// of the block they write (ChannelSpans.h): their filters are spread out to it, with zeros
// between different groups.
//
// A 1x1 convolution in chunks takes the pixels of an image as one row, if they stand side
// by side. Those of a strided one are copied so first: every panel of the filter passes
// over them.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ConvDirect.h"

#include "codegen/cpu/schedules/ChannelSpans.h"
#include "codegen/cpu/schedules/ConvTile.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

namespace {

/// Whether the last tile along `axis` is shifted inwards: not where it would meet other residue classes.
bool isShifted(const ConvKernel &conv, const GatherAxis &axis, const GatherAxis &x, const GatherAxis &y) {
  return classesOf(axis) == 1 || (conv.shape.w % classesOf(x) == 0 && conv.shape.h % classesOf(y) == 0);
}

class DirectConv : public ConvTile {
public:
  DirectConv(ConvKernel &conv, const DirectKnobs &knobs, const GatherAxis &axisX, const GatherAxis &axisY)
      : ConvTile(conv, {knobs.pixels * classesOf(axisX), knobs.rows * classesOf(axisY), knobs.images, knobs.vectors,
                        isShifted(conv, axisX, axisX, axisY), isShifted(conv, axisY, axisX, axisY)}),
        knobs(knobs), axisX(axisX), axisY(axisY) {
    if (isFlat && !isPacked)
      flattenSource();
  }

private:
  const DirectKnobs knobs;
  const GatherAxis axisX, axisY;
  const bool hasClasses = classesOf(axisX) * classesOf(axisY) > 1;
  const bool isChunked = knobs.blocks && knobs.blocks < sourceBlocks;
  const int blocksPerChunk = isChunked ? knobs.blocks : sourceBlocks;

  /// Groups that fill no whole blocks have their filters spread out: `spread(ki, ci, s, r, kb)`, where `ci` counts in
  /// the block's span. All at once, or what is large panel by panel.
  const bool hasSpans = !fillsBlocks(shape);
  const ChannelSpans spans{conv, knobs.channels};
  /// Blocks of result channels in a group, or with one span; and in a tile.
  const int groupBlocks = hasSpans ? 1 : resultBlocks / shape.groups, vectorsPerBlock = kChannelBlock / vectorFloats,
            tileBlocks = std::max(1, knobs.vectors / vectorsPerBlock);

  /// The pixels of a strided 1x1 convolution: `packed(ci, x, 0, cb, n)`.
  const bool isPacked = isChunked && forward && shape.r * shape.s == 1 && axisX.step * axisY.step > 1;
  /// Whether an image is one row to the chunks.
  const bool isFlat = isPacked || (isChunked && knobs.rows == 1 && canFlatten(conv));

  Func acc{"acc"}, sum{"sum"}, packed{"packed"}, spread;
  RDom taps, walk;
  Var p{"p"}, chunk{"chunk"};
  int tilesAcross = 0, tilesDown = 0, tileCount = 0; ///< of all pixels of a panel

  //===--------------------------------------------------------------------===//
  // The algorithm
  //===--------------------------------------------------------------------===//

  void defineAnchor() override {
    if (hasSpans)
      spread = spans.spread(conv.operand(1), vectorFloats);
    if (isPacked)
      definePacked();
    if (hasClasses)
      return defineClasses();
    const GatherAxis::Class &cx = axisX.classes[0], &cy = axisY.classes[0];
    taps = domainOf({{0, cx.taps}, {0, cy.taps}});
    Expr ci = taps[0], tx = taps[1], ty = taps[2], cb = blockOf(taps[3]);
    Expr pixel = isPacked ? packed(ci, x, y, group() * sourceBlocks + cb, n)
                          : source(ci, x * axisX.step + cx.offset + tx * axisX.tapStep,
                                   y * axisY.step + cy.offset + ty * axisY.tapStep, cb);
    accumulate(filter(ci, cx.firstTap + tx * axisX.tapStride, cy.firstTap + ty * axisY.tapStride, cb) * pixel, Expr());
  }

  /// All classes of a tile advance together from one block of source channels to the
  /// next, so that the filter streams in order: class after class, each skipping most
  /// taps, was 34 % of peak where this is 80 % (256 channels at 14x14 from 512 at 7x7).
  void defineClasses() {
    std::vector<Expr> classOf, tapX, tapY, fromX, fromY;
    const int nx = classesOf(axisX), ny = classesOf(axisY);
    for (int r = 0; r < shape.r; ++r)
      for (int s = 0; s < shape.s; ++s)
        for (int p = 0; p < nx * ny; ++p) {
          const GatherAxis::Class &cx = axisX.classes[p % nx], &cy = axisY.classes[p / nx];
          const int tx = (s - cx.firstTap) / axisX.tapStride, ty = (r - cy.firstTap) / axisY.tapStride;
          if (tx < 0 || tx >= cx.taps || ty < 0 || ty >= cy.taps || cx.firstTap + tx * axisX.tapStride != s ||
              cy.firstTap + ty * axisY.tapStride != r)
            continue;
          classOf.push_back(p), tapX.push_back(s), tapY.push_back(r);
          fromX.push_back(cx.offset + tx * axisX.tapStep), fromY.push_back(cy.offset + ty * axisY.tapStep);
        }
    taps = domainOf({{0, static_cast<int>(classOf.size())}});
    Expr ci = taps[0], t = taps[1], cb = blockOf(taps[2]);
    accumulate(filter(ci, choose(t, tapX), choose(t, tapY), cb) *
                   source(ci, x * axisX.step + choose(t, fromX), y * axisY.step + choose(t, fromY), cb),
               choose(t, classOf));
  }
  static Expr choose(Expr index, const std::vector<Expr> &values) {
    return values.size() == 1 ? values[0] : mux(index, values);
  }

  /// acc = sum of the term, with a dimension for the class and one for the chunk
  /// where there are such.
  void accumulate(Expr term, Expr classOf) {
    std::vector<Expr> at = {ki, x, y, kb, n};
    std::vector<Var> args = {ki, x, y, kb, n};
    if (classOf.defined())
      at.push_back(classOf), args.push_back(p);
    if (isChunked)
      at.push_back(chunk), args.push_back(chunk);
    // Whole classes of zeros would be stored by a call.
    acc(args) = leavesZeros() ? hiddenZero(anyFloat()) : Expr(0.f);
    acc(at) += term;
    if (isChunked)
      defineSum(args);
  }

  /// Whether the filter, one of several taps, has none for some pixels.
  bool leavesZeros() const {
    auto isEmpty = [](const GatherAxis::Class &c) { return c.taps == 0; };
    auto skips = [&](const GatherAxis &axis) { return std::any_of(axis.classes.begin(), axis.classes.end(), isEmpty); };
    return shape.r * shape.s > 1 && (skips(axisX) || skips(axisY));
  }

  /// Adds up chunks of source channels, each for all tiles before the next, so that
  /// a chunk of the filter stays in L1. The last tile of a row is shifted inwards:
  /// what it would add twice it adds as zero.
  void defineSum(std::vector<Var> args) {
    args.pop_back();
    const int w = isFlat ? width * height : perClass(width, axisX), h = isFlat ? 1 : perClass(height, axisY),
              px = knobs.pixels, rows = isFlat ? 1 : knobs.rows, images = knobs.images;
    tilesAcross = (w + px - 1) / px, tilesDown = (h + rows - 1) / rows;
    tileCount = tilesAcross * tilesDown * (shape.n / images);
    walk = RDom({{0, px},
                 {0, rows},
                 {0, images},
                 {0, tilesAcross},
                 {0, tilesDown},
                 {0, shape.n / images},
                 {0, sourceBlocks / knobs.blocks}},
                "walk");
    Expr baseX = w % px ? min(walk[3] * px, w - px) : walk[3] * px,
         baseY = h % rows ? min(walk[4] * rows, h - rows) : walk[4] * rows;
    std::vector<Expr> at(args.begin(), args.end());
    at[1] = baseX + walk[0], at[2] = baseY + walk[1], at[4] = walk[5] * images + walk[2];
    std::vector<Expr> from = at;
    from.push_back(walk[6]);
    Expr added = acc(from);
    if (w % px)
      added = select(at[1] >= walk[3] * px, added, 0.f);
    if (h % rows)
      added = select(at[2] >= walk[4] * rows, added, 0.f);
    sum(args) = hiddenZero(anyFloat());
    sum(at) += added;
  }

  /// The convolution's result at a pixel.
  Expr anchor(const Coordinates &at) const override {
    const int nx = classesOf(axisX), ny = classesOf(axisY);
    Func whole = isChunked ? sum : acc;
    if (isFlat)
      return whole(at.ki, at.y * width + at.x, 0, at.kb, at.n);
    if (!hasClasses)
      return whole(at.ki, at.x, at.y, at.kb, at.n);
    return whole(at.ki, at.x / nx, at.y / ny, at.kb, at.n, at.y % ny * nx + at.x % nx);
  }

  /// Taps, innermost source channels: those of a block, or of a span of `kb`.
  RDom domainOf(Region taps) const {
    taps.insert(taps.begin(), Range(0, hasSpans ? spans.mostChannels() : lanes));
    taps.emplace_back(0, hasSpans ? 1 : blocksPerChunk);
    RDom domain(taps, "taps");
    if (hasSpans && spans.vary())
      domain.where(domain[0] / spans.step < spans.steps(kb));
    return domain;
  }
  Expr blockOf(Expr inChunk) const { return isChunked ? chunk * knobs.blocks + inChunk : inChunk; }

  /// The group of a tile's results: all of its blocks are of one.
  Expr group() const { return shape.groups == 1 ? Expr(0) : kb / tileBlocks / (groupBlocks / tileBlocks); }
  Expr source(Expr ci, Expr px, Expr py, Expr cb) const {
    const ImageParam &operand = conv.operand(0);
    if (hasSpans)
      return spans.source(operand, kb, ci, px, py, n);
    return planar ? operand(px, py, cb, n) : operand(ci, px, py, group() * sourceBlocks + cb, n);
  }
  /// A transposed filter has the input channels of one group and the output channels of all.
  Expr filter(Expr ci, Expr s, Expr r, Expr cb) const {
    const ImageParam &operand = conv.operand(1);
    if (hasSpans)
      return spread(ki, ci, s, r, kb);
    if (planar)
      return operand(ki, s, r, cb, kb);
    return forward ? operand(ki, ci, s, r, cb, kb)
                   : operand(ki, ci, s, r, group() * sourceBlocks + cb, kb - group() * groupBlocks);
  }

  void flattenSource() {
    TensorSpec flat = conv.operandSpec(0);
    flat.storedRows /= shape.h;
    flat.shape = {flat.shape[0], flat.shape[1], 1, flat.shape[2] * flat.shape[3]};
    conv.operands[conv.operandNumber(0)] = makeOperand(flat, conv.operandNumber(0));
  }

  void definePacked() {
    Var ci("ci"), cb("cb");
    packed(ci, x, y, cb, n) = conv.operand(0)(ci, x % width * axisX.step + axisX.classes[0].offset,
                                              x / width * axisY.step + axisY.classes[0].offset, cb, n);
  }

  //===--------------------------------------------------------------------===//
  // The schedule
  //===--------------------------------------------------------------------===//

  std::vector<VarOrRVar> loopOrder() const override {
    switch (knobs.order) {
    case DirectOrder::Images:
      return {xo, yo, kvo, kbo, no};
    case DirectOrder::Panels:
      return {xo, yo, no, kvo, kbo};
    case DirectOrder::Rows:
      return {xo, kvo, kbo, yo, no};
    }
    return {};
  }

  void scheduleAnchor(Func master) override {
    if (hasSpans)
      scheduleSpread(master);
    if (isPacked)
      packed.compute_root().store_in(kStackScratch).vectorize(packed.args()[0], vectorFloats);
    if (isChunked)
      scheduleSum(master);
    acc.compute_at(isChunked ? LoopLevel(sum, walk[3]) : LoopLevel(master, xo)).store_in(MemoryType::Register);
    acc.vectorize(ki, vectorFloats).unroll(ki).unroll(x).unroll(y).unroll(kb).unroll(n);
    scheduleProducts(acc.update());
    if (hasClasses)
      acc.unroll(p);
    // Along an axis without classes the last tile may be smaller.
    if (classesOf(axisX) > 1)
      acc.bound_extent(x, knobs.pixels);
    if (classesOf(axisY) > 1)
      acc.bound_extent(y, knobs.rows);
  }

  /// Order inside the unrolled body decides everything: what there is less of, vectors of the filter or broadcasts of
  /// source pixels, stays in registers and stands innermost, the other comes one by one; the other way round spills.
  void scheduleProducts(Stage update) {
    RVar ci = taps[0], cio("cio"), cii("cii");
    update.split(ki, kv, kii, vectorFloats);
    update.split(ci, cio, cii, std::min(knobs.channels, lanes));
    using Loops = std::vector<VarOrRVar>;
    const Loops channels = {kv, kb}, pixels = {x, y, n};
    const bool holdsPixels = knobs.vectors > knobs.pixels * knobs.rows * knobs.images,
               hasTapsInside = knobs.tapsInside && !hasClasses;
    const Loops &held = holdsPixels ? pixels : channels, &passing = holdsPixels ? channels : pixels;
    Loops order = {kii};
    order.insert(order.end(), held.begin(), held.end());
    if (hasTapsInside)
      order.push_back(taps[1]);
    order.insert(order.end(), passing.begin(), passing.end());
    order.insert(order.end(), {cii, cio});
    for (int d = hasTapsInside ? 2 : 1; d < taps.dimensions(); ++d)
      order.push_back(taps[d]);
    update.reorder(order);
    if (knobs.tapsInside || hasClasses)
      update.unroll(taps[1]);
    update.vectorize(kii).unroll(kv).unroll(kb).unroll(x).unroll(y).unroll(n).unroll(cii);
  }

  void scheduleSum(Func master) {
    sum.compute_at(master, kvo).store_in(kStackScratch);
    sum.vectorize(ki, vectorFloats);
    Stage update = sum.update();
    splitChannels(update);
    std::vector<VarOrRVar> order = {kii, kvi, kbi};
    if (hasClasses)
      order.push_back(p);
    for (int d = 0; d < 7; ++d)
      order.push_back(walk[d]);
    order.insert(order.end(), {kvo, kbo});
    update.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi).unroll(walk[0]).unroll(walk[1]).unroll(walk[2]);
    if (hasClasses)
      update.unroll(p);
    fetchDuring(sum, lineOfNextChunk());
  }

  void scheduleSpread(Func master) {
    if (spans.fitAtOnce())
      spread.compute_root();
    else
      spread.compute_at(master, kbo);
    spread.store_in(kStackScratch).bound(spread.args()[1], 0, spans.mostChannels());
  }

  /// Of the filter, at the turns of the vectors that are added to the panel's pixels, which bring it to L1 line by
  /// line. Chunks and panels stand in memory in the order in which they are used.
  Expr lineOfNextChunk() const {
    const int rows = isFlat ? 1 : knobs.rows, pixels = knobs.pixels * rows * knobs.images,
              vectors = std::min(knobs.vectors, vectorsPerBlock), perTile = pixels * vectors, rowFloats = kChannelBlock,
              lines = knobs.blocks * shape.r * shape.s * rowFloats;
    int step = 1; // vectors from line to line
    for (int d = 2; d <= perTile && d * lines <= perTile * tileCount; ++d)
      if (perTile % d == 0)
        step = d;
    const int perTurn = perTile / step;
    Expr vector = ((walk[2] * rows + walk[1]) * knobs.pixels + walk[0]) * vectors + ki / vectorFloats % vectors,
         tile = (walk[5] * tilesDown + walk[4]) * tilesAcross + walk[3],
         first = min(tile * perTurn, std::max(0, lines - perTurn)),
         chunkRows = (kb * sourceBlocks + (walk[6] + 1) * knobs.blocks) * (shape.r * shape.s * rowFloats);
    return cast<float>(select(vector % step == 0,
                              fetchLine(conv.operand(1).name(), (chunkRows + first + vector / step) * rowFloats), 0));
  }
};

} // namespace

void buildConvDirect(ConvKernel &conv, const DirectKnobs &knobs, std::vector<Func> &outputs) {
  const auto [x, y] = axesOf(conv);
  DirectConv(conv, knobs, x, y).build(outputs);
}

} // namespace resin::codegen
