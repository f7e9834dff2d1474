//===- ConvDirect.cpp - Convolutions that gather: forward, data gradient --===//
//
// Results are blocked by 16 channels; the source is too, or is a planar image.
// A register tile of pixels x vectors of result channels is summed over all taps
// and source channels, the epilogue is evaluated on it, and it is stored once.
//
//   1. acc        the register tile; of a strided data gradient, one for each residue
//   2. values     pointwise nodes that several results need, per tile
//   3. out        the results, all within one loop nest
//   4. sums       channel sums of each tile, taken from registers, then in
//                 double over the tiles of the piece
//
// Order inside the unrolled body decides everything: broadcasts of source pixels
// outside, vectors of result channels innermost; the other way round spills.
//
//===----------------------------------------------------------------------===//

#include "codegen/schedules/ConvDirect.h"

#include "codegen/kernels/Conv.h"

#include <algorithm>
#include <map>

using namespace Halide;

namespace resin::codegen {

namespace {

/// Constant-sized scratch on the stack: what Halide calls Stack goes to malloc when it is large.
constexpr MemoryType scratch = MemoryType::Register;

class DirectConv {
public:
  DirectConv(ConvKernel &conv, const DirectKnobs &knobs)
      : conv(conv), knobs(knobs), axisX(conv.direction == ConvDirection::Forward
                                            ? forwardAxis(shape.strideX, shape.left, shape.dilationX, shape.s)
                                            : gradDataAxis(shape.strideX, shape.left, shape.dilationX, shape.s)),
        axisY(conv.direction == ConvDirection::Forward ? forwardAxis(shape.strideY, shape.top, shape.dilationY, shape.r)
                                                       : gradDataAxis(shape.strideY, shape.top, shape.dilationY, shape.r)) {}

  void build(std::vector<Func> &outputs) {
    defineAccumulator();
    defineValues();
    defineResults(outputs);
    defineSums(outputs);
    schedule(outputs);
  }

private:
  using At = Coordinates;
  ConvKernel &conv;
  const ConvShape &shape = conv.shape;
  DirectKnobs knobs;
  GatherAxis axisX, axisY;
  const bool planar = conv.operandSpec(0).layout == LayoutKind::Dense;
  const int lanes = planar ? 1 : kChannelBlock;
  const bool forward = conv.direction == ConvDirection::Forward;
  const int sourceBlocks = ((forward ? shape.c : shape.k) + lanes - 1) / lanes;
  const int resultBlocks = ((forward ? shape.k : shape.c) + kChannelBlock - 1) / kChannelBlock;
  const int width = forward ? shape.ow : shape.w, height = forward ? shape.oh : shape.h;
  /// Result pixels of a tile.
  const int tileX = knobs.pixels * axisCount(axisX), tileY = knobs.rows * axisCount(axisY);

  Var ki{"ki"}, x{"x"}, y{"y"}, kb{"kb"}, n{"n"}, xo{"xo"}, xi{"xi"}, yo{"yo"}, yi{"yi"}, no{"no"}, ni{"ni"}, p{"p"}, chunk{"chunk"};
  Var kii{"kii"}, kv{"kv"}, kvo{"kvo"}, kvi{"kvi"}, kbo{"kbo"}, kbi{"kbi"};

  Func acc{"acc"}, sum{"sum"};
  RDom taps, walk;
  std::map<int, Func> tileValues;        // value number -> Func
  std::vector<std::pair<Func, int>> results;
  Func tileSums{"tile_sums"};
  bool hasSums = false;
  std::vector<Func> totals;

  static int axisCount(const GatherAxis &axis) { return axis.classes.size(); }

  Expr source(Expr ci, Expr px, Expr py, Expr cb) const {
    const ImageParam &operand = conv.operand(0);
    return planar ? operand(px, py, cb, n) : operand(ci, px, py, cb, n);
  }
  Expr filter(Expr ci, Expr s, Expr r, Expr cb) const {
    const ImageParam &operand = conv.operand(1);
    return planar ? operand(ki, s, r, cb, kb) : operand(ki, ci, s, r, cb, kb);
  }

  bool hasClasses() const { return axisX.classes.size() * axisY.classes.size() > 1; }

  void defineAccumulator() {
    if (hasClasses())
      return defineClasses();
    const GatherAxis::Class &cx = axisX.classes[0], &cy = axisY.classes[0];
    taps = RDom(0, lanes, 0, cx.taps, 0, cy.taps, 0, blocksPerChunk(), "taps");
    Expr ci = taps[0], tx = taps[1], ty = taps[2], cb = taps[3];
    if (isChunked())
      cb = chunk * knobs.blocks + cb;
    accumulate(filter(ci, cx.firstTap + tx * axisX.tapStride, cy.firstTap + ty * axisY.tapStride, cb) *
                   source(ci, x * axisX.step + cx.offset + tx * axisX.tapStep, y * axisY.step + cy.offset + ty * axisY.tapStep, cb),
               Expr());
  }
  bool isChunked() const { return knobs.blocks && knobs.blocks < sourceBlocks; }
  int blocksPerChunk() const { return isChunked() ? knobs.blocks : sourceBlocks; }

  /// acc = sum of the term, with a dimension for the class and one for the chunk
  /// where there are such.
  void accumulate(Expr term, Expr classOf) {
    std::vector<Expr> at = {ki, x, y, kb, n};
    std::vector<Var> args = {ki, x, y, kb, n};
    if (classOf.defined())
      at.push_back(classOf), args.push_back(p);
    if (isChunked())
      at.push_back(chunk), args.push_back(chunk);
    acc(args) = 0.f;
    acc(at) += term;
    if (isChunked())
      defineSum(args);
  }

  /// Adds up chunks of source channels, each for all tiles before the next, so that
  /// a chunk of the filter stays in L1. The last tile of a row is shifted inwards:
  /// what it would add twice it adds as zero.
  void defineSum(std::vector<Var> args) {
    args.pop_back();
    const int w = width / axisCount(axisX), h = height / axisCount(axisY), px = knobs.pixels, rows = knobs.rows, images = knobs.images;
    walk = RDom({{0, px}, {0, rows}, {0, images}, {0, (w + px - 1) / px}, {0, (h + rows - 1) / rows}, {0, shape.n / images}, {0, sourceBlocks / knobs.blocks}}, "walk");
    Expr baseX = w % px ? min(walk[3] * px, w - px) : walk[3] * px, baseY = h % rows ? min(walk[4] * rows, h - rows) : walk[4] * rows;
    std::vector<Expr> at(args.begin(), args.end());
    at[1] = baseX + walk[0], at[2] = baseY + walk[1], at[4] = walk[5] * images + walk[2];
    std::vector<Expr> from = at;
    from.push_back(walk[6]);
    Expr added = acc(from);
    if (w % px)
      added = select(at[1] >= walk[3] * px, added, 0.f);
    if (h % rows)
      added = select(at[2] >= walk[4] * rows, added, 0.f);
    sum(args) = hiddenZero(firstElement());
    sum(at) += added;
  }
  /// Any float.
  Expr firstElement() const {
    std::vector<Expr> first;
    for (const StorageDimension &d : storageDimensions(conv.operandSpec(1)))
      first.push_back(d.min);
    return conv.operand(1)(first);
  }

  /// All classes of a tile advance together from one block of source channels to the
  /// next, so that the filter streams in order: class after class, each skipping most
  /// taps, was 34 % of peak where this is 80 % (256 channels at 14x14 from 512 at 7x7).
  void defineClasses() {
    std::vector<Expr> classOf, tapX, tapY, fromX, fromY;
    const int nx = axisCount(axisX), ny = axisCount(axisY);
    for (int r = 0; r < shape.r; ++r)
      for (int s = 0; s < shape.s; ++s)
        for (int p = 0; p < nx * ny; ++p) {
          const GatherAxis::Class &cx = axisX.classes[p % nx], &cy = axisY.classes[p / nx];
          const int tx = (s - cx.firstTap) / axisX.tapStride, ty = (r - cy.firstTap) / axisY.tapStride;
          if (tx < 0 || tx >= cx.taps || ty < 0 || ty >= cy.taps || cx.firstTap + tx * axisX.tapStride != s || cy.firstTap + ty * axisY.tapStride != r)
            continue;
          classOf.push_back(p), tapX.push_back(s), tapY.push_back(r);
          fromX.push_back(cx.offset + tx * axisX.tapStep), fromY.push_back(cy.offset + ty * axisY.tapStep);
        }
    taps = RDom(0, lanes, 0, static_cast<int>(classOf.size()), 0, blocksPerChunk(), "taps");
    Expr ci = taps[0], t = taps[1], cb = taps[2];
    if (isChunked())
      cb = chunk * knobs.blocks + cb;
    accumulate(filter(ci, choose(t, tapX), choose(t, tapY), cb) *
                   source(ci, x * axisX.step + choose(t, fromX), y * axisY.step + choose(t, fromY), cb),
               choose(t, classOf));
  }
  static Expr choose(Expr index, const std::vector<Expr> &values) { return values.size() == 1 ? values[0] : mux(index, values); }

  /// The convolution's result at a pixel.
  Expr anchor(const At &at) const {
    const int nx = axisCount(axisX), ny = axisCount(axisY);
    Func whole = isChunked() ? sum : acc;
    if (!hasClasses())
      return whole(at.ki, at.x, at.y, at.kb, at.n);
    return whole(at.ki, at.x / nx, at.y / ny, at.kb, at.n, at.y % ny * nx + at.x % nx);
  }

  Expr value(int number, const At &at) const {
    auto found = tileValues.find(number);
    if (found != tileValues.end())
      return found->second(at.ki, at.x, at.y, at.kb, at.n);
    return conv.epilogue.pointwise(number, anchor(at), at);
  }

  /// A pointwise value that a result and a sum both need is computed once per tile.
  void defineValues() {
    std::map<int, int> uses;
    for (auto [result, number] : conv.epilogue.values())
      ++uses[number];
    for (const Epilogue::Reduction &r : conv.epilogue.reductions()) {
      ++uses[r.lhs];
      if (r.rhs >= 0)
        ++uses[r.rhs];
    }
    for (auto [number, count] : uses) {
      const bool anchorItself = number == conv.epilogue.anchorValue();
      if (count < 2 || number < static_cast<int>(conv.operands.size()) || anchorItself)
        continue;
      Func f("value" + std::to_string(number));
      f(ki, x, y, kb, n) = conv.epilogue.pointwise(number, anchor({ki, x, y, kb, n}), {ki, x, y, kb, n});
      tileValues.emplace(number, f);
    }
  }

  void defineResults(std::vector<Func> &outputs) {
    for (auto [result, number] : conv.epilogue.values()) {
      Func out("result" + std::to_string(result));
      out(ki, x, y, kb, n) = value(number, {ki, x, y, kb, n});
      bindResult(out, conv.spec.results[result]);
      results.push_back({out, result});
      outputs[result] = out;
    }
  }

  int tilesX() const { return (width + tileX - 1) / tileX; }
  int tilesY() const { return (height + tileY - 1) / tileY; }

  /// Sum over the pixels of tile (xo, yo, no). The last tile of a row is shifted
  /// inwards where the width is no multiple: pixels before it count only once.
  Expr overTile(const Epilogue::Reduction &r) const {
    Expr sum, baseX = min(xo * tileX, width - tileX), baseY = min(yo * tileY, height - tileY);
    if (width % tileX == 0)
      baseX = xo * tileX;
    if (height % tileY == 0)
      baseY = yo * tileY;
    for (int j = 0; j < tileX * tileY * knobs.images; ++j) {
      Expr px = baseX + j % tileX, py = baseY + j / tileX % tileY;
      const At at{ki, px, py, kb, no * knobs.images + j / (tileX * tileY)};
      Expr term = value(r.lhs, at);
      if (r.rhs >= 0)
        term = term * (r.rhs == r.lhs ? term : value(r.rhs, at));
      if (width % tileX)
        term = select(px >= xo * tileX, term, 0.f);
      if (height % tileY)
        term = select(py >= yo * tileY, term, 0.f);
      sum = j ? sum + term : term;
    }
    return sum;
  }

  /// Element i of `count`; of one, Halide makes no tuple.
  static Expr element(FuncRef value, size_t i, size_t count) { return count == 1 ? Expr(value) : Expr(value[i]); }

  void defineSums(std::vector<Func> &outputs) {
    std::vector<Epilogue::Reduction> reductions = conv.epilogue.reductions();
    if (reductions.empty())
      return;
    hasSums = true;
    std::vector<Expr> sums;
    for (const Epilogue::Reduction &r : reductions)
      sums.push_back(overTile(r));
    tileSums(ki, xo, yo, kb, no) = Tuple(sums);
    // Over the tiles in double: f32 rounds a square's sum too coarsely where the mean is many deviations.
    const int block = kChannelBlock;
    RDom tile(0, tilesX(), 0, tilesY(), 0, shape.n / knobs.images, "tile");
    Func total("totals");
    Var k("k"), p("p");
    std::vector<Expr> zeros(sums.size(), cast<double>(hiddenZero(firstElement()))), added;
    total(k) = Tuple(zeros);
    for (size_t i = 0; i < sums.size(); ++i) {
      Expr term = element(tileSums(k % block, tile.x, tile.y, k / block, tile.z), i, sums.size());
      added.push_back(element(total(k), i, sums.size()) + cast<double>(term));
    }
    total(k) = Tuple(added);
    const int lanes = conv.machine.vectorFloats;
    total.compute_root().store_in(scratch).bound(k, 0, resultBlocks * block).vectorize(k, lanes);
    total.update().reorder(k, tile.x, tile.y, tile.z).vectorize(k, lanes);
    for (size_t i = 0; i < sums.size(); ++i) {
      const int result = reductions[i].result;
      Func out("result" + std::to_string(result));
      out(k, p) = cast<float>(element(total(k), i, sums.size()));
      bindResult(out, conv.spec.results[result]);
      out.vectorize(k, lanes);
      outputs[result] = out;
    }
  }

  /// Splits channels into vectors of a tile: (kii, kvi, kbi) inside, (kvo, kbo) outside.
  template <typename Stage> void splitChannels(Stage &&stage) {
    const int perBlock = kChannelBlock / conv.machine.vectorFloats;
    stage.split(ki, kv, kii, conv.machine.vectorFloats);
    stage.split(kv, kvo, kvi, std::min(knobs.vectors, perBlock));
    stage.split(kb, kbo, kbi, std::max(1, knobs.vectors / perBlock));
  }

  template <typename Stage> void orderLoops(Stage &&stage, std::vector<VarOrRVar> inner) {
    std::vector<VarOrRVar> order = {kii, kvi, kbi};
    order.insert(order.end(), inner.begin(), inner.end());
    switch (knobs.order) {
    case DirectOrder::Images:
      order.insert(order.end(), {xo, yo, kvo, kbo, no});
      break;
    case DirectOrder::Panels:
      order.insert(order.end(), {xo, yo, no, kvo, kbo});
      break;
    case DirectOrder::Rows:
      order.insert(order.end(), {xo, kvo, kbo, yo, no});
      break;
    }
    stage.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi);
  }

  void scheduleTile(Func f, LoopLevel at) {
    f.compute_at(at).store_in(MemoryType::Register);
    f.vectorize(ki, conv.machine.vectorFloats).unroll(ki).unroll(x).unroll(y).unroll(kb).unroll(n);
  }

  void scheduleSum() {
    sum.compute_at(results[0].first, kvo).store_in(scratch);
    sum.vectorize(ki, conv.machine.vectorFloats);
    Stage update = sum.update();
    splitChannels(update);
    std::vector<VarOrRVar> order = {kii, kvi, kbi};
    if (hasClasses())
      order.push_back(p);
    for (int d = 0; d < 7; ++d)
      order.push_back(walk[d]);
    order.insert(order.end(), {kvo, kbo});
    update.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi).unroll(walk[0]).unroll(walk[1]).unroll(walk[2]);
    if (hasClasses())
      update.unroll(p);
  }

  void scheduleAccumulator() {
    if (isChunked())
      scheduleSum();
    scheduleTile(acc, isChunked() ? LoopLevel(sum, walk[3]) : LoopLevel(results[0].first, xo));
    RVar ci = taps[0], cio("cio"), cii("cii");
    Stage update = acc.update();
    update.split(ki, kv, kii, conv.machine.vectorFloats);
    update.split(ci, cio, cii, std::min(knobs.channels, lanes));
    if (hasClasses())
      update.reorder({kii, kv, kb, x, y, n, cii, cio, taps[1], taps[2]}).unroll(taps[1]);
    else if (knobs.tapsInside)
      update.reorder({kii, kv, kb, taps[1], x, y, n, cii, cio, taps[2], taps[3]}).unroll(taps[1]);
    else
      update.reorder({kii, kv, kb, x, y, n, cii, cio, taps[1], taps[2], taps[3]});
    update.vectorize(kii).unroll(kv).unroll(kb).unroll(x).unroll(y).unroll(n).unroll(cii);
    if (hasClasses())
      acc.unroll(p);
  }

  void schedule(std::vector<Func> &) {
    Func master = results[0].first;
    for (auto [out, result] : results) {
      out.split(x, xo, xi, tileX).split(y, yo, yi, tileY).split(n, no, ni, knobs.images);
      splitChannels(out);
      orderLoops(out, {xi, yi, ni});
      out.unroll(xi).unroll(yi).unroll(ni);
      if (!out.name().starts_with(master.name()))
        out.compute_with(master, xo);
    }
    if (hasSums) {
      tileSums.bound(ki, 0, int(kChannelBlock)).bound(xo, 0, tilesX()).bound(yo, 0, tilesY()).bound(kb, 0, resultBlocks).bound(no, 0, shape.n / knobs.images);
      tileSums.compute_root().store_in(scratch);
      splitChannels(tileSums);
      orderLoops(tileSums, {});
      tileSums.compute_with(master, xo);
    }
    scheduleAccumulator();
    for (auto &[number, f] : tileValues)
      scheduleTile(f, LoopLevel(master, xo));
    for (auto [out, result] : results)
      zeroRing(out, conv.spec.results[result], conv.machine);
  }
};

} // namespace

/// Whether every rank-4 tensor of the epilogue is blocked and every result is what
/// the template writes.
static bool suitsBlocks(const ConvKernel &conv) {
  if (conv.epilogue.values().empty())
    return false;
  for (size_t i = 0; i < conv.operands.size(); ++i) {
    const TensorSpec &tensor = conv.spec.operands[i];
    const bool own = static_cast<int>(i) == conv.operandNumber(0) || static_cast<int>(i) == conv.operandNumber(1);
    if (!own && tensor.shape.size() == 4 && tensor.layout != LayoutKind::C16)
      return false;
  }
  for (const TensorSpec &tensor : conv.spec.results)
    if (tensor.layout != LayoutKind::C16 || (tensor.shape.size() == 2 && tensor.shape[0] != 1))
      return false;
  return true;
}

/// Whether the filter has the layout that goes with the source's.
static bool suitsLayouts(const ConvKernel &conv) {
  const LayoutKind source = conv.operandSpec(0).layout, filter = conv.operandSpec(1).layout;
  if (conv.direction == ConvDirection::GradData)
    return source == LayoutKind::C16 && filter == LayoutKind::C16K16;
  return (source == LayoutKind::C16 && filter == LayoutKind::K16C16) || (source == LayoutKind::Dense && filter == LayoutKind::K16);
}

/// Whether the result can be cut into such tiles.
static bool fits(const DirectKnobs &t, const ConvKernel &conv, int width, int height) {
  const bool strided = conv.direction == ConvDirection::GradData && (conv.shape.strideX > 1 || conv.shape.strideY > 1);
  const int perBlock = kChannelBlock / conv.machine.vectorFloats;
  const int sourceBlocks = ((conv.direction == ConvDirection::Forward ? conv.shape.c : conv.shape.k) + kChannelBlock - 1) / kChannelBlock;
  const int blocks = ((conv.direction == ConvDirection::Forward ? conv.shape.k : conv.shape.c) + kChannelBlock - 1) / kChannelBlock;
  auto divides = [](int part, int whole) { return part > 0 && whole % part == 0; };
  if (!divides(t.images, conv.shape.n) || !divides(t.channels, kChannelBlock) || (t.blocks && (sourceBlocks % t.blocks || t.order != DirectOrder::Panels)) || t.pixels < 1 || t.rows < 1 || t.pixels > width || t.rows > height)
    return false;
  if (strided && (width % t.pixels || height % t.rows))
    return false;
  return t.vectors > perBlock ? divides(perBlock, t.vectors) && divides(t.vectors / perBlock, blocks) : divides(t.vectors, perBlock);
}

bool buildConvDirect(ConvKernel &conv, std::vector<Func> &outputs) {
  const ConvShape &s = conv.shape;
  if (conv.direction == ConvDirection::GradWeight || s.groups != 1 || !suitsLayouts(conv) || !suitsBlocks(conv))
    return false;
  const bool forward = conv.direction == ConvDirection::Forward;
  const GatherAxis x = forward ? forwardAxis(s.strideX, s.left, s.dilationX, s.s) : gradDataAxis(s.strideX, s.left, s.dilationX, s.s);
  const GatherAxis y = forward ? forwardAxis(s.strideY, s.top, s.dilationY, s.r) : gradDataAxis(s.strideY, s.top, s.dilationY, s.r);
  const int sourceW = forward ? s.w : s.ow, sourceH = forward ? s.h : s.oh, w = forward ? s.ow : s.w, h = forward ? s.oh : s.h;
  const int halo = conv.operandSpec(0).halo;
  if (x.sourceMin() < -halo || y.sourceMin() < -halo || x.sourceMax(w) >= sourceW + halo || y.sourceMax(h) >= sourceH + halo)
    return false;
  DirectKnobs knobs = conv.knobs.empty() ? defaultDirectKnobs(conv, x, y) : directKnobs(conv.knobs);
  if (w % x.classes.size() || h % y.classes.size())
    return false;
  if (!fits(knobs, conv, w / x.classes.size(), h / y.classes.size()))
    throw CompileError("the tile does not fit the convolution");
  outputs.resize(conv.spec.results.size());
  DirectConv(conv, knobs).build(outputs);
  return true;
}

} // namespace resin::codegen
