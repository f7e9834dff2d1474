//===- Loops.cpp - Kernels that are loops over a result's storage ---------===//
//
// Everything but convolutions: the nodes become values (kernels/Values.h), and each
// result is one nest of loops over its storage that evaluates its value.
//
//   1. Evaluate the nodes in order, as functions of indices.
//   2. Results that share their loops are computed together, element by element:
//      what they have in common is computed once, and a result may stand where an
//      operand stood (optimizers update in place).
//   3. The others get a nest each.
//   4. Scratch is computed before the loops; where it has to be small, for a tile of
//      the one result, or of the results that share loops, at a time.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/schedules/Loops.h"

#include "codegen/cpu/kernels/Values.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

namespace {

class LoopBuilder {
public:
  LoopBuilder(const KernelSpec &spec, const KernelMachine &machine) : spec(spec), machine(machine) {}

  void build(BuiltKernel &kernel) {
    operands = makeOperands(spec);
    for (size_t i = 0; i < operands.size(); ++i)
      values.push_back(operandValue(spec.operands[i], operands[i]));
    for (const KernelNode &node : spec.nodes)
      evaluate(node);
    kernel.arguments.assign(operands.begin(), operands.end());
    if (piece.defined())
      kernel.arguments.push_back(piece);
    if (resultsShareLoops())
      buildTogether(kernel);
    else
      for (size_t i = 0; i < spec.results.size(); ++i)
        kernel.outputs.push_back(buildResult(i));
    if (stages.tile() && resultsShareLoops())
      stages.placeInside(kernel.outputs[0], vectors);
    else if (isTiled())
      placeInTiles(kernel.outputs[0]);
    else
      placeStages(kernel.outputs[0]);
  }

private:
  void evaluate(const KernelNode &node) {
    const NodeRow *row = findNode(node.op);
    if (!row)
      throw CompileError("there is no kernel for '" + node.op + "'");
    checkNode(node);
    std::vector<Value> inputs;
    for (int operand : node.operands)
      inputs.push_back(values[operand]);
    std::vector<Value> results = row->define(node, inputs, stages);
    values.insert(values.end(), results.begin(), results.end());
  }

  Expr element(size_t result, const std::vector<Var> &variables) const {
    const TensorSpec &tensor = spec.results[result];
    return cast(typeOf(tensor.type), values[spec.yields[result]].at(loopIndex(tensor, variables)));
  }

  /// Loops over the storage of result `i` in their order of memory.
  Func buildResult(size_t i) {
    const TensorSpec &tensor = spec.results[i];
    std::vector<Var> variables = storageVariables(tensor);
    Func result("result" + std::to_string(i));
    result(variables) = element(i, variables);
    bindResult(result, tensor);
    if (!variables.empty() && !isByColumns() && !(isTiled() && stages.tile()->first))
      vectorizeInnermost(result, variables[0], innermostExtent(tensor), machine.vectorFloats);
    zeroRing(result, tensor, machine, piece);
    return result;
  }

  /// Whether blocks of 16 of the result's columns are the outermost loop: a product
  /// with a large matrix then reads it once, for all rows together.
  bool isByColumns() const { return spec.results.size() == 1 && stages.insideCount() == kChannelBlock; }

  void placeStages(Func result) {
    std::vector<Var> loops = result.args();
    Var outermost = loops.empty()    ? Var::outermost()
                    : machine.frugal ? loops[std::min<size_t>(1, loops.size() - 1)]
                                     : loops.back();
    if (isByColumns()) {
      outermost = Var("block");
      Var column("column");
      result.split(loops[0], outermost, column, int(kChannelBlock)).reorder(column, loops[1], outermost);
    }
    stages.place(result, outermost, spec.results.size() == 1);
  }

  bool isTiled() const { return stages.tile() && spec.results.size() == 1; }

  /// Loops over tiles of the two inner loops, the second's inside the first's.
  void placeInTiles(Func result) {
    const Stages::Tile tile = *stages.tile();
    std::vector<Var> loops = result.args();
    std::vector<VarOrRVar> inner;
    std::vector<Var> outer;
    for (size_t d = 0; d < std::min<size_t>(2, loops.size()); ++d) {
      const int part = d ? tile.second : tile.first;
      if (!part || part >= storageDimensions(spec.results[0])[d].extent) {
        inner.push_back(loops[d]);
        continue;
      }
      Var within("within" + std::to_string(d));
      result.split(loops[d], loops[d], within, part, TailStrategy::GuardWithIf);
      inner.push_back(within);
      outer.insert(outer.begin(), loops[d]);
    }
    if (outer.empty()) // one tile
      return placeStages(result);
    inner.insert(inner.end(), outer.begin(), outer.end());
    inner.insert(inner.end(), loops.begin() + std::min<size_t>(2, loops.size()), loops.end());
    result.reorder(inner);
    stages.placeInside(result, outer.front());
  }

  static int64_t innermostExtent(const TensorSpec &tensor) {
    StorageDimension inner = storageDimensions(tensor)[0];
    return inner.extent + 2 * inner.min;
  }

  bool resultsShareLoops() const {
    if (spec.results.size() < 2 || spec.results[0].shape.empty())
      return false;
    for (const TensorSpec &result : spec.results)
      if (result != spec.results[0] || result.halo)
        return false;
    return true;
  }

  /// One nest: the values of a vector of elements, all of them, then their stores.
  void buildTogether(BuiltKernel &kernel) {
    const TensorSpec &tensor = spec.results[0];
    std::vector<Var> variables = storageVariables(tensor);
    Func all("all");
    std::vector<Expr> elements;
    for (size_t i = 0; i < spec.results.size(); ++i)
      elements.push_back(element(i, variables));
    all(variables) = Tuple(elements);
    // A width that divides: no element is computed twice, or in-place updates would
    // be applied twice. Of what has scratch in the loops, a block: scratch is computed block by block.
    int width = stages.tile() ? int(kChannelBlock) : machine.vectorFloats;
    while (innermostExtent(tensor) % width)
      width /= 2;
    Var outer = vectors, inner("inner");
    for (size_t i = 0; i < spec.results.size(); ++i) {
      Func result("result" + std::to_string(i));
      result(variables) = all(std::vector<Expr>(variables.begin(), variables.end()))[i];
      bindResult(result, tensor);
      result.split(variables[0], outer, inner, width);
      vectorizeTile(result, inner, width);
      if (i)
        result.compute_with(kernel.outputs[0], outer);
      kernel.outputs.push_back(result);
    }
    all.compute_at(kernel.outputs[0], outer).store_in(MemoryType::Register);
    vectorizeTile(all, variables[0], width);
  }

  void vectorizeTile(Func f, Var loop, int width) const {
    if (width > machine.vectorFloats)
      f.vectorize(loop, machine.vectorFloats);
    else if (width > 1)
      f.vectorize(loop);
  }

  const KernelSpec &spec;
  const KernelMachine &machine;
  const ImageParam piece = makePiece(spec);
  Stages stages{machine, piece};
  Var vectors{"outer"}; ///< of results that share their loops
  std::vector<ImageParam> operands;
  std::vector<Value> values; ///< of the region, by number
};

} // namespace

void buildLoops(const KernelSpec &spec, const KernelMachine &machine, BuiltKernel &kernel) {
  LoopBuilder(spec, machine).build(kernel);
}

} // namespace resin::codegen
