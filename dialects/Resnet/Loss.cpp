//===- Loss.cpp - Softmax, cross entropy, and the rank of the label -------===//
//
// A label outside the classes (-1 is padding) has loss 0, gradient 0, and as many
// classes before it as there are.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Checker.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

/// exp(x - max) / sum of one row.
static std::vector<double> softmaxOfRow(const Tensor &x, int64_t n) {
  std::vector<double> row(x.dim(1));
  double largest = x.at(n, 0), sum = 0;
  for (int64_t c = 0; c < x.dim(1); ++c)
    largest = std::max(largest, x.at(n, c));
  for (int64_t c = 0; c < x.dim(1); ++c)
    sum += row[c] = std::exp(x.at(n, c) - largest);
  for (double &value : row)
    value /= sum;
  return row;
}

//===----------------------------------------------------------------------===//
// softmax
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return check.infer(types, op.getInput(), check.shape(op.getInput(), "a matrix", {2})); // softmax_c1
}

void SoftmaxOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t n = 0; n < operands[0].dim(0); ++n) {
    const std::vector<double> row = softmaxOfRow(operands[0], n);
    std::copy(row.begin(), row.end(), &results[0].at(n, 0));
  }
}

// dx = s * (ds - sum of ds * s)
SmallVector<Value> SoftmaxOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {SoftmaxGradOp::create(builder, getLoc(), resultGradients[0], getResult())};
}

LogicalResult SoftmaxGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  check.shape(op.getGradient(), "a matrix", {2});                                                    // softmax_grad_c1
  const Shape shape = check.sameShape(op.getOperands(), "takes a gradient in the softmax's shape:"); // softmax_grad_c1
  check.sameElementType(op.getOperands());                                                           // softmax_grad_c1
  return check.infer(types, op.getGradient(), shape);
}

void SoftmaxGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &ds = operands[0], &s = operands[1];
  for (int64_t n = 0; n < s.dim(0); ++n) {
    double dot = 0;
    for (int64_t c = 0; c < s.dim(1); ++c)
      dot += ds.at(n, c) * s.at(n, c);
    for (int64_t c = 0; c < s.dim(1); ++c)
      results[0].at(n, c) = s.at(n, c) * (ds.at(n, c) - dot);
  }
}

//===----------------------------------------------------------------------===//
// cross_entropy and label_rank
//===----------------------------------------------------------------------===//

/// (C1) Logits [n, classes] and labels [n].
static Shape logitsAndLabels(Checker &check, Value logits, Value labels) {
  const Shape shape = check.shape(logits, "logits", {2}), label = check.shape(labels, "labels", {1});
  if (!check.failed())
    check.that(agree(shape[0], label[0]),
               "takes a label for each image, not " + describe(label) + " for " + describe(shape));
  return shape;
}

/// (C2) 0 <= label_smoothing <= 1.
static void checkSmoothing(Checker &check, double smoothing) {
  check.that(smoothing >= 0 && smoothing <= 1, "takes label smoothing from 0 to 1, not " + spell(smoothing));
}

static bool isClass(double label, int64_t classes) { return label >= 0 && label < classes; }

/// The probability that the smoothed label gives to a class.
static double target(double label, int64_t c, int64_t classes, double smoothing) {
  return (label == c ? 1 - smoothing : 0) + smoothing / classes;
}

LogicalResult CrossEntropyOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                               SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = logitsAndLabels(check, op.getLogits(), op.getLabels()); // cross_entropy_c1
  checkSmoothing(check, op.getLabelSmoothing().convertToDouble());            // cross_entropy_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getLogits(), Shape{shape[0]});
}

void CrossEntropyOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &logits = operands[0], &labels = operands[1];
  const int64_t classes = logits.dim(1);
  for (int64_t n = 0; n < logits.dim(0); ++n) {
    if (!isClass(labels.data[n], classes))
      continue;
    double largest = logits.at(n, 0), sum = 0;
    for (int64_t c = 0; c < classes; ++c)
      largest = std::max(largest, logits.at(n, c));
    for (int64_t c = 0; c < classes; ++c)
      sum += std::exp(logits.at(n, c) - largest);
    for (int64_t c = 0; c < classes; ++c)
      if (double q = target(labels.data[n], c, classes, getLabelSmoothing().convertToDouble()))
        results[0].data[n] -= q * (logits.at(n, c) - largest - std::log(sum));
  }
}

LogicalResult CrossEntropyGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                   SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = logitsAndLabels(check, op.getLogits(), op.getLabels()); // cross_entropy_grad_c1
  checkSmoothing(check, op.getLabelSmoothing().convertToDouble());            // cross_entropy_grad_c2
  return check.infer(types, op.getLogits(), shape);
}

// d logits = (softmax(logits) - target) * factor
void CrossEntropyGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &logits = operands[0], &labels = operands[1];
  const int64_t classes = logits.dim(1);
  const double smoothing = getLabelSmoothing().convertToDouble(), factor = getFactor().convertToDouble();
  for (int64_t n = 0; n < logits.dim(0); ++n) {
    if (!isClass(labels.data[n], classes))
      continue;
    const std::vector<double> p = softmaxOfRow(logits, n);
    for (int64_t c = 0; c < classes; ++c)
      results[0].at(n, c) = (p[c] - target(labels.data[n], c, classes, smoothing)) * factor;
  }
}

LogicalResult LabelRankOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = logitsAndLabels(check, op.getLogits(), op.getLabels()); // label_rank_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getLabels(), Shape{shape[0]});
}

void LabelRankOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &logits = operands[0], &labels = operands[1];
  for (int64_t n = 0; n < logits.dim(0); ++n) {
    const auto label = static_cast<int64_t>(labels.data[n]);
    const bool padding = !isClass(labels.data[n], logits.dim(1));
    for (int64_t c = 0; c < logits.dim(1); ++c)
      if (padding || !(logits.at(n, c) < logits.at(n, label) || (logits.at(n, c) == logits.at(n, label) && c >= label)))
        ++results[0].data[n];
  }
}

} // namespace resin::resnet
