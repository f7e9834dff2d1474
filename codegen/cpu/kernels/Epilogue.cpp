//===- Epilogue.cpp - The pointwise nodes that follow an anchor -----------===//
//
// An epilogue is evaluated on the anchor's values while they are in registers, by the
// nodes' definitions (Values.h) with the anchor's value in the place of its node.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/Builder.h"

#include "codegen/cpu/kernels/Values.h"
#include "support/OpFacts.h"

using namespace Halide;

namespace resin::codegen {

int definingNode(const KernelSpec &spec, int value) {
  int first = spec.operands.size();
  for (size_t node = 0; node < spec.nodes.size(); ++node) {
    first += spec.nodes[node].results.size();
    if (value < first)
      return value < static_cast<int>(spec.operands.size()) ? -1 : static_cast<int>(node);
  }
  return -1;
}

Epilogue::Epilogue(const KernelSpec &spec, const std::vector<ImageParam> &operands, int anchor, const ImageParam &piece)
    : spec(spec), operands(operands), anchorNumber(spec.operands.size()), piece(piece) {
  for (int node = 0; node < anchor; ++node)
    anchorNumber += spec.nodes[node].results.size();
}

Expr Epilogue::pointwise(int value, Expr anchor, const Coordinates &at) const {
  const auto evaluate = [&](auto &self, int number) -> Value {
    if (number == anchorNumber)
      return {{}, [=](const Index &) { return anchor; }};
    if (number < static_cast<int>(operands.size()))
      return operandValue(spec.operands[number], operands[number]);
    const KernelNode &node = spec.nodes[definingNode(spec, number)];
    if (!factsOf(node.op).isElementwise)
      throw CompileError("'" + node.op + "' cannot follow an anchor in one kernel");
    checkNode(node);
    std::vector<Value> inputs;
    for (int operand : node.operands)
      inputs.push_back(self(self, operand));
    Stages none(KernelMachine(), piece);
    return findNode(node.op)->define(node, inputs, none)[0];
  };
  const std::vector<int64_t> &shape = spec.nodes[definingNode(spec, anchorNumber)].results[0].shape;
  return evaluate(evaluate, value).at({at.n, Coordinate(at.kb, at.ki, shape[1] % kChannelBlock != 0), at.y, at.x});
}

std::vector<Epilogue::Reduction> Epilogue::reductions() const {
  std::vector<Reduction> result;
  for (size_t i = 0; i < spec.yields.size(); ++i) {
    const int defining = definingNode(spec, spec.yields[i]);
    if (defining < 0)
      continue;
    const KernelNode &node = spec.nodes[defining];
    if (factsOf(node.op).role == OpRole::Reduction)
      result.push_back({static_cast<int>(i), node.operands[0], node.operands.size() > 1 ? node.operands[1] : -1});
  }
  return result;
}

std::vector<std::pair<int, int>> Epilogue::values() const {
  std::vector<std::pair<int, int>> result;
  for (size_t i = 0; i < spec.yields.size(); ++i) {
    const int defining = definingNode(spec, spec.yields[i]);
    if (defining < 0 || factsOf(spec.nodes[defining].op).role != OpRole::Reduction)
      result.push_back({static_cast<int>(i), spec.yields[i]});
  }
  return result;
}

} // namespace resin::codegen
