//===- ConvTile.cpp - The loop nest around a convolution's tiles ----------===//
//
// Sums of a tile are taken from registers, then in double over the tiles of the piece
// (kernels/TileSums.h). Those of a large map's tiles do not fit the stack. Then they are
// taken in a second pass, plane by plane, from the results in memory.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/ConvTile.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

void ConvTile::build(std::vector<Func> &outputs) {
  outputs.resize(conv.spec.results.size());
  nameResults();
  defineAnchor();
  defineValues();
  defineResults(outputs);
  if (conv.frugal)
    zeroRings(); // before the sums read them
  defineSums(outputs);
  schedule();
}

//===----------------------------------------------------------------------===//
// The algorithm
//===----------------------------------------------------------------------===//

Expr ConvTile::value(int number, const Coordinates &at) const {
  auto found = tileValues.find(number);
  if (found != tileValues.end())
    return found->second(at.ki, at.x, at.y, at.kb, at.n);
  return conv.epilogue.pointwise(number, anchor(at), at);
}

/// One that is stored in part is computed whole, and reads no operand outside.
Coordinates ConvTile::insideImage(const Coordinates &at) const {
  auto inside = [](Expr place, int extent, int part, bool shifted) {
    return !shifted && extent % part ? min(place, extent - 1) : place;
  };
  return {at.ki, inside(at.x, width, tile.x, tile.shiftedX), inside(at.y, height, tile.y, tile.shiftedY), at.kb, at.n};
}

/// Where the tile may reach beyond the image.
Expr ConvTile::valueInTile(int number, const Coordinates &at) const {
  auto found = tileValues.find(number);
  if (found != tileValues.end())
    return found->second(at.ki, at.x, at.y, at.kb, at.n);
  return conv.epilogue.pointwise(number, anchor(at), insideImage(at));
}

/// A value from memory: a result, an operand, or what follows from them.
Expr ConvTile::storedValue(int number, const Coordinates &at) const {
  const Coordinates inside = insideImage(at);
  Expr anchorStored = 0.f;
  for (const auto &[out, result] : results) {
    Expr stored = out(inside.ki, inside.x, inside.y, inside.kb, inside.n);
    if (conv.spec.yields[result] == number)
      return stored;
    if (conv.spec.yields[result] == conv.epilogue.anchorValue())
      anchorStored = stored;
  }
  return conv.epilogue.pointwise(number, anchorStored, inside);
}

/// A pointwise value that a result and a sum both need is computed once per tile.
void ConvTile::defineValues() {
  std::map<int, int> uses;
  for (auto [result, number] : conv.epilogue.values())
    ++uses[number];
  for (const Epilogue::Reduction &r : conv.frugal ? std::vector<Epilogue::Reduction>() : conv.epilogue.reductions()) {
    ++uses[r.lhs];
    if (r.rhs >= 0)
      ++uses[r.rhs];
  }
  for (auto [number, count] : uses) {
    const bool anchorItself = number == conv.epilogue.anchorValue();
    if (count < 2 || number < static_cast<int>(conv.operands.size()) || anchorItself)
      continue;
    Func f("value" + std::to_string(number));
    f(ki, x, y, kb, n) = valueInTile(number, {ki, x, y, kb, n});
    tileValues.emplace(number, f);
  }
}

void ConvTile::nameResults() {
  for (auto [result, number] : conv.epilogue.values())
    results.push_back({Func("result" + std::to_string(result)), result});
}

void ConvTile::defineResults(std::vector<Func> &outputs) {
  const auto values = conv.epilogue.values();
  for (size_t i = 0; i < values.size(); ++i) {
    auto [out, result] = results[i];
    out(ki, x, y, kb, n) = value(values[i].second, {ki, x, y, kb, n});
    bindResult(out, conv.spec.results[result]);
    outputs[result] = out;
  }
}

std::vector<LinesAhead> ConvTile::tileTensors(const ActivationPart &part) const {
  std::vector<LinesAhead> tensors;
  for (const auto &[out, result] : results)
    tensors.push_back(linesOf(out.name(), conv.spec.results[result], part));
  for (size_t i = 0; i < conv.operands.size(); ++i) {
    const bool own = static_cast<int>(i) == conv.operandNumber(0) || static_cast<int>(i) == conv.operandNumber(1);
    if (!own && conv.spec.operands[i].shape.size() == 4)
      tensors.push_back(linesOf(conv.operands[i].name(), conv.spec.operands[i], part));
  }
  return tensors;
}

Expr ConvTile::anyFloat() const {
  std::vector<Expr> first;
  for (const StorageDimension &d : storageDimensions(conv.operandSpec(1)))
    first.push_back(d.min);
  return conv.operand(1)(first);
}

/// Tile (xo, yo, no). In the last tile of a row, pixels counted before or outside the
/// image count for nothing.
TileSums::Tile ConvTile::sumsTile() const {
  const bool raggedX = width % tile.x, raggedY = height % tile.y;
  auto pixel = [=, this](int j) {
    const auto [baseX, baseY] = basePixel(xo, yo);
    return Coordinates{ki, baseX + j % tile.x, baseY + j / tile.x % tile.y, kb,
                       no * tile.images + j / (tile.x * tile.y)};
  };
  TileSums::Tile sums;
  sums.pixels = tile.x * tile.y * tile.images;
  sums.value = [=, this](int number, int j) {
    return conv.frugal ? storedValue(number, pixel(j)) : valueInTile(number, pixel(j));
  };
  sums.count = countedPixels(xo, yo);
  if (raggedX || raggedY)
    sums.counts = [=, this](int j) {
      const Coordinates at = pixel(j);
      Expr counts = Internal::const_true();
      if (raggedX)
        counts = counts && (tile.shiftedX ? at.x >= xo * tile.x : at.x < width);
      if (raggedY)
        counts = counts && (tile.shiftedY ? at.y >= yo * tile.y : at.y < height);
      return counts;
    };
  return sums;
}

/// The first pixel of tile (tileX, tileY).
std::pair<Expr, Expr> ConvTile::basePixel(Expr tileX, Expr tileY) const {
  auto base = [](Expr at, int part, int extent, bool shifted) {
    return shifted && extent % part ? min(at * part, extent - part) : at * part;
  };
  return {base(tileX, tile.x, width, tile.shiftedX), base(tileY, tile.y, height, tile.shiftedY)};
}

/// Pixels of tile (tileX, tileY) that no other counts.
Expr ConvTile::countedPixels(Expr tileX, Expr tileY) const {
  auto counted = [](Expr at, int part, int extent) {
    return extent % part ? min(part, extent - at * part) : Expr(part);
  };
  return counted(tileX, tile.x, width) * counted(tileY, tile.y, height) * tile.images;
}

/// Element i of `count`; of one, Halide makes no tuple.
static Expr element(FuncRef value, size_t i, size_t count) { return count == 1 ? Expr(value) : Expr(value[i]); }

void ConvTile::defineSums(std::vector<Func> &outputs) {
  const std::vector<Epilogue::Reduction> reductions = conv.epilogue.reductions();
  if (reductions.empty())
    return;
  const TileSums sums(reductions, conv.operands.size());
  const std::vector<Expr> parts = sums.leave(sumsTile());
  tileSums(ki, xo, yo, kb, no) = Tuple(parts);
  defineTotal(sums, parts.size());
  Var k("k"), p("p");
  for (size_t i = 0; i < reductions.size(); ++i) {
    const int result = reductions[i].result;
    Func out("result" + std::to_string(result));
    out(k, p) = cast(typeOf(conv.spec.results[result].type), element(total(k), i, reductions.size()));
    bindResult(out, conv.spec.results[result]);
    outputs[result] = out;
    sumResults.push_back(out);
  }
}

/// Adds up what tiles have left.
void ConvTile::defineTotal(const TileSums &sums, size_t parts) {
  const int block = kChannelBlock;
  const size_t count = conv.epilogue.reductions().size();
  allTiles = RDom(0, tilesX(), 0, tilesY(), 0, shape.n / tile.images, "walk");
  Var k("k");
  const auto firstPixel = [&](int number) {
    const auto [baseX, baseY] = basePixel(allTiles.x, allTiles.y);
    return conv.epilogue.pointwise(number, 0.f, {k % block, baseX, baseY, k / block, allTiles.z * tile.images});
  };
  std::vector<Expr> zeros(count, cast<double>(hiddenZero(anyFloat()))), left, added;
  for (size_t i = 0; i < parts; ++i)
    left.push_back(element(tileSums(k % block, allTiles.x, allTiles.y, k / block, allTiles.z), i, parts));
  total(k) = Tuple(zeros);
  for (Expr term : sums.add(left, countedPixels(allTiles.x, allTiles.y), firstPixel))
    added.push_back(element(total(k), added.size(), count) + term);
  total(k) = Tuple(added);
}

//===----------------------------------------------------------------------===//
// The schedule
//===----------------------------------------------------------------------===//

void ConvTile::orderLoops(Func f, std::vector<VarOrRVar> inner) const {
  std::vector<VarOrRVar> order = {kii, kvi, kbi};
  order.insert(order.end(), inner.begin(), inner.end());
  for (const VarOrRVar &v : loopOrder())
    order.push_back(v);
  f.reorder(order).vectorize(kii).unroll(kvi).unroll(kbi);
}

void ConvTile::schedule() {
  Func master = results[0].first;
  scheduleResults(master);
  if (!sumResults.empty())
    scheduleSums(master);
  scheduleAnchor(master);
  for (auto &[number, f] : tileValues) {
    f.compute_at(master, xo).store_in(MemoryType::Register);
    f.bound_extent(x, tile.x).bound_extent(y, tile.y);
    f.vectorize(ki, vectorFloats).unroll(ki).unroll(x).unroll(y).unroll(kb).unroll(n);
  }
  if (!conv.frugal)
    zeroRings();
}

/// All of them in the nest of `master`.
void ConvTile::scheduleResults(Func master) {
  const auto tail = [](bool shifted) { return shifted ? TailStrategy::ShiftInwards : TailStrategy::GuardWithIf; };
  for (auto [out, result] : results) {
    out.split(x, xo, xi, tile.x, tail(tile.shiftedX)).split(y, yo, yi, tile.y, tail(tile.shiftedY));
    out.split(n, no, ni, tile.images);
    splitChannels(out);
    splitTileLoops(out);
    orderLoops(out, {xi, yi, ni});
    out.unroll(xi).unroll(yi).unroll(ni);
    if (!out.name().starts_with(master.name()))
      out.compute_with(master, xo);
  }
}

void ConvTile::scheduleSums(Func master) {
  if (conv.frugal)
    return TileSums::placeApart(sumResults, total, allTiles, tileSums, vectorFloats);
  const int block = kChannelBlock;
  Var k("k");
  for (Func out : sumResults)
    out.vectorize(k, vectorFloats);
  total.compute_root().store_in(kStackScratch).bound(k, 0, resultBlocks * block).vectorize(k, vectorFloats);
  total.update().reorder(k, allTiles.x, allTiles.y, allTiles.z).vectorize(k, vectorFloats);
  tileSums.bound(ki, 0, block)
      .bound(xo, 0, tilesX())
      .bound(yo, 0, tilesY())
      .bound(kb, 0, resultBlocks)
      .bound(no, 0, shape.n / tile.images);
  tileSums.compute_root().store_in(kStackScratch);
  splitChannels(tileSums);
  splitTileLoops(tileSums);
  orderLoops(tileSums, {});
  tileSums.compute_with(master, xo);
}

void ConvTile::zeroRings() {
  for (auto [out, result] : results)
    zeroRing(out, conv.spec.results[result], conv.machine, conv.piece);
}

static bool storesAny(const ConvProblem &conv) {
  const std::vector<ImageParam> none;
  return !Epilogue(conv.spec, none, conv.node).values().empty();
}

/// Whether every rank-4 tensor of the epilogue is blocked and every result is what
/// the template writes.
bool suitsTiles(const ConvProblem &conv) {
  if (!storesAny(conv))
    return false;
  for (size_t i = 0; i < conv.spec.operands.size(); ++i) {
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

} // namespace resin::codegen
