//===- Norm.cpp - Batch norm: sums over pixels, and their finish ----------===//
//
// Both are in double: a variance is the small difference of large sums. Where sums ride
// along with a convolution or a map, TileSums.h takes them faster.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Strict.h"
#include "codegen/cpu/kernels/Values.h"

using namespace Halide;

namespace resin::codegen {

namespace {

Expr wide(const Value &value, const Index &i) { return cast<double>(value.at(i)); }

/// [pieces, c]: row p sums `term` over the p-th part of the images and all pixels, in double.
Value channelSums(const KernelNode &node, const std::vector<int64_t> &shape, Stages &stages,
                  std::function<Expr(const Index &)> term) {
  const int64_t pieces = node.results[0].shape[0], images = shape[0] / pieces, c = shape[1];
  auto at = [=](const std::vector<Expr> &v, Expr n, Expr y, Expr x) {
    return term({n, Coordinate(v[1], v[0], c % kChannelBlock != 0), y, x});
  };
  // A row of one image, then the rows.
  Func rows = stages.sum("rows", {kChannelBlock, blocksOf(c), shape[2], shape[0]}, {shape[3]},
                         [&](auto &v, auto &r) { return at(v, v[3], v[2], r[0]); });
  Func total = stages.sum("total", {kChannelBlock, blocksOf(c), pieces}, {shape[2], images},
                          [&](auto &v, auto &r) { return rows(v[0], v[1], r[0], v[2] * int(images) + r[1]); });
  stages.tileBy({kChannelBlock, 1});
  return {node.results[0], [=](const Index &i) { return total(i[1].lane(), i[1].block(), i[0].whole()); }};
}

std::vector<Value> channelSum(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  return {channelSums(node, v[0].shape, stages, [=](const Index &i) { return wide(v[0], i); })};
}

std::vector<Value> channelDot(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  return {channelSums(node, v[0].shape, stages, [=](const Index &i) { return wide(v[0], i) * wide(v[1], i); })};
}

/// [p, c] -> [c padded], summed over p in double.
Func finishSum(const char *name, const Value &partials, Stages &stages) {
  const int64_t c = partials.shape[1];
  stages.tileBy({kChannelBlock});
  return stages.sum(name, {blocksOf(c) * kChannelBlock}, {partials.shape[0]}, [&](auto &v, auto &r) {
    return wide(partials, {r[0], Coordinate(v[0], c % kChannelBlock != 0)});
  });
}

Value channelVector(const KernelNode &node, size_t result, std::function<Expr(const Index &)> at) {
  return {node.results[result],
          [=, type = typeOf(node.results[result].type)](const Index &i) { return cast(type, at(i)); }};
}

std::vector<Value> batchNormFinalize(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const double count = node.real("count"), epsilon = node.real("epsilon");
  Func sum = finishSum("sum", v[0], stages), squares = finishSum("squares", v[1], stages);
  const int64_t c = blocksOf(v[0].shape[1]) * kChannelBlock;
  auto mean = [=](Expr at) { return sum(at) * Expr(1 / count); };
  Func variance = stages.compute("variance", {c}, [&](auto &i) {
    return atLeast(Expr(0.0), squares(i[0]) * Expr(1 / count) - mean(i[0]) * mean(i[0]));
  });
  // The statistics are kept as f32; what normalises is computed from those.
  Func kept = stages.compute("kept", {c}, [&](auto &i) { return cast<double>(cast<float>(variance(i[0]))); });
  auto multiplier = [=](const Index &i) { return wide(v[2], i) / sqrt(kept(i[0].whole()) + Expr(epsilon)); };
  auto addend = [=](const Index &i) { return wide(v[3], i) - mean(i[0].whole()) * multiplier(i); };
  return {channelVector(node, 0, multiplier), channelVector(node, 1, addend),
          channelVector(node, 2, [=](const Index &i) { return mean(i[0].whole()); }),
          channelVector(node, 3, [=](const Index &i) { return Expr(variance(i[0].whole())); })};
}

// With s = sum dz, d = sum dz*y, m = scale/std: dy = m*(dz - s/count - (y - mean)/std^2 * (d - mean*s)/count).
std::vector<Value> batchNormGradFinalize(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const double count = node.real("count"), epsilon = node.real("epsilon");
  Func sum = finishSum("sum", v[0], stages), dot = finishSum("dot", v[1], stages);
  auto inverse = [=](const Index &i) { return Expr(1.0) / sqrt(wide(v[4], i) + Expr(epsilon)); };
  auto centred = [=](const Index &i) { return dot(i[0].whole()) - wide(v[3], i) * sum(i[0].whole()); };
  auto a = [=](const Index &i) { return wide(v[2], i) * inverse(i); };
  auto b = [=](const Index &i) { return -a(i) * inverse(i) * inverse(i) * centred(i) * Expr(1 / count); };
  auto c = [=](const Index &i) { return -a(i) * sum(i[0].whole()) * Expr(1 / count) - b(i) * wide(v[3], i); };
  return {channelVector(node, 0, a), channelVector(node, 1, b), channelVector(node, 2, c),
          channelVector(node, 3, [=](const Index &i) { return centred(i) * inverse(i); }),
          channelVector(node, 4, [=](const Index &i) { return Expr(sum(i[0].whole())); })};
}

std::vector<Value> inferenceAffine(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const double epsilon = node.real("epsilon");
  auto multiplier = [=](const Index &i) { return wide(v[0], i) / sqrt(wide(v[3], i) + Expr(epsilon)); };
  return {channelVector(node, 0, multiplier),
          channelVector(node, 1, [=](const Index &i) { return wide(v[1], i) - wide(v[2], i) * multiplier(i); })};
}

std::vector<Value> runningAverage(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const double momentum = node.real("momentum"), factor = node.real("factor");
  return {channelVector(node, 0, [=](const Index &i) {
    return wide(v[0], i) * Expr(1 - momentum) + wide(v[1], i) * Expr(momentum * factor);
  })};
}

} // namespace

const NodeFamily &normNodes() {
  static const NodeFamily rows = {
      {"channel_sum", channelSum},
      {"channel_dot", channelDot},
      {"batch_norm_finalize", batchNormFinalize},
      {"batch_norm_grad_finalize", batchNormGradFinalize},
      {"inference_affine", inferenceAffine},
      {"running_average", runningAverage},
  };
  return rows;
}

} // namespace resin::codegen
