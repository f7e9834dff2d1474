//===- Values.cpp - Operands and scratch of a region ----------------------===//

#include "codegen/kernels/Values.h"

#include <algorithm>

using namespace Halide;

namespace resin::codegen {

static constexpr int kBlock = kChannelBlock;

Expr maskPadding(const Coordinate &coordinate, int64_t extent, Expr value) {
  if (!coordinate.mayExceed() || extent % kBlock == 0)
    return value;
  return select(coordinate.whole() < int(extent), value, cast(value.type(), 0));
}

/// Which logical dimensions the layout pads to a multiple of 16.
static std::vector<bool> paddedDimensions(const TensorSpec &tensor) {
  const size_t rank = tensor.shape.size();
  std::vector<bool> padded(rank, false);
  switch (tensor.layout) {
  case LayoutKind::Dense:
    break;
  case LayoutKind::C16:
    padded[rank == 1 ? 0 : 1] = true;
    break;
  case LayoutKind::K16C16:
  case LayoutKind::C16K16:
    padded[rank - 4] = padded[rank - 3] = true;
    break;
  case LayoutKind::K16:
    padded[rank % 2] = true;
    break;
  }
  return padded;
}

/// As `storageIndex`, without dividing what is divided already.
static std::vector<Expr> storageArguments(const TensorSpec &tensor, const Index &at) {
  const size_t rank = at.size();
  std::vector<Expr> arguments;
  switch (tensor.layout) {
  case LayoutKind::Dense:
    for (size_t d = rank; d-- > 0;)
      arguments.push_back(at[d].whole());
    return arguments;
  case LayoutKind::C16:
    if (rank == 4)
      return {at[1].lane(), at[3].whole(), at[2].whole(), at[1].block(), at[0].whole()};
    if (rank == 2)
      return {at[1].whole(), at[0].whole()};
    return {at[0].whole()};
  case LayoutKind::K16C16:
  case LayoutKind::C16K16: {
    const Coordinate &k = at[rank - 4], &c = at[rank - 3];
    const bool inputsInside = tensor.layout == LayoutKind::C16K16;
    const Coordinate &inner = inputsInside ? c : k, &outer = inputsInside ? k : c;
    arguments = {inner.lane(), outer.lane(), at[rank - 1].whole(), at[rank - 2].whole(), outer.block(), inner.block()};
    break;
  }
  case LayoutKind::K16:
    arguments = {at[rank % 2].lane()};
    for (size_t d = rank; d-- > rank % 2 + 1;)
      arguments.push_back(at[d].whole());
    arguments.push_back(at[rank % 2].block());
    break;
  }
  if (rank % 2)
    arguments.push_back(at[0].whole());
  return arguments;
}

Value operandValue(const TensorSpec &tensor, const ImageParam &operand) {
  auto read = [tensor, operand](const Index &at) {
    std::vector<bool> padded = paddedDimensions(tensor);
    Index inside = at;
    for (size_t d = 0; d < at.size(); ++d)
      if (!padded[d] && at[d].mayExceed() && tensor.shape[d] % kBlock)
        inside[d] = Coordinate(min(at[d].whole(), int(tensor.shape[d]) - 1));
    Expr value = operand(storageArguments(tensor, inside));
    for (size_t d = 0; d < at.size(); ++d)
      if (!padded[d])
        value = maskPadding(at[d], tensor.shape[d], value);
    return value;
  };
  return {tensor.shape, read};
}

std::vector<Var> storageVariables(const TensorSpec &tensor) {
  const size_t rank = tensor.shape.size();
  switch (tensor.layout) {
  case LayoutKind::Dense: {
    std::vector<Var> variables;
    for (size_t d = rank; d-- > 0;)
      variables.emplace_back(rank == 4 ? std::string(1, "ncyx"[d]) : "d" + std::to_string(d));
    return variables;
  }
  case LayoutKind::C16:
    if (rank == 4)
      return {Var("ki"), Var("x"), Var("y"), Var("kb"), Var("n")};
    if (rank == 2)
      return {Var("c"), Var("n")};
    return {Var("c")};
  case LayoutKind::K16C16:
  case LayoutKind::C16K16: {
    std::vector<Var> variables = {Var("ki"), Var("ci"), Var("s"), Var("r"), Var("cb"), Var("kb")};
    if (rank == 5)
      variables.emplace_back("l");
    return variables;
  }
  case LayoutKind::K16: {
    std::vector<Var> variables = {Var("ki")};
    for (size_t d = rank; d-- > rank % 2 + 1;)
      variables.emplace_back("d" + std::to_string(d));
    variables.emplace_back("kb");
    if (rank % 2)
      variables.emplace_back("l");
    return variables;
  }
  }
  return {};
}

Index logicalIndex(const TensorSpec &tensor, const std::vector<Var> &v) {
  const size_t rank = tensor.shape.size();
  Index index(rank, Coordinate(Expr(0)));
  auto exceeds = [&](size_t d) { return tensor.shape[d] % kBlock != 0; };
  auto blocked = [&](size_t d, Expr block, Expr lane) { index[d] = Coordinate(block, lane, exceeds(d)); };
  switch (tensor.layout) {
  case LayoutKind::Dense:
    for (size_t d = 0; d < rank; ++d)
      index[d] = Coordinate(v[rank - 1 - d]);
    return index;
  case LayoutKind::C16:
    if (rank == 4) {
      blocked(1, v[3], v[0]);
      index[0] = Coordinate(v[4]), index[2] = Coordinate(v[2]), index[3] = Coordinate(v[1]);
      return index;
    }
    index[rank - 1] = Coordinate(v[0], exceeds(rank - 1));
    if (rank == 2)
      index[0] = Coordinate(v[1]);
    return index;
  case LayoutKind::K16C16:
  case LayoutKind::C16K16: {
    const bool inputsInside = tensor.layout == LayoutKind::C16K16;
    blocked(rank - 4, v[inputsInside ? 4 : 5], v[inputsInside ? 1 : 0]);
    blocked(rank - 3, v[inputsInside ? 5 : 4], v[inputsInside ? 0 : 1]);
    index[rank - 2] = Coordinate(v[3]), index[rank - 1] = Coordinate(v[2]);
    break;
  }
  case LayoutKind::K16: {
    const size_t k = rank % 2;
    blocked(k, v[rank - k], v[0]);
    for (size_t d = k + 1; d < rank; ++d)
      index[d] = Coordinate(v[rank - d]);
    break;
  }
  }
  if (rank % 2)
    index[0] = Coordinate(v.back());
  return index;
}

//===----------------------------------------------------------------------===//
// Scratch
//===----------------------------------------------------------------------===//

void vectorizeInnermost(Stage stage, Var variable, int64_t extent, int width) {
  while (width > extent)
    width /= 2;
  if (width > 1)
    stage.vectorize(variable, width, extent % width ? TailStrategy::ShiftInwards : TailStrategy::RoundUp);
}

Func Stages::begin(const std::string &name, const std::vector<int64_t> &extents, std::vector<Var> &variables) {
  Func stage(name + "_" + std::to_string(stages.size()));
  for (size_t d = 0; d < extents.size(); ++d)
    variables.emplace_back("e" + std::to_string(d));
  return stage;
}

void Stages::add(Func stage, const std::vector<int64_t> &extents) { stages.push_back({stage, extents}); }

// `Register` is the one kind of memory that is on the stack whatever its size; what is
// called `Stack` comes from the heap beyond 16 KiB.
void Stages::place(Func result, Var outermost, bool onlyResult) {
  constexpr int64_t large = 16384; // elements
  for (Stage &stage : stages) {
    int64_t size = 1;
    for (int64_t extent : stage.extents)
      size *= extent;
    stage.func.store_in(MemoryType::Register);
    if (onlyResult && size > large && &stage == &stages.back()) {
      stage.func.compute_at(result, outermost);
      continue;
    }
    stage.func.compute_root();
    for (size_t d = 0; d < stage.extents.size(); ++d)
      stage.func.bound(stage.func.args()[d], 0, int(stage.extents[d]));
  }
}

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

Func Stages::sum(const std::string &name, const std::vector<int64_t> &extents, const std::vector<int64_t> &over,
                 const Term &term) {
  std::vector<Var> variables;
  Func stage = begin(name, extents, variables);
  Region ranges;
  for (int64_t extent : over)
    ranges.emplace_back(0, int(extent));
  RDom domain(ranges, stage.name() + "_r");
  std::vector<Expr> reduced;
  std::vector<VarOrRVar> order;
  for (size_t d = 0; d < over.size(); ++d)
    reduced.push_back(domain[d]);
  Expr value = term(expressions(variables), reduced);
  stage(variables) = cast(value.type(), 0);
  stage(variables) += value;
  add(stage, extents);
  // The sum of one vector stays in a register over the whole reduction.
  if (!variables.empty())
    order.emplace_back(variables[0]);
  for (size_t d = 0; d < over.size(); ++d)
    order.emplace_back(domain[d]);
  for (size_t d = 1; d < variables.size(); ++d)
    order.emplace_back(variables[d]);
  stage.update().reorder(order);
  if (!extents.empty()) {
    vectorizeInnermost(stage, variables[0], extents[0], machine.vectorFloats);
    // Shifted tails would add an element twice.
    int width = machine.vectorFloats;
    while (extents[0] % width)
      width /= 2;
    if (width > 1)
      stage.update().vectorize(variables[0], width);
  }
  return stage;
}

//===----------------------------------------------------------------------===//
// The table of nodes
//===----------------------------------------------------------------------===//

static const std::vector<const NodeFamily *> &families() {
  static const std::vector<const NodeFamily *> all = {&pointwiseNodes(), &normNodes(), &poolNodes(),     &shapeNodes(),
                                                      &denseNodes(),     &lossNodes(), &optimizerNodes()};
  return all;
}

const NodeRow *findNode(const std::string &op) {
  for (const NodeFamily *family : families())
    for (const NodeRow &row : *family)
      if (op == row.op)
        return &row;
  return nullptr;
}

std::vector<std::string> nodeNames() {
  std::vector<std::string> names;
  for (const NodeFamily *family : families())
    for (const NodeRow &row : *family)
      names.emplace_back(row.op);
  return names;
}

void checkNode(const KernelNode &node, const NodeRow &row) {
  auto fail = [&](const std::string &what) { throw CompileError("'" + node.op + "' " + what); };
  if (node.operands.size() != row.operands)
    fail("takes " + std::to_string(row.operands) + " operands, not " + std::to_string(node.operands.size()));
  if (node.results.size() != row.results)
    fail("has " + std::to_string(row.results) + " results, not " + std::to_string(node.results.size()));
  for (const AttributeRow &wanted : row.attributes) {
    auto found = std::find_if(node.attributes.begin(), node.attributes.end(),
                              [&](const auto &a) { return a.first == wanted.name; });
    if (found == node.attributes.end() || found->second.index() != static_cast<size_t>(wanted.kind))
      fail("needs the attribute '" + std::string(wanted.name) + "'");
  }
}

} // namespace resin::codegen
