//===- Dense.cpp - Matrix products of linear layers, and sums -------------===//
//
// Weights are k16: [o/16][i][16 o]. Gradients of the products are read in the same
// blocks of 16 outputs, so that every inner loop runs along a block.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Values.h"

using namespace Halide;

namespace resin::codegen {

namespace {

Coordinate blocked(Expr block, Expr lane, int64_t extent) {
  return Coordinate(block, lane, extent % kChannelBlock != 0);
}

/// Images or inputs summed at once: 6 times 16 lanes are 12 of AVX2's 16 registers.
int together(const Stages &stages) {
  return stages.machine.vectorRegisters * stages.machine.vectorFloats / (kChannelBlock * 4 / 3);
}
/// The same, of a loop that they cut into equal parts.
int togetherOf(int64_t extent, const Stages &stages) {
  return static_cast<int>(largestDivisor(extent, together(stages)));
}

// y[n,o] = sum_i x[n,i] * w[o,i]
std::vector<Value> linear(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int64_t n = v[0].shape[0], in = v[0].shape[1], out = v[1].shape[0];
  auto term = [&](auto &e, auto &r) { return v[0].at({e[1], r[0]}) * v[1].at({blocked(e[2], e[0], out), r[0]}); };
  Func product = stages.sum("product", {kChannelBlock, n, blocksOf(out)}, {in}, term, together(stages));
  stages.tileBy({kChannelBlock, togetherOf(n, stages)});
  return {{node.results[0], [=](const Index &i) { return product(i[1].lane(), i[0].whole(), i[1].block()); }}};
}

// dx[n,i] = sum_o g[n,o] * w[o,i]: lanes of a block apart first, then their sum.
std::vector<Value> linearGradData(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int64_t n = v[0].shape[0], out = v[0].shape[1], in = v[1].shape[1];
  auto term = [&](auto &e, auto &r) {
    Coordinate o = blocked(r[0], e[0], out);
    return v[0].at({e[1], o}) * v[1].at({o, e[2]});
  };
  Func lanes = stages.sum("lanes", {kChannelBlock, n, in}, {blocksOf(out)}, term, together(stages));
  if (in % kChannelBlock == 0)
    stages.computeInside(kChannelBlock);
  stages.tileBy({1, togetherOf(n, stages)});
  return {{node.results[0], [=](const Index &i) {
             std::vector<Expr> sums;
             for (int lane = 0; lane < kChannelBlock; ++lane)
               sums.push_back(lanes(lane, i[0].whole(), i[1].whole()));
             for (size_t half = sums.size() / 2; half; half /= 2)
               for (size_t s = 0; s < half; ++s)
                 sums[s] = sums[s] + sums[s + half];
             return sums[0];
           }}};
}

// dw[o,i] = sum_n g[n,o] * x[n,i]
std::vector<Value> linearGradWeight(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int64_t n = v[0].shape[0], out = v[0].shape[1], in = v[1].shape[1];
  auto term = [&](auto &e, auto &r) { return v[0].at({r[0], blocked(e[2], e[0], out)}) * v[1].at({r[0], e[1]}); };
  Func product = stages.sum("product", {kChannelBlock, in, blocksOf(out)}, {n}, term, together(stages));
  stages.computeInside(1);
  stages.tileBy({0, togetherOf(in, stages)});
  return {{node.results[0], [=](const Index &i) { return product(i[0].lane(), i[1].whole(), i[0].block()); }}};
}

/// In a fixed tree, so that the same numbers are added in the same order.
Expr treeSum(std::vector<Expr> terms) {
  while (terms.size() > 1) {
    std::vector<Expr> next;
    for (size_t t = 0; t < terms.size(); t += 2)
      next.push_back(t + 1 < terms.size() ? terms[t] + terms[t + 1] : terms[t]);
    terms = next;
  }
  return terms[0];
}

std::vector<Value> batchSum(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int64_t n = v[0].shape[0];
  auto at = [=](Expr first, const Index &rest) {
    Index index = {first};
    index.insert(index.end(), rest.begin(), rest.end());
    return v[0].at(index);
  };
  if (n <= 16 || node.results[0].shape.size() != 1)
    return {{node.results[0], [=](const Index &i) {
               std::vector<Expr> terms;
               for (int row = 0; row < n; ++row)
                 terms.push_back(at(row, i));
               return treeSum(terms);
             }}};
  const int64_t c = node.results[0].shape[0];
  Func sum = stages.sum("sum", {blocksOf(c) * kChannelBlock}, {n},
                        [&](auto &e, auto &r) { return at(r[0], {Coordinate(e[0], c % kChannelBlock != 0)}); });
  stages.tileBy({kChannelBlock});
  return {{node.results[0], [=](const Index &i) { return sum(i[0].whole()); }}};
}

} // namespace

const NodeFamily &denseNodes() {
  static const NodeFamily rows = {
      {"linear", linear},
      {"linear_grad_data", linearGradData},
      {"linear_grad_weight", linearGradWeight},
      {"batch_sum", batchSum},
  };
  return rows;
}

} // namespace resin::codegen
