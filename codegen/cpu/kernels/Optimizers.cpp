//===- Optimizers.cpp - Parameter updates ---------------------------------===//
//
// PyTorch's formulas. Parameters keep their kernel's layout, and their padding stays
// zero: gradients there are zero. Results may stand where their operands stand.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Values.h"

#include <cmath>

using namespace Halide;

namespace resin::codegen {

namespace {

Expr scalar(const Value &value) { return value.at({}); }

std::vector<Value> sgd(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const float momentum = node.real("momentum"), decay = node.real("weight_decay");
  const bool nesterov = node.integer("nesterov");
  auto gradient = [=](const Index &i) { return decay != 0 ? v[1].at(i) + decay * v[0].at(i) : v[1].at(i); };
  auto velocity = [=](const Index &i) { return momentum != 0 ? momentum * v[2].at(i) + gradient(i) : v[2].at(i); };
  auto direction = [=](const Index &i) {
    if (momentum == 0)
      return gradient(i);
    return nesterov ? gradient(i) + momentum * velocity(i) : velocity(i);
  };
  return {{node.results[0], [=](const Index &i) { return v[0].at(i) - scalar(v[3]) * direction(i); }},
          {node.results[1], velocity}};
}

/// exp(x) in double for x <= 0: 2^k times the series of what is left.
Expr expDouble(Expr x) {
  const double ln2 = 0.693147180559945309417;
  x = max(x, Expr(-700.0));
  Expr k = floor(x * Expr(1 / ln2) + Expr(0.5)), r = x - k * Expr(ln2), series = Expr(1.0);
  for (int term = 15; term >= 1; --term)
    series = series * r * Expr(1.0 / term) + Expr(1.0);
  return series * reinterpret<double>((cast<int64_t>(k) + 1023) << 52);
}

/// 1 - beta^step, in double: for beta near one the difference has few digits in f32.
Func biasCorrection(double beta, const Value &step, Stages &stages) {
  return stages.compute("correction", {1}, [&](auto &) {
    return Expr(1.0) - expDouble(cast<double>(scalar(step)) * Expr(std::log(beta)));
  });
}

std::vector<Value> adam(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const double beta1 = node.real("beta1"), beta2 = node.real("beta2");
  const float epsilon = node.real("epsilon"), decay = node.real("weight_decay");
  const bool decoupled = node.integer("decoupled");
  Func correction1 = biasCorrection(beta1, v[5], stages), correction2 = biasCorrection(beta2, v[5], stages);
  Func rate =
      stages.compute("rate", {1}, [&](auto &e) { return cast<float>(cast<double>(scalar(v[4])) / correction1(e[0])); });
  Func root =
      stages.compute("root", {1}, [&](auto &e) { return cast<float>(Expr(1.0) / sqrt(Expr(correction2(e[0])))); });
  auto gradient = [=](const Index &i) {
    return decay != 0 && !decoupled ? v[1].at(i) + decay * v[0].at(i) : v[1].at(i);
  };
  auto first = [=](const Index &i) { return float(beta1) * v[2].at(i) + float(1 - beta1) * gradient(i); };
  auto second = [=](const Index &i) {
    return float(beta2) * v[3].at(i) + float(1 - beta2) * gradient(i) * gradient(i);
  };
  auto parameter = [=](const Index &i) {
    Expr p = decay != 0 && decoupled ? v[0].at(i) * (1.f - scalar(v[4]) * decay) : v[0].at(i);
    return p - rate(0) * first(i) / (sqrt(second(i)) * root(0) + epsilon);
  };
  return {{node.results[0], parameter}, {node.results[1], first}, {node.results[2], second}};
}

std::vector<Value> rmsprop(const KernelNode &node, const std::vector<Value> &v, Stages &) {
  const float alpha = node.real("alpha"), rest = 1 - node.real("alpha"), epsilon = node.real("epsilon"),
              momentum = node.real("momentum"), decay = node.real("weight_decay");
  auto gradient = [=](const Index &i) { return decay != 0 ? v[1].at(i) + decay * v[0].at(i) : v[1].at(i); };
  auto square = [=](const Index &i) { return alpha * v[2].at(i) + rest * gradient(i) * gradient(i); };
  auto direction = [=](const Index &i) { return gradient(i) / (sqrt(square(i)) + epsilon); };
  auto velocity = [=](const Index &i) { return momentum != 0 ? momentum * v[3].at(i) + direction(i) : v[3].at(i); };
  auto parameter = [=](const Index &i) {
    return v[0].at(i) - scalar(v[4]) * (momentum != 0 ? velocity(i) : direction(i));
  };
  return {{node.results[0], parameter}, {node.results[1], square}, {node.results[2], velocity}};
}

} // namespace

const NodeFamily &optimizerNodes() {
  static const NodeFamily rows = {
      {"sgd", sgd},
      {"adam", adam},
      {"rmsprop", rmsprop},
  };
  return rows;
}

} // namespace resin::codegen
