//===- Conv.cpp - Kernels anchored by a convolution -----------------------===//
//
// Reads the convolution off the spec and hands it to the first template that
// takes it: the blocked ones of schedules/, else the generic one.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Conv.h"
#include "support/OpFacts.h"

#include <algorithm>
#include <numeric>

using namespace Halide;

namespace resin::codegen {

int findConvolution(const KernelSpec &spec) {
  for (size_t i = 0; i < spec.nodes.size(); ++i)
    if (factsOf(spec.nodes[i].op).isConvolution)
      return i;
  return -1;
}

static ConvDirection directionOf(const KernelNode &node) {
  const Product made = factsOf(node.op).product;
  return made == Product::Output  ? ConvDirection::Forward
         : made == Product::Image ? ConvDirection::GradData
                                  : ConvDirection::GradWeight;
}

static ConvShape shapeOf(const KernelSpec &spec, const KernelNode &node, ConvDirection direction) {
  const std::vector<int64_t> &a = spec.operands[node.operands[0]].shape, &b = spec.operands[node.operands[1]].shape,
                             &result = node.results[0].shape;
  const bool forward = direction == ConvDirection::Forward, weight = direction == ConvDirection::GradWeight;
  const std::vector<int64_t> &x = direction == ConvDirection::GradData ? result : a;
  const std::vector<int64_t> &y = forward ? result : weight ? b : a;
  const std::vector<int64_t> filter = weight ? std::vector<int64_t>(result.end() - 4, result.end()) : b;
  const auto &padding = node.integers("padding");
  auto i = [](int64_t v) { return static_cast<int>(v); };
  if (node.op == "conv2d_winograd")
    return {i(x[0]), i(x[1]), i(x[2]), i(x[3]),       i(y[1]),       i(y[2]), i(y[3]), 3,
            3,       1,       1,       i(padding[0]), i(padding[1]), 1,       1,       1};
  const auto &strides = node.integers("strides"), &dilations = node.integers("dilations");
  return {i(x[0]),       i(x[1]),         i(x[2]),         i(x[3]),
          i(y[1]),       i(y[2]),         i(y[3]),         i(filter[2]),
          i(filter[3]),  i(strides[0]),   i(strides[1]),   i(padding[0]),
          i(padding[1]), i(dilations[0]), i(dilations[1]), i(node.integer("groups"))};
}

GatherAxis forwardAxis(int stride, int pad, int dilation, int kernel) {
  return {stride, dilation, 1, {{kernel, -pad, 0}}};
}

// dx[i] is the sum of dy[o] * w[t] over i + pad = stride * o + dilation * t. For residue p of i the taps are those with
// p + pad - dilation * t divisible by the stride: every (stride / gcd)-th one.
GatherAxis gradDataAxis(int stride, int pad, int dilation, int kernel) {
  const int tapStride = stride / std::gcd(stride, dilation);
  GatherAxis axis{1, -(tapStride * dilation / stride), tapStride, {}};
  for (int p = 0; p < stride; ++p) {
    int first = 0;
    while (first < kernel && (p + pad - dilation * first) % stride != 0)
      ++first;
    if (first == kernel)
      axis.classes.push_back({0, 0, 0});
    else
      axis.classes.push_back(
          {(kernel - first + tapStride - 1) / tapStride, (p + pad - dilation * first) / stride, first});
  }
  return axis;
}

int GatherAxis::sourceMin() const {
  int result = 0;
  for (const Class &c : classes)
    if (c.taps)
      result = std::min({result, c.offset, c.offset + (c.taps - 1) * tapStep});
  return result;
}

int GatherAxis::sourceMax(int count) const {
  int result = 0;
  for (size_t p = 0; p < classes.size(); ++p) {
    const Class &c = classes[p];
    const int last = (count - 1 - static_cast<int>(p)) / static_cast<int>(classes.size()) * step;
    if (c.taps)
      result = std::max({result, last + c.offset, last + c.offset + (c.taps - 1) * tapStep});
  }
  return result;
}

ConvKernel describeConv(const KernelSpec &spec, const Machine &machine, int node, const std::vector<int> &knobs) {
  for (int operand : spec.nodes[node].operands)
    if (operand >= static_cast<int>(spec.operands.size()))
      throw CompileError("a convolution reads another node of its kernel");
  static const std::vector<ImageParam> none;
  const ConvDirection direction = directionOf(spec.nodes[node]);
  return {spec, machine, node, direction, shapeOf(spec, spec.nodes[node], direction), {}, {},
          Epilogue(spec, none, node), knobs};
}

bool buildConv(const KernelSpec &spec, const Machine &machine, BuiltKernel &kernel, const std::vector<int> &knobs) {
  const int node = findConvolution(spec);
  if (node < 0)
    return false;
  const ConvKernel plain = describeConv(spec, machine, node, knobs);
  std::vector<ImageParam> operands = makeOperands(spec);
  const ImageParam piece = makePiece(spec);
  ConvKernel conv{
      spec, machine, node, plain.direction, plain.shape, operands, piece, Epilogue(spec, operands, node, piece), knobs};
  if (conv.epilogue.values().empty())
    throw CompileError("a convolution that only sums, and stores nothing, has no template");
  auto takes = [&](auto build) { return build(conv, kernel.outputs); };
  const auto templates = {buildConvWinograd, buildConvWinogradWeight, buildConvDirect, buildConvWeight};
  if (std::none_of(templates.begin(), templates.end(), takes)) {
    if (conv.pointsTile())
      throw CompileError("a filter at Winograd's points needs an image of whole blocks, with its ring");
    buildConvGeneric(conv, kernel.outputs);
  }
  kernel.arguments.assign(conv.operands.begin(), conv.operands.end());
  if (conv.piece.defined())
    kernel.arguments.push_back(conv.piece);
  return true;
}

} // namespace resin::codegen
