//===- Pointwise.cpp - Element by element, channel vectors broadcast ------===//

#include "codegen/cpu/kernels/Strict.h"
#include "codegen/cpu/kernels/Values.h"

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
  return {pointwise(node, [=](const Index &i) { return atLeast(0.f, v[0].at(i)); })};
}

std::vector<Value> reluGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {
      pointwise(node, [=](const Index &i) { return select(isEqual(atLeast(0.f, v[1].at(i)), 0.f), 0.f, v[0].at(i)); })};
}

std::vector<Value> leakyRelu(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const float slope = node.real("slope");
  return {pointwise(node, [=](const Index &i) {
    const Expr x = v[0].at(i);
    return select(isLess(x, 0.f), strictProduct(slope, x), x);
  })};
}

std::vector<Value> leakyReluGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const float slope = node.real("slope");
  return {pointwise(node, [=](const Index &i) {
    return select(isLess(0.f, v[1].at(i)), v[0].at(i), strictProduct(slope, v[0].at(i)));
  })};
}

/// 1 / (1 + exp(-x)), and one less that. The exponent is never positive, so nothing overflows; far below zero it is 0.
struct Sigmoid {
  explicit Sigmoid(Expr x) {
    const Expr e = Internal::halide_exp(atLeast(-110.f, -abs(x))), isNegative = isLess(x, 0.f);
    value = select(isNegative, e, 1.f) / (1.f + e);
    rest = select(isNegative, 1.f, e) / (1.f + e);
  }
  Expr value, rest;
};

std::vector<Value> silu(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) { return strictProduct(v[0].at(i), Sigmoid(v[0].at(i)).value); })};
}

std::vector<Value> siluGrad(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  return {pointwise(node, [=](const Index &i) {
    const Expr x = v[1].at(i);
    const Sigmoid s(x);
    return v[0].at(i) * strictProduct(s.value, 1.f + strictProduct(x, s.rest));
  })};
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

/// Elements are numbered row by row from the batch's first, and four of them draw one block of words. The number of
/// blocks counts in 32 bits where the batch has no more.
class Draws {
public:
  Draws(const KernelNode &node, const Value &seed, const Stages &stages)
      : shape(node.results[0].shape), layer(node.integer("layer")), seed(seed), pieces(node.integer("piece_of")),
        number(pieces > 1 ? stages.pieceNumber() : Expr(0)) {}

  /// Element of the batch at an index of the piece.
  Expr element(const Index &at) const {
    Expr element = count(number);
    for (size_t d = 0; d < shape.size(); ++d)
      element = element * count(int(shape[d])) + count(at[d].whole());
    return element;
  }
  /// The words of a block.
  std::vector<Expr> words(Expr block) const {
    auto word = [&](int s) { return reinterpret<uint32_t>(seed.at({Coordinate(Expr(s))})); };
    const Expr high = isLong() ? cast<uint32_t>(block >> 32) : Expr(uint32_t(0));
    return philox({cast<uint32_t>(block), high, Expr(uint32_t(layer)), Expr(uint32_t(layer >> 32))}, word(0), word(1));
  }

private:
  bool isLong() const {
    double elements = pieces;
    for (int64_t extent : shape)
      elements *= extent;
    return elements >= 0x1p32;
  }
  Expr count(Expr value) const { return isLong() ? cast<uint64_t>(value) : cast<uint32_t>(value); }

  const std::vector<int64_t> shape;
  const uint64_t layer;
  const Value seed;
  const int64_t pieces;
  const Expr number; ///< of the piece
};

std::vector<Value> dropout(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const double rate = node.real("rate");
  const Draws draws(node, v[1], stages);
  auto keep = [=](Expr drawn, const Index &i) {
    const Expr factor = select(drawn >= Expr(philox::dropoutThreshold(rate)), float(1 / (1 - rate)), 0.f);
    return strictProduct(v[0].at(i), factor);
  };
  if (!stages.tilesByFours())
    return {pointwise(node, [=](const Index &i) {
      const Expr element = draws.element(i);
      return keep(mux(cast<int>(element % 4), draws.words(element / 4)), i);
    })};
  const int64_t channels = node.results[0].shape[1];
  const Func words = stages.fours("words", [&](const std::vector<Expr> &p) { // ki, q, y, kb, n
    const Index first = {Coordinate(p[4]), Coordinate(p[3], p[0], channels % kChannelBlock != 0), Coordinate(p[2]),
                         Coordinate(4 * p[1])};
    return Tuple(draws.words(draws.element(first) / 4));
  });
  return {pointwise(node, [=](const Index &i) {
    const Expr x = i[3].whole();
    const FuncRef block = words(i[1].lane(), x / 4, i[2].whole(), i[1].block(), i[0].whole());
    return keep(mux(x % 4, {block[0], block[1], block[2], block[3]}), i);
  })};
}

} // namespace

const NodeFamily &pointwiseNodes() {
  static const NodeFamily rows = {
      {"relu", relu},
      {"relu_grad", reluGrad},
      {"leaky_relu", leakyRelu},
      {"leaky_relu_grad", leakyReluGrad},
      {"silu", silu},
      {"silu_grad", siluGrad},
      {"add", add},
      {"add_bias", addBias},
      {"scale_shift", scaleShift},
      {"affine_combine", affineCombine},
      {"scale_add", scaleAdd},
      {"scale_filter", scaleFilter},
      {"dropout", dropout},
  };
  return rows;
}

} // namespace resin::codegen
