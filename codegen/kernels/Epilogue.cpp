//===- Epilogue.cpp - The pointwise nodes that follow an anchor -----------===//
//
// An epilogue is evaluated on the anchor's values while they are in registers:
// each pointwise node is one line here.
//
//===----------------------------------------------------------------------===//

#include "codegen/Builder.h"

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

Epilogue::Epilogue(const KernelSpec &spec, const std::vector<ImageParam> &operands, int anchor)
    : spec(spec), operands(operands), anchorNumber(spec.operands.size()) {
  for (int node = 0; node < anchor; ++node)
    anchorNumber += spec.nodes[node].results.size();
}

/// An operand at `at`: an activation's element, or a channel vector's.
static Expr read(const ImageParam &operand, const TensorSpec &tensor, const Coordinates &at) {
  const int block = kChannelBlock;
  if (tensor.shape.size() == 1)
    return operand(at.kb * block + at.ki);
  if (tensor.layout == LayoutKind::C16 && tensor.shape.size() == 4)
    return operand(at.ki, at.x, at.y, at.kb, at.n);
  return operand(storageIndex(tensor, {at.n, at.kb * block + at.ki, at.y, at.x}));
}

Expr Epilogue::pointwise(int value, Expr anchor, const Coordinates &at) const {
  if (value == anchorNumber)
    return anchor;
  if (value < static_cast<int>(operands.size()))
    return read(operands[value], spec.operands[value], at);
  const KernelNode &node = spec.nodes[definingNode(spec, value)];
  auto operand = [&](int i) { return pointwise(node.operands[i], anchor, at); };
  if (node.op == "add" || node.op == "add_bias")
    return operand(0) + operand(1);
  if (node.op == "relu")
    return max(operand(0), 0.f);
  if (node.op == "relu_grad")
    return select(operand(1) > 0.f, operand(0), 0.f);
  if (node.op == "scale_shift")
    return operand(0) * operand(1) + operand(2);
  throw CompileError("'" + node.op + "' cannot follow an anchor in one kernel");
}

std::vector<Epilogue::Reduction> Epilogue::reductions() const {
  std::vector<Reduction> result;
  for (size_t i = 0; i < spec.yields.size(); ++i) {
    const int defining = definingNode(spec, spec.yields[i]);
    if (defining < 0)
      continue;
    const KernelNode &node = spec.nodes[defining];
    if (node.op == "channel_sum")
      result.push_back({static_cast<int>(i), node.operands[0], -1});
    if (node.op == "channel_dot")
      result.push_back({static_cast<int>(i), node.operands[0], node.operands[1]});
  }
  return result;
}

std::vector<std::pair<int, int>> Epilogue::values() const {
  std::vector<std::pair<int, int>> result;
  for (size_t i = 0; i < spec.yields.size(); ++i) {
    const int defining = definingNode(spec, spec.yields[i]);
    if (defining < 0 || (spec.nodes[defining].op != "channel_sum" && spec.nodes[defining].op != "channel_dot"))
      result.push_back({static_cast<int>(i), spec.yields[i]});
  }
  return result;
}

} // namespace resin::codegen
