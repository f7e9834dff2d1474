//===- Loss.cpp - Softmax, cross entropy, ranks ---------------------------===//
//
// Rows of classes: one scratch of exponentials, then sums over it. Where scratch has to be
// small exponentials are computed twice, and rows a few at a time.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/Strict.h"
#include "codegen/cpu/kernels/Values.h"

using namespace Halide;
using Halide::Internal::halide_exp;
using Halide::Internal::halide_log;

namespace resin::codegen {

namespace {

/// Halide's exponential of NaN is zero, and its logarithm a number.
Expr exponentialOf(Expr x) { return select(isNan(x), x, halide_exp(x)); }
Expr logarithmOf(Expr x) { return select(isNan(x), x, halide_log(x)); }

/// A value for each row.
using RowValue = std::function<Expr(Expr row)>;

/// Classes from which a row is summed up in double: a million exponentials in f32 are 1e-3 off.
constexpr int64_t kLongRow = 16384;

/// The pieces of a softmax over rows of `logits`: [n] each, and [classes, n].
struct Softmax {
  Func largest;
  RowValue sum;
  std::function<Expr(Expr c, Expr row)> exponential;

  Softmax(const Value &logits, Stages &stages) {
    const int64_t n = logits.shape[0], classes = logits.shape[1];
    largest = rowMaximum(logits, stages);
    exponential = [logits, largest = largest](Expr c, Expr row) {
      return exponentialOf(logits.at({row, c}) - largest(row));
    };
    if (!stages.machine.frugal) {
      Func kept = stages.compute("exponential", {classes, n}, [&](auto &e) { return exponential(e[0], e[1]); });
      exponential = [kept](Expr c, Expr row) { return kept(c, row); };
    }
    sum = rowSum("row_sum", classes, n, stages, [&](Expr row, Expr c) { return exponential(c, row); });
  }

  static RowValue rowSum(const char *name, int64_t classes, int64_t n, Stages &stages,
                         const std::function<Expr(Expr, Expr)> &term) {
    Func sum = stages.sum(name, {n}, {classes}, [&](auto &e, auto &r) {
      Expr value = term(e[0], r[0]);
      return classes >= kLongRow && value.type().is_float() ? cast<double>(value) : value;
    });
    return [sum](Expr row) {
      Expr whole = sum(row);
      return whole.type().is_float() ? cast<float>(whole) : whole;
    };
  }

private:
  static Func rowMaximum(const Value &logits, Stages &stages) {
    const int classes = logits.shape[1];
    RDom r(0, classes, "classes");
    Func running("maximum");
    Var row("row");
    running(row) = Float(32).min();
    running(row) = largerOrNan(running(row), logits.at({Expr(row), Expr(r)}));
    stages.add(running, {logits.shape[0]});
    return running;
  }
};

Expr probability(const Softmax &softmax, Expr row, Expr c) { return softmax.exponential(c, row) / softmax.sum(row); }

std::vector<Value> softmax(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  Softmax s(v[0], stages);
  stages.tileBy({0, stages.rowsTogether(v[0].shape[0])});
  return {{node.results[0], [=](const Index &i) { return probability(s, i[0].whole(), i[1].whole()); }}};
}

std::vector<Value> softmaxGrad(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  RowValue dot = Softmax::rowSum("dot", v[0].shape[1], v[0].shape[0], stages, [&](Expr row, Expr c) {
    return v[0].at({row, c}) * v[1].at({row, c});
  });
  stages.tileBy({0, stages.rowsTogether(v[0].shape[0])});
  return {{node.results[0], [=](const Index &i) { return v[1].at(i) * (v[0].at(i) - dot(i[0].whole())); }}};
}

std::vector<Value> crossEntropy(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int classes = v[0].shape[1];
  const float smoothing = node.real("label_smoothing");
  Softmax s(v[0], stages);
  stages.tileBy({stages.rowsTogether(v[0].shape[0])});
  // -sum q log p = log(sum of exponentials) - sum q (logit - largest), since q sums to one.
  RowValue mean;
  if (smoothing != 0)
    mean = Softmax::rowSum("logit_sum", classes, v[0].shape[0], stages, [&](Expr row, Expr c) {
      return (v[0].at({row, c}) - s.largest(row)) * (smoothing / classes);
    });
  return {{node.results[0], [=](const Index &i) {
             Expr row = i[0].whole(), label = v[1].at(i);
             Expr own = v[0].at({row, clamp(label, 0, classes - 1)}) - s.largest(row);
             Expr loss = logarithmOf(s.sum(row)) - own * (1 - smoothing);
             if (smoothing != 0)
               loss = loss - mean(row);
             return select(label >= 0, loss, 0.f);
           }}};
}

std::vector<Value> crossEntropyGrad(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int classes = v[0].shape[1];
  const float smoothing = node.real("label_smoothing"), factor = node.real("factor");
  Softmax s(v[0], stages);
  stages.tileBy({0, stages.rowsTogether(v[0].shape[0])});
  return {{node.results[0], [=](const Index &i) {
             Expr row = i[0].whole(), c = i[1].whole(), label = v[1].at({row});
             Expr target = select(c == label, 1 - smoothing, 0.f) + smoothing / classes;
             return select(label >= 0, (probability(s, row, c) - target) * factor, 0.f);
           }}};
}

std::vector<Value> labelRank(const KernelNode &node, const std::vector<Value> &v, Stages &stages) {
  const int classes = v[0].shape[1];
  auto labelOf = [=](Expr row) { return v[1].at({row}); };
  RowValue before = Softmax::rowSum("before", classes, v[0].shape[0], stages, [&](Expr row, Expr c) {
    Expr label = labelOf(row), own = v[0].at({row, clamp(label, 0, classes - 1)}), other = v[0].at({row, c});
    return select(isLess(other, own) || (isEqual(other, own) && c >= label), 0, 1);
  });
  stages.tileBy({stages.rowsTogether(v[0].shape[0])});
  return {{node.results[0],
           [=](const Index &i) { return select(labelOf(i[0].whole()) >= 0, before(i[0].whole()), classes); }}};
}

} // namespace

const NodeFamily &lossNodes() {
  static const NodeFamily rows = {
      {"softmax", softmax},
      {"softmax_grad", softmaxGrad},
      {"cross_entropy", crossEntropy},
      {"cross_entropy_grad", crossEntropyGrad},
      {"label_rank", labelRank},
  };
  return rows;
}

} // namespace resin::codegen
