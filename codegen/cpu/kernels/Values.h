//===- Values.h - What nodes compute, as functions of indices ---*- C++ -*-===//
//
// A `Value` is a function from a logical index ([n, c, y, x], [k, c, r, s], ...) to
// an expression. Pointwise nodes and nodes that only move elements compose such
// functions; reductions put a scratch Func between (`Stages`). So one definition of
// a node serves every layout, and any chain of nodes becomes one expression.
//
// Loops run over the storage of a result, where a blocked channel is a block and a
// lane. `Coordinate` keeps the two apart, so that reading an operand of the same
// layout needs no division. The rule that keeps padding zero: *at a channel beyond
// the logical extent, every value is zero*.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_CODEGEN_CPU_KERNELS_VALUES_H
#define RESIN_CODEGEN_CPU_KERNELS_VALUES_H

#include "codegen/cpu/Builder.h"
#include "support/Divisors.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace resin::codegen {

/// One coordinate of a logical index.
class Coordinate {
public:
  /// A coordinate below its extent, or below its extent padded to 16 if `mayExceed`.
  Coordinate(Halide::Expr whole, bool mayExceed = false) : whole_(whole), mayExceed_(mayExceed) {}
  Coordinate(Halide::Expr block, Halide::Expr lane, bool mayExceed)
      : block_(block), lane_(lane), mayExceed_(mayExceed) {}

  Halide::Expr whole() const { return isSplit() ? simplified(block_ * int(kChannelBlock) + lane_) : whole_; }
  Halide::Expr block() const { return isSplit() ? block_ : whole_ / int(kChannelBlock); }
  Halide::Expr lane() const { return isSplit() ? lane_ : whole_ % int(kChannelBlock); }
  bool isSplit() const { return block_.defined(); }
  /// Whether the coordinate may stand in the padding.
  bool mayExceed() const { return mayExceed_; }

private:
  static Halide::Expr simplified(Halide::Expr e) { return Halide::Internal::simplify(e); }
  Halide::Expr whole_, block_, lane_;
  bool mayExceed_ = false;
};

using Index = std::vector<Coordinate>;

/// A value of the region. `at` is zero where a coordinate stands in the padding.
struct Value : ValueSpec {
  std::function<Halide::Expr(const Index &)> at;
};

/// `value` where `coordinate` is within `extent`, zero in the padding.
Halide::Expr maskPadding(const Coordinate &coordinate, int64_t extent, Halide::Expr value);

/// The operand's element at an index; zero in the padding.
Value operandValue(const TensorSpec &tensor, const Halide::ImageParam &operand);

/// The loops over a tensor's storage, innermost first, as variables, and the
/// logical index they stand at.
std::vector<Halide::Var> storageVariables(const TensorSpec &tensor);
Index loopIndex(const TensorSpec &tensor, const std::vector<Halide::Var> &storage);

/// Scratch of a kernel: Funcs of constant extents on the stack, computed before the
/// results in the order they were made.
class Stages {
public:
  /// `piece` is the number of the piece, if the kernel asks for it.
  explicit Stages(const KernelMachine &machine, const Halide::ImageParam &piece = {})
      : machine(machine), piece(piece) {}

  /// The number of the piece that is computed; throws Halide::CompileError if the kernel does not know it.
  Halide::Expr pieceNumber() const;

  using Definition = std::function<Halide::Expr(const std::vector<Halide::Expr> &)>;
  using TupleDefinition = std::function<Halide::Tuple(const std::vector<Halide::Expr> &)>;
  using Term = std::function<Halide::Expr(const std::vector<Halide::Expr> &, const std::vector<Halide::Expr> &)>;

  /// f(v0, v1, ...) = define(v) for v in `extents`, innermost first.
  Halide::Func compute(const std::string &name, const std::vector<int64_t> &extents, const Definition &define);
  /// f(v...) = sum over r in `over` (innermost first) of term(v, r). About `together`
  /// neighbours along v1 are summed at once, in registers, so that they share what
  /// they load.
  Halide::Func sum(const std::string &name, const std::vector<int64_t> &extents, const std::vector<int64_t> &over,
                   const Term &term, int together = 1);
  /// Lets the last stage, if it is large, be computed `count` of its outermost
  /// argument at a time, inside the result's outermost loop.
  void computeInside(int count) { inside = count; }
  /// How much of the result's first and second loop is computed at a time, with all stages it needs, where scratch has
  /// to be small; 0: all of the loop.
  struct Tile {
    int first = 0, second = 0;
  };
  void tileBy(Tile tile) { inTiles = tile; }
  /// That tile, unless scratch may be large or there is none.
  std::optional<Tile> tile() const {
    const bool isTiled = machine.frugal && !stages.empty() && (inTiles.first || inTiles.second);
    return isTiled ? std::optional(inTiles) : std::nullopt;
  }
  /// Rows that a sum for each of `rows` computes together.
  int rowsTogether(int64_t rows) const;
  /// f(ki, x, y, kb, n) = define(...) for an image's pixels: computed for a few rows
  /// of the result at a time. Any pixel may be asked for, in the image or not.
  Halide::Func image(const std::string &name, const Definition &define);
  /// f(ki, q, y, kb, n) = define(...) for pixels 4q to 4q + 3 of a row together, computed with a tile of them. Only
  /// where tiles begin and end at such fours.
  Halide::Func fours(const std::string &name, const TupleDefinition &define);
  /// Says that they do.
  void tileByFours() { byFours = true; }
  bool tilesByFours() const { return byFours; }
  /// Adds a stage that was made elsewhere.
  void add(Halide::Func stage, const std::vector<int64_t> &extents);

  /// How many of its outermost argument the last stage computes at a time inside the
  /// result's outermost loop; 0 if it is computed before.
  int insideCount() const { return inside && isLarge(stages.back()) ? inside : 0; }
  /// Places the stages, once all results are defined; `only` if there is one result.
  void place(Halide::Func result, Halide::Var outermost, bool only);
  /// Places them inside a loop of `result`, each as large as one turn of the loop asks.
  void placeInside(Halide::Func result, Halide::Var loop);
  /// Places stages that are images inside a loop of `result`.
  void placeImages(Halide::Func result, Halide::Var loop);
  bool hasImages() const { return !images.empty(); }
  /// Places fours inside a loop of `result` over tiles.
  void placeFours(Halide::Func result, Halide::Var loop);

  const KernelMachine machine;

private:
  struct Stage {
    Halide::Func func;
    std::vector<int64_t> extents; ///< of its arguments
  };
  Halide::Func begin(const std::string &name, const std::vector<int64_t> &extents, std::vector<Halide::Var> &variables);
  static bool isLarge(const Stage &stage);
  int lanesOf(int64_t extent) const;
  const Halide::ImageParam piece;
  std::vector<Stage> stages;
  std::vector<Halide::Func> images, tiles;
  int inside = 0;
  Tile inTiles;
  bool byFours = false;
};

/// Vectorises the innermost loop of `extent` iterations without leaving the tensor.
void vectorizeInnermost(Halide::Stage stage, Halide::Var variable, int64_t extent, int width);

/// What the results of one op are. What it needs is known of it (support/OpFacts.h).
struct NodeRow {
  const char *op;
  std::vector<Value> (*define)(const KernelNode &node, const std::vector<Value> &operands, Stages &stages);
};

/// The ops of one family.
using NodeFamily = std::vector<NodeRow>;
const NodeFamily &pointwiseNodes();
const NodeFamily &normNodes();
const NodeFamily &poolNodes();
const NodeFamily &shapeNodes();
const NodeFamily &denseNodes();
const NodeFamily &lossNodes();
const NodeFamily &optimizerNodes();
const NodeFamily &winogradNodes();

/// The row of `op`, or null.
const NodeRow *findNode(const std::string &op);
/// Throws Halide::CompileError if the node lacks an operand or attribute.
void checkNode(const KernelNode &node);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_CPU_KERNELS_VALUES_H
