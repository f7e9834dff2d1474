//===- Maps.cpp - Kernels that map activations pixel by pixel -------------===//
//
// Applying batch norm, joining branches, masking gradients: results are activations
// in blocks of channels, and sums over their pixels ride along. Such a kernel should
// take as long as its operands and results take to move, so all is done in one pass:
//
//   for n, kb, yo:                       a band is `rows` rows
//    scratch of a few rows (pools)
//    for yi, xo:                         a tile is `width` pixels of a row
//     values that are needed twice       in registers
//     each result's pixels
//     a partial of each sum              one vector for each tile
//   sums of the partials, in double    (kernels/TileSums.h)
//
// Partials of a large map do not fit the stack. Then sums are a second pass, plane by
// plane, over what the first has stored, or over operands.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/Maps.h"

#include "codegen/cpu/kernels/TileSums.h"
#include "codegen/cpu/kernels/Values.h"
#include "codegen/cpu/schedules/FetchAhead.h"
#include "support/OpFacts.h"

#include <algorithm>
#include <map>

using namespace Halide;

namespace resin::codegen {

namespace {

bool isSum(const KernelNode &node) { return factsOf(node.op).role == OpRole::Reduction; }

/// Whether the node's values depend on bits that are drawn at random.
bool draws(const KernelNode &node) {
  const Few<OperandFacts> &operands = factsOf(node.op).operands;
  return std::any_of(operands.begin(), operands.end(), [](auto &operand) { return operand.domain == Domain::Seed; });
}

class MapBuilder {
public:
  MapBuilder(const KernelSpec &spec, const KernelMachine &machine) : spec(spec), machine(machine) {}

  /// Finds results and sums; false if the kernel is not of this kind.
  bool suits() {
    for (const KernelNode &node : spec.nodes)
      if (!isSum(node) && !factsOf(node.op).isExpression)
        return false;
    for (size_t i = 0; i < spec.yields.size(); ++i)
      if (!classify(i))
        return false;
    return shape.size() == 4;
  }

  void build(BuiltKernel &kernel) {
    operands = makeOperands(spec);
    kernel.arguments.assign(operands.begin(), operands.end());
    if (piece.defined())
      kernel.arguments.push_back(piece);
    kernel.outputs.resize(spec.results.size());
    chooseFours();
    evaluateNodes();
    chooseTile();
    chooseBand();
    defineTileValues();
    defineStores(kernel);
    if (sumsAreApart())
      zeroRings(); // before anybody reads them
    if (!sums.empty())
      defineSums(kernel);
    schedule();
  }

private:
  /// Every activation has the shape of the first.
  bool hasShape(const std::vector<int64_t> &other) {
    if (shape.empty())
      shape = other;
    return shape == other;
  }

  bool classify(size_t i) {
    const TensorSpec &result = spec.results[i];
    if (result.layout != LayoutKind::C16)
      return false;
    const int defining = definingNode(spec, spec.yields[i]);
    if (defining < 0 || !isSum(spec.nodes[defining])) {
      stores.push_back(i);
      return result.type == ElementType::F32 && result.shape.size() == 4 && hasShape(result.shape);
    }
    const KernelNode &node = spec.nodes[defining];
    checkNode(node);
    sums.push_back({int(i), node.operands[0], node.operands.size() > 1 ? node.operands[1] : -1});
    return node.integer("pieces") == 1 && hasShape(described[node.operands[0]].shape);
  }

  /// Random words come in fours: they are drawn once for as many pixels, if every node reads its own pixel alone.
  void chooseFours() {
    const bool pointwise = std::all_of(spec.nodes.begin(), spec.nodes.end(), [](const KernelNode &node) {
      return isSum(node) || factsOf(node.op).role == OpRole::Pointwise;
    });
    if (pointwise && std::any_of(spec.nodes.begin(), spec.nodes.end(), draws) && shape[3] % 4 == 0)
      stages.tileByFours();
  }

  void evaluateNodes() {
    for (size_t i = 0; i < operands.size(); ++i)
      values.push_back(operandValue(spec.operands[i], operands[i]));
    for (const KernelNode &node : spec.nodes) {
      checkNode(node);
      std::vector<Value> inputs, results(1);
      for (int operand : node.operands)
        inputs.push_back(values[operand]);
      if (!isSum(node))
        results = findNode(node.op)->define(node, inputs, stages);
      values.insert(values.end(), results.begin(), results.end());
      heavy |= factsOf(node.op).isHeavy && !stages.tilesByFours();
    }
  }

  /// Wide enough that the partials of the sums are a small part of what moves.
  void chooseTile() {
    width = shape[3];
    const std::vector<int> any = {8, 14, 10, 7, 12, 16, 9, 6, 5}, byFours = {8, 12, 16, 4};
    for (int candidate : stages.tilesByFours() ? byFours : any)
      if (shape[3] % candidate == 0) {
        width = candidate;
        return;
      }
    width = std::min<int>(width, 8);
  }
  /// Rows whose scratch is computed at once: windows that stand over two bands are
  /// computed twice.
  void chooseBand() {
    rows = 1;
    for (int candidate : {8, 14, 10, 12, 16, 7, 6, 9, 5, 4, 11, 13, 3, 2})
      if (stages.hasImages() && shape[2] % candidate == 0) {
        rows = candidate;
        return;
      }
  }
  int tiles() const { return (shape[3] + width - 1) / width; }

  Expr expression(int number, Expr atX) const {
    return values[number].at({Expr(n), Coordinate(kb, ki, shape[1] % kChannelBlock != 0), Expr(y), atX});
  }

  Expr value(int number, Expr atX) const {
    auto found = tileValues.find(number);
    return found == tileValues.end() ? expression(number, atX) : found->second(ki, atX, y, kb, n);
  }

  void defineTileValues() {
    std::map<int, int> uses;
    for (size_t store : stores)
      ++uses[spec.yields[store]];
    if (!sumsAreApart())
      for (const Epilogue::Reduction &sum : sums) {
        ++uses[sum.lhs];
        if (sum.rhs >= 0)
          ++uses[sum.rhs];
      }
    for (auto [number, count] : uses)
      if (count > 1 || heavy) {
        Func f("value" + std::to_string(number));
        f(ki, x, y, kb, n) = expression(number, x);
        tileValues.emplace(number, f);
      }
  }

  void defineStores(BuiltKernel &kernel) {
    for (size_t store : stores) {
      Func out("result" + std::to_string(store));
      Expr pixel = value(spec.yields[store], x);
      out(ki, x, y, kb, n) = results.empty() && !heavy && !stages.hasImages() ? pixel + fetchAhead(out) : pixel;
      bindResult(out, spec.results[store]);
      kernel.outputs[store] = out;
      results.push_back(out);
    }
  }

  /// Zero, and on the way a line of each activation some pixels ahead, over the ends of rows: the core's own prefetches
  /// stop at each 4 KiB. From memory 21 -> 18 us (a join of 64 channels, 8x8, 8 images), 25 -> 21 (a gradient before
  /// batch norm); from cache 12 before and after, 15 -> 16.
  Expr fetchAhead(Func first) const {
    const int linesAhead = 32, lineFloats = kChannelBlock, vector = machine.vectorFloats;
    Expr fetches = 0;
    auto fetch = [&](const std::string &storage, const TensorSpec &tensor) {
      const std::vector<StorageDimension> d = storageDimensions(tensor); // ki, x, y, block, image
      Expr line = x - d[1].min + linesAhead + ki / vector,
           plane = n * int(d[4].stride) + kb * int(d[3].stride) + (y - d[2].min) * int(d[2].stride);
      fetches += fetchLine(storage, plane + line * lineFloats);
    };
    for (size_t i = 0; i < operands.size(); ++i)
      if (spec.operands[i].shape == shape && spec.operands[i].layout == LayoutKind::C16)
        fetch(operands[i].name(), spec.operands[i]);
    fetch(first.name(), spec.results[stores[0]]);
    // As many pixels apart as a block has vectors: each of them then fetches another pixel's line.
    return cast<float>(select(x % (lineFloats / vector) == 0, fetches, 0));
  }

  /// Where tile `at` of a row begins. The last one is shifted inwards where the width does not divide: pixels that the
  /// tile before had count for nothing.
  Expr basePixel(Expr at) const { return shape[3] % width ? min(at * width, int(shape[3]) - width) : at * width; }
  Expr countedPixels(Expr at) const { return shape[3] % width ? min(width, int(shape[3]) - at * width) : Expr(width); }

  /// Whether sums are a pass of their own behind that of the stores. Alone they are one anyway.
  bool sumsAreApart() const { return machine.frugal && !stores.empty(); }

  /// A pixel's value as the sums read it.
  Expr summed(int number, Expr atX) const {
    if (sumsAreApart())
      for (size_t i = 0; i < stores.size(); ++i)
        if (spec.yields[stores[i]] == number)
          return results[i](ki, atX, y, kb, n);
    return value(number, atX);
  }

  TileSums::Tile sumsTile() const {
    TileSums::Tile tile;
    tile.pixels = width;
    tile.chains = 4;
    tile.value = [this](int number, int j) { return summed(number, basePixel(xo) + j); };
    tile.count = countedPixels(xo);
    if (shape[3] % width)
      tile.counts = [this](int j) { return basePixel(xo) + j >= xo * width; };
    return tile;
  }

  /// Element i of `count`; of one, Halide makes no tuple.
  static Expr element(FuncRef value, size_t i, size_t count) { return count == 1 ? Expr(value) : Expr(value[i]); }

  void defineSums(BuiltKernel &kernel) {
    const int block = kChannelBlock, blocks = (shape[1] + block - 1) / block;
    const TileSums tileByTile(sums, operands.size());
    const std::vector<Expr> parts = tileByTile.leave(sumsTile());
    tileSums(ki, xo, y, kb, n) = Tuple(parts);
    RDom tile(0, tiles(), 0, int(shape[2]), 0, int(shape[0]), "tile");
    Func totals("totals");
    Var c("c"), p("p");
    const auto firstPixel = [&](int number) {
      const Coordinate channel(c / block, c % block, shape[1] % kChannelBlock != 0);
      return values[number].at({Expr(tile.z), channel, Expr(tile.y), basePixel(tile.x)});
    };
    std::vector<Expr> zeros(sums.size(), Expr(0.0)), left, added;
    for (size_t i = 0; i < parts.size(); ++i)
      left.push_back(element(tileSums(c % block, tile.x, tile.y, c / block, tile.z), i, parts.size()));
    totals(c) = Tuple(zeros);
    for (Expr term : tileByTile.add(left, countedPixels(tile.x), firstPixel))
      added.push_back(element(totals(c), added.size(), sums.size()) + term);
    totals(c) = Tuple(added);
    const int lanes = machine.vectorFloats;
    std::vector<Func> sumResults;
    for (size_t i = 0; i < sums.size(); ++i) {
      const TensorSpec &result = spec.results[sums[i].result];
      Func out("result" + std::to_string(sums[i].result));
      out(c, p) = cast(typeOf(result.type), element(totals(c), i, sums.size()));
      bindResult(out, result);
      kernel.outputs[sums[i].result] = out;
      sumResults.push_back(out);
    }
    if (machine.frugal)
      return TileSums::placeApart(sumResults, totals, tile, tileSums, lanes);
    for (Func out : sumResults)
      out.vectorize(c, lanes);
    totals.compute_root().store_in(MemoryType::Register).bound(c, 0, blocks * block).vectorize(c, lanes);
    RVar inner = tile.x;
    totals.update().reorder(c, inner, tile.y, tile.z).vectorize(c, lanes);
    tileSums.bound(ki, 0, block)
        .bound(xo, 0, tiles())
        .bound(y, 0, int(shape[2]))
        .bound(kb, 0, blocks)
        .bound(n, 0, int(shape[0]));
    tileSums.compute_root().store_in(MemoryType::Register).vectorize(ki, lanes);
  }

  /// Two rows of a band at a time: with windows two apart, which windows hold a pixel
  /// is then known.
  void splitRows(Func f) {
    f.split(y, yo, yi, rows);
    if (rows % 2 == 0)
      f.split(yi, yi, pair, 2).unroll(pair);
  }

  void schedule() {
    Func master = results.empty() ? tileSums : results[0];
    // Of a tile that begins at a multiple it is known how many windows it needs.
    const TailStrategy tail = machine.frugal && stages.hasImages() ? TailStrategy::GuardWithIf : TailStrategy::Auto;
    for (size_t i = 0; i < results.size(); ++i) {
      results[i].split(x, xo, xi, width, tail).reorder(ki, xi, xo, y, kb, n).vectorize(ki, machine.vectorFloats);
      splitRows(results[i]);
      if (!heavy)
        results[i].unroll(xi);
      if (i)
        results[i].compute_with(master, xo);
    }
    if (!sums.empty() && !machine.frugal)
      splitRows(tileSums.reorder(ki, xo, y, kb, n));
    if (!results.empty() && !sums.empty() && !machine.frugal)
      tileSums.compute_with(master, xo);
    stages.placeImages(master, machine.frugal ? xo : yo);
    stages.placeFours(master, xo);
    for (auto &[number, f] : tileValues) {
      f.compute_at(master, xo).store_in(MemoryType::Register).vectorize(ki, machine.vectorFloats);
      if (!heavy)
        f.unroll(x);
    }
    if (!sumsAreApart())
      zeroRings();
  }

  void zeroRings() {
    for (size_t i = 0; i < results.size(); ++i)
      zeroRing(results[i], spec.results[stores[i]], machine, piece);
  }

  const KernelSpec &spec;
  const std::vector<ValueSpec> described = valuesOf(spec); ///< every value, by number
  const KernelMachine &machine;
  const ImageParam piece = makePiece(spec);
  Stages stages{machine, piece}; ///< images alone
  std::vector<ImageParam> operands;
  std::vector<Value> values;  ///< by number; none for sums
  std::vector<int64_t> shape; ///< of all activations
  std::vector<size_t> stores; ///< results that are activations
  std::vector<Epilogue::Reduction> sums;
  std::vector<Func> results; ///< one for each store
  std::map<int, Func> tileValues;
  Func tileSums{"tile_sums"};
  Var ki{"ki"}, x{"x"}, xo{"xo"}, xi{"xi"}, y{"y"}, yo{"yo"}, yi{"yi"}, pair{"pair"}, kb{"kb"}, n{"n"};
  int width = 1, rows = 1;
  bool heavy = false;
};

} // namespace

bool buildMap(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel) {
  MapBuilder builder(spec, machine);
  if (!builder.suits())
    return false;
  builder.build(kernel);
  return true;
}

} // namespace resin::codegen
