//===- ConvDirect.cpp - Convolutions that gather: forward, data gradient --===//
//
// Results are blocked by 16 channels; the source is too, or is a planar image.
// A register tile of pixels x vectors of result channels is summed over all taps
// and source channels, the epilogue is evaluated on it, and it is stored once.
//
//   1. acc        the register tile, one Func per residue class of the stride
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
    defineAccumulators();
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

  Var ki{"ki"}, x{"x"}, y{"y"}, kb{"kb"}, n{"n"}, xo{"xo"}, xi{"xi"}, yo{"yo"}, yi{"yi"};
  Var kii{"kii"}, kv{"kv"}, kvo{"kvo"}, kvi{"kvi"}, kbo{"kbo"}, kbi{"kbi"};

  struct Accumulator {
    Func func;
    RDom taps;
    int tapsX;
  };
  std::vector<Accumulator> accumulators; // [class y][class x]
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

  void defineAccumulators() {
    for (const GatherAxis::Class &cy : axisY.classes)
      for (const GatherAxis::Class &cx : axisX.classes) {
        Accumulator a{Func("acc" + std::to_string(accumulators.size())), RDom(), cx.taps};
        a.func(ki, x, y, kb, n) = 0.f;
        if (cx.taps && cy.taps) {
          a.taps = RDom(0, lanes, 0, cx.taps, 0, cy.taps, 0, sourceBlocks, "taps" + std::to_string(accumulators.size()));
          Expr ci = a.taps[0], tx = a.taps[1], ty = a.taps[2], cb = a.taps[3];
          a.func(ki, x, y, kb, n) += filter(ci, cx.firstTap + tx * axisX.tapStride, cy.firstTap + ty * axisY.tapStride, cb) *
                                     source(ci, x * axisX.step + cx.offset + tx * axisX.tapStep,
                                            y * axisY.step + cy.offset + ty * axisY.tapStep, cb);
        }
        accumulators.push_back(a);
      }
  }

  /// The convolution's result at a pixel, out of the class it belongs to.
  Expr anchor(const At &at) const {
    const int nx = axisCount(axisX), ny = axisCount(axisY);
    if (accumulators.size() == 1)
      return accumulators[0].func(at.ki, at.x, at.y, at.kb, at.n);
    std::vector<Expr> choices;
    for (const Accumulator &a : accumulators)
      choices.push_back(a.func(at.ki, at.x / nx, at.y / ny, at.kb, at.n));
    return mux(at.y % ny * nx + at.x % nx, choices);
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
      const bool anchorItself = number == conv.epilogue.anchorValue() && accumulators.size() == 1;
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

  /// Sum over the pixels of tile (xo, yo). The last tile of a row is shifted
  /// inwards where the width is no multiple: pixels before it count only once.
  Expr overTile(const Epilogue::Reduction &r) const {
    Expr sum, baseX = min(xo * tileX, width - tileX), baseY = min(yo * tileY, height - tileY);
    if (width % tileX == 0)
      baseX = xo * tileX;
    if (height % tileY == 0)
      baseY = yo * tileY;
    for (int j = 0; j < tileX * tileY; ++j) {
      Expr px = baseX + j % tileX, py = baseY + j / tileX;
      const At at{ki, px, py, kb, n};
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
    tileSums(ki, xo, yo, kb, n) = Tuple(sums);
    // Over the tiles in double: f32 rounds a square's sum too coarsely where the mean is many deviations.
    const int block = kChannelBlock;
    RDom tile(0, tilesX(), 0, tilesY(), 0, shape.n, "tile");
    Func total("totals");
    Var k("k"), p("p");
    std::vector<Expr> zeros(sums.size(), Expr(0.0)), added;
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
    for (Var v : {xo, yo})
      order.push_back(v);
    if (knobs.panelOuter)
      order.insert(order.end(), {n, kvo, kbo});
    else
      order.insert(order.end(), {kvo, kbo, n});
    stage.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi);
  }

  void scheduleTile(Func f) {
    Func master = results[0].first;
    f.compute_at(master, xo).store_in(MemoryType::Register);
    f.vectorize(ki, conv.machine.vectorFloats).unroll(ki).unroll(x).unroll(y).unroll(kb);
  }

  void scheduleAccumulator(Accumulator &a) {
    scheduleTile(a.func);
    if (!a.taps.defined())
      return;
    RVar ci = a.taps[0], tx = a.taps[1], ty = a.taps[2], cb = a.taps[3], cio("cio"), cii("cii");
    Stage update = a.func.update();
    update.split(ki, kv, kii, conv.machine.vectorFloats);
    update.split(ci, cio, cii, std::min(knobs.channels, lanes));
    if (knobs.tapsInside)
      update.reorder({kii, kv, kb, tx, x, y, cii, cio, ty, cb, n}).unroll(tx);
    else
      update.reorder({kii, kv, kb, x, y, cii, cio, tx, ty, cb, n});
    update.vectorize(kii).unroll(kv).unroll(kb).unroll(x).unroll(y).unroll(cii);
  }

  void schedule(std::vector<Func> &) {
    Func master = results[0].first;
    for (auto [out, result] : results) {
      out.split(x, xo, xi, tileX).split(y, yo, yi, tileY);
      splitChannels(out);
      orderLoops(out, {xi, yi});
      out.unroll(xi).unroll(yi);
      if (!out.name().starts_with(master.name()))
        out.compute_with(master, xo);
    }
    if (hasSums) {
      tileSums.bound(ki, 0, int(kChannelBlock)).bound(xo, 0, tilesX()).bound(yo, 0, tilesY()).bound(kb, 0, resultBlocks).bound(n, 0, shape.n);
      tileSums.compute_root().store_in(scratch);
      splitChannels(tileSums);
      orderLoops(tileSums, {});
      tileSums.compute_with(master, xo);
    }
    for (Accumulator &a : accumulators)
      scheduleAccumulator(a);
    for (auto &[number, f] : tileValues)
      scheduleTile(f);
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
  outputs.resize(conv.spec.results.size());
  DirectConv(conv, knobs).build(outputs);
  return true;
}

} // namespace resin::codegen
