//===- Pointwise.cpp - Element by element, channel vectors broadcast ------===//

#include "codegen/kernels/Values.h"

#include "support/Philox.h"

using namespace Halide;

namespace resin::codegen {

namespace {

/// The element of a vector over dimension 1: [c] for [n,c,h,w], [f] for [n,f].
Expr byChannel(const Value &vector, const Index &at) { return vector.at({at[1]}); }

Value pointwise(const KernelNode &node, std::function<Expr(const Index &)> at) {
  return {node.results[0], std::move(at)};
}

std::vector<Value> relu(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return max(v[0].at(i), 0.f); })};
}

std::vector<Value> reluGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return select(v[1].at(i) > 0.f, v[0].at(i), 0.f); })};
}

std::vector<Value> add(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return v[0].at(i) + v[1].at(i); })};
}

std::vector<Value> addBias(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return v[0].at(i) + byChannel(v[1], i); })};
}

std::vector<Value> scaleShift(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return v[0].at(i) * byChannel(v[1], i) + byChannel(v[2], i); })};
}

std::vector<Value> affineCombine(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) {
    return byChannel(v[2], i) * v[0].at(i) + (byChannel(v[3], i) * v[1].at(i) + byChannel(v[4], i));
  })};
}

std::vector<Value> scaleAdd(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return v[0].at(i) * v[1].at(i) + v[2].at(i); })};
}

std::vector<Value> scaleFilter(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return v[0].at(i) * v[1].at({i[0]}); })};
}

/// Ten rounds of Philox4x32 on counter words `c` under key `k` (support/Philox.h).
std::vector<Expr> philox(std::vector<Expr> c, Expr k0, Expr k1) {
  auto high = [](uint32_t constant, Expr word) {
    return cast<uint32_t>((cast<uint64_t>(word) * cast<uint64_t>(Expr(constant))) >> 32);
  };
  for (int round = 0; round < 10; ++round) {
    const uint32_t m0 = 0xD2511F53u, m1 = 0xCD9E8D57u;
    c = {high(m1, c[2]) ^ c[1] ^ k0, Expr(m1) * c[2], high(m0, c[0]) ^ c[3] ^ k1, Expr(m0) * c[0]};
    k0 = k0 + Expr(uint32_t(0x9E3779B9));
    k1 = k1 + Expr(uint32_t(0xBB67AE85));
  }
  return c;
}

/// Elements are numbered from the batch's first, which `piece` pieces stand before.
std::vector<Value> dropout(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const double rate = node.real("rate");
  const uint64_t layer = node.integer("layer");
  const std::vector<int64_t> shape = node.results[0];
  const Expr piece = node.integer("piece_of") > 1 ? cast<uint64_t>(stages.pieceNumber()) : cast<uint64_t>(0);
  return {pointwise(node, [=](const Index &i) {
    Expr element = piece; // row by row: the batch's dimensions before those of a piece
    for (size_t d = 0; d < shape.size(); ++d)
      element = element * Expr(uint64_t(shape[d])) + cast<uint64_t>(i[d].whole());
    Expr block = element / Expr(uint64_t(4)), word = cast<uint32_t>(element % Expr(uint64_t(4)));
    auto seed = [&](int s) { return reinterpret<uint32_t>(v[1].at({Coordinate(Expr(s))})); };
    std::vector<Expr> words =
        philox({cast<uint32_t>(block), cast<uint32_t>(block >> 32), Expr(uint32_t(layer)), Expr(uint32_t(layer >> 32))},
               seed(0), seed(1));
    Expr drawn = mux(cast<int>(word), words);
    return select(drawn >= Expr(philox::dropoutThreshold(rate)), v[0].at(i) * float(1 / (1 - rate)), 0.f);
  })};
}

} // namespace

const NodeFamily &pointwiseNodes() {
  static const NodeFamily rows = {
      {"relu", 1, 1, {}, relu},
      {"relu_grad", 2, 1, {}, reluGrad},
      {"add", 2, 1, {}, add},
      {"add_bias", 2, 1, {}, addBias},
      {"scale_shift", 3, 1, {}, scaleShift},
      {"affine_combine", 5, 1, {}, affineCombine},
      {"scale_add", 3, 1, {}, scaleAdd},
      {"scale_filter", 2, 1, {}, scaleFilter},
      {"dropout",
       2,
       1,
       {{"layer", AttributeKind::Integer}, {"piece_of", AttributeKind::Integer}, {"rate", AttributeKind::Real}},
       dropout},
  };
  return rows;
}

} // namespace resin::codegen
