//===- Values.cpp - Operands and scratch of a region ----------------------===//

#include "codegen/cpu/kernels/Values.h"
#include "support/OpFacts.h"

#include <algorithm>
#include <cmath>

using namespace Halide;

namespace resin::codegen {

static constexpr int kBlock = kChannelBlock;

Expr maskPadding(const Coordinate &coordinate, int64_t extent, Expr value) {
  if (!coordinate.mayExceed() || extent % kBlock == 0)
    return value;
  return select(coordinate.whole() < int(extent), value, cast(value.type(), 0));
}

/// As `storageIndex`, without dividing what is divided already.
static std::vector<Expr> storageArguments(const TensorSpec &tensor, const Index &at) {
  std::vector<Expr> arguments;
  for (const LayoutAxis &axis : axesOf(tensor.layout, at.size())) {
    const Coordinate &index = at[axis.dimension];
    arguments.insert(arguments.begin(), axis.part == AxisPart::Blocks   ? index.block()
                                        : axis.part == AxisPart::Within ? index.lane()
                                                                        : index.whole());
  }
  return arguments;
}

Value operandValue(const TensorSpec &tensor, const ImageParam &operand) {
  auto read = [tensor, operand](const Index &at) {
    auto isPadded = [&](size_t d) { return isBlocked(tensor.layout, at.size(), d); };
    Index inside = at;
    for (size_t d = 0; d < at.size(); ++d)
      if (!isPadded(d) && at[d].mayExceed() && tensor.shape[d] % kBlock)
        inside[d] = Coordinate(min(at[d].whole(), int(tensor.shape[d]) - 1));
    Expr value = operand(storageArguments(tensor, inside));
    for (size_t d = 0; d < at.size(); ++d)
      if (!isPadded(d))
        value = maskPadding(at[d], tensor.shape[d], value);
    return value;
  };
  return {{tensor.type, tensor.shape}, read};
}

/// `d1` runs over dimension 1, `b1` over its blocks, `i1` within one.
std::vector<Var> storageVariables(const TensorSpec &tensor) {
  std::vector<Var> variables;
  for (const LayoutAxis &axis : axesOf(tensor.layout, tensor.shape.size())) {
    const char *part = axis.part == AxisPart::Blocks ? "b" : axis.part == AxisPart::Within ? "i" : "d";
    variables.insert(variables.begin(), Var(part + std::to_string(axis.dimension)));
  }
  return variables;
}

Index loopIndex(const TensorSpec &tensor, const std::vector<Var> &v) {
  const size_t rank = tensor.shape.size();
  Index index(rank, Coordinate(Expr(0)));
  std::vector<Expr> block(rank);
  size_t next = v.size();
  for (const LayoutAxis &axis :
       axesOf(tensor.layout, rank)) { // the blocks of a dimension stand outside of what is within
    const size_t d = axis.dimension;
    const Var &along = v[--next];
    const bool mayExceed = isBlocked(tensor.layout, rank, d) && tensor.shape[d] % kBlock;
    if (axis.part == AxisPart::Blocks)
      block[d] = along;
    else
      index[d] = axis.part == AxisPart::Within ? Coordinate(block[d], along, mayExceed) : Coordinate(along, mayExceed);
  }
  return index;
}

//===----------------------------------------------------------------------===//
// Scratch
//===----------------------------------------------------------------------===//

void vectorizeInnermost(Halide::Stage stage, Var variable, int64_t extent, int width) {
  while (width > extent)
    width /= 2;
  if (width > 1)
    stage.vectorize(variable, width, extent % width ? TailStrategy::ShiftInwards : TailStrategy::RoundUp);
}

Expr Stages::pieceNumber() const {
  if (!piece.defined())
    throw CompileError("the kernel does not know its piece");
  return piece();
}

Func Stages::begin(const std::string &name, const std::vector<int64_t> &extents, std::vector<Var> &variables) {
  Func stage(name + "_" + std::to_string(stages.size()));
  for (size_t d = 0; d < extents.size(); ++d)
    variables.emplace_back("e" + std::to_string(d));
  return stage;
}

void Stages::add(Func stage, const std::vector<int64_t> &extents) { stages.push_back({stage, extents}); }

bool Stages::isLarge(const Stage &stage) {
  int64_t size = 1;
  for (int64_t extent : stage.extents)
    size *= extent;
  return size > 16384;
}

// `Register` is the one kind of memory that is on the stack whatever its size; what is
// called `Stack` comes from the heap beyond 16 KiB.
void Stages::place(Func result, Var outermost, bool only) {
  for (Stage &stage : stages) {
    const bool inner = only && insideCount() && &stage == &stages.back();
    const size_t bounded = stage.extents.size() - (inner ? 1 : 0);
    stage.func.store_in(MemoryType::Register);
    for (size_t d = 0; d < bounded; ++d)
      stage.func.bound(stage.func.args()[d], 0, int(stage.extents[d]));
    if (inner)
      stage.func.compute_at(result, outermost).bound_extent(stage.func.args().back(), insideCount());
    else
      stage.func.compute_root();
  }
  placeImages(result, outermost);
}

void Stages::placeInside(Func result, Var loop) {
  for (Stage &stage : stages)
    stage.func.compute_at(result, loop).store_in(MemoryType::Register);
  placeImages(result, loop);
}

static void placeInRegisters(std::vector<Func> &stages, Func result, Var loop, int width) {
  for (Func &stage : stages)
    stage.compute_at(result, loop).store_in(MemoryType::Register).vectorize(stage.args()[0], width);
}

void Stages::placeImages(Func result, Var loop) { placeInRegisters(images, result, loop, machine.vectorFloats); }
void Stages::placeFours(Func result, Var loop) { placeInRegisters(tiles, result, loop, machine.vectorFloats); }

/// Adds f(ki, x, y, kb, n) = define(...) to `stages`.
template <typename Define>
static Func addPixels(std::vector<Func> &stages, const std::string &name, const Define &define) {
  Var ki("ki"), x("ix"), y("iy"), kb("ikb"), n("in");
  Func stage(name + "_" + std::to_string(stages.size()));
  stage(ki, x, y, kb, n) = define({ki, x, y, kb, n});
  stage.bound(ki, 0, kBlock);
  stages.push_back(stage);
  return stage;
}

Func Stages::image(const std::string &name, const Definition &define) { return addPixels(images, name, define); }
Func Stages::fours(const std::string &name, const TupleDefinition &define) { return addPixels(tiles, name, define); }

static std::vector<Expr> expressions(const std::vector<Var> &variables) { return {variables.begin(), variables.end()}; }

Func Stages::compute(const std::string &name, const std::vector<int64_t> &extents, const Definition &define) {
  std::vector<Var> variables;
  Func stage = begin(name, extents, variables);
  stage(variables) = define(expressions(variables));
  add(stage, extents);
  if (!extents.empty())
    vectorizeInnermost(stage, variables[0], extents[0], machine.vectorFloats);
  return stage;
}

/// Lanes of a vector that divide `extent`.
int Stages::lanesOf(int64_t extent) const {
  int lanes = machine.vectorFloats;
  while (extent % lanes)
    lanes /= 2;
  return lanes;
}

int Stages::rowsTogether(int64_t rows) const { return rows % kBlock ? lanesOf(rows) : kBlock; }

Func Stages::sum(const std::string &name, const std::vector<int64_t> &extents, const std::vector<int64_t> &over,
                 const Term &term, int together) {
  std::vector<Var> variables;
  Func stage = begin(name, extents, variables), sums(stage.name() + "_sums");
  Region ranges;
  for (int64_t extent : over)
    ranges.emplace_back(0, int(extent));
  RDom domain(ranges, stage.name() + "_r");
  std::vector<Expr> reduced;
  for (size_t d = 0; d < over.size(); ++d)
    reduced.push_back(domain[d]);
  Expr value = term(expressions(variables), reduced);
  sums(variables) = cast(value.type(), 0);
  sums(variables) += value;
  stage(variables) = sums(expressions(variables));
  add(stage, extents);

  // The sums of one tile stay in registers over the whole reduction.
  const int lanes = lanesOf(extents[0]);
  const bool tiled = extents.size() > 1;
  const int tile = tiled ? largestDivisor(extents[1], together) : 1;
  Var inner("inner"), outer("outer"), lane("lane"), vector("vector");
  auto vectorize = [&](Halide::Stage part, VarOrRVar along) {
    if (lanes > 1)
      part.vectorize(along, lanes);
    part.unroll(along);
  };
  stage.split(variables[0], vector, lane, rowsTogether(extents[0]));
  vectorize(stage, lane);
  if (tiled)
    stage.split(variables[1], outer, inner, tile).reorder(lane, inner, vector, outer).unroll(inner);
  sums.compute_at(stage, vector).store_in(MemoryType::Register);
  std::vector<VarOrRVar> order = {variables[0]};
  if (tiled)
    order.emplace_back(variables[1]);
  for (size_t d = 0; d < over.size(); ++d)
    order.emplace_back(domain[d]);
  for (size_t d = 2; d < variables.size(); ++d)
    order.emplace_back(variables[d]);
  vectorize(sums.update().reorder(order), variables[0]);
  vectorize(sums, variables[0]);
  if (tiled) {
    sums.unroll(variables[1]);
    sums.update().unroll(variables[1]);
  }
  return stage;
}

//===----------------------------------------------------------------------===//
// The table of nodes
//===----------------------------------------------------------------------===//

static const std::vector<const NodeFamily *> &families() {
  static const std::vector<const NodeFamily *> all = {&pointwiseNodes(), &normNodes(),    &poolNodes(),
                                                      &shapeNodes(),     &denseNodes(),   &lossNodes(),
                                                      &optimizerNodes(), &winogradNodes()};
  return all;
}

const NodeRow *findNode(const std::string &op) {
  for (const NodeFamily *family : families())
    for (const NodeRow &row : *family)
      if (op == row.op)
        return &row;
  return nullptr;
}

/// Whether a node's attribute is there and of the right kind; flags are integers.
static bool holds(const KernelNode &node, const AttributeFacts &wanted) {
  const size_t index = wanted.kind == AttributeKind::Real ? 1 : wanted.kind == AttributeKind::Integers ? 2 : 0;
  return std::any_of(node.attributes.begin(), node.attributes.end(),
                     [&](const auto &given) { return given.first == wanted.name && given.second.index() == index; });
}

void checkNode(const KernelNode &node) {
  const OpFacts &facts = factsOf(node.op);
  auto fail = [&](const std::string &what) { throw CompileError("'" + node.op + "' " + what); };
  if (node.operands.size() != facts.operands.size())
    fail("takes " + std::to_string(facts.operands.size()) + " operands, not " + std::to_string(node.operands.size()));
  if (node.results.size() != facts.results.size())
    fail("has " + std::to_string(facts.results.size()) + " results, not " + std::to_string(node.results.size()));
  for (const AttributeFacts &wanted : facts.attributes) {
    const std::string name(wanted.name);
    if (!holds(node, wanted))
      fail("needs the attribute '" + name + "'");
    // LLVM would take a constant infinity for a value that does not matter.
    if (wanted.kind == AttributeKind::Real && !std::isfinite(static_cast<float>(node.real(name))))
      fail("cannot compute with '" + name + "', which f32 does not hold");
  }
}

} // namespace resin::codegen
