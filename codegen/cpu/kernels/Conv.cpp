//===- Conv.cpp - What a convolution's kernel computes --------------------===//

#include "codegen/cpu/kernels/Conv.h"
#include "support/OpFacts.h"

#include <algorithm>
#include <numeric>

namespace resin::codegen {

bool isConvolution(const KernelNode &node) { return factsOf(node.op).isConvolution; }

int findConvolution(const KernelSpec &spec) {
  for (size_t i = 0; i < spec.nodes.size(); ++i)
    if (isConvolution(spec.nodes[i]))
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

bool canDescribe(const KernelSpec &spec, int node) {
  auto isOperand = [&](int value) { return value < static_cast<int>(spec.operands.size()); };
  return std::ranges::all_of(spec.nodes[node].operands, isOperand);
}

ConvProblem describeConv(const KernelSpec &spec, const Machine &machine, int node) {
  const ConvDirection direction = directionOf(spec.nodes[node]);
  return {spec, machine, node, direction, shapeOf(spec, spec.nodes[node], direction)};
}

} // namespace resin::codegen
