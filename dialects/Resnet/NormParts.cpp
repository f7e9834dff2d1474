//===- NormParts.cpp - What batch norm is made of, for fusion -------------===//
//
// Forward: channel sums -> batch_norm_finalize -> scale_shift. Backward: channel sums
// -> batch_norm_grad_finalize -> affine_combine. For inference: inference_affine,
// whose map scale_filter and scale_add fold into the convolution before it.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Channels.h"
#include "dialects/Resnet/NormChecks.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

//===----------------------------------------------------------------------===//
// channel_sum and channel_dot
//===----------------------------------------------------------------------===//

/// (C2) The pieces are equal.
static void checkPieces(Checker &check, ArrayRef<int64_t> shape, int64_t pieces) {
  check.numbers(pieces, "pieces", 1, 1);
  if (!check.failed())
    check.that(ShapedType::isDynamic(shape[0]) || shape[0] % pieces == 0,
               "cannot cut " + Twine(shape[0]) + " images into " + Twine(pieces) + " equal pieces");
}

/// Adds `value(element)` to the piece's row of [pieces, c].
template <typename Value> static void sumPieces(const Tensor &activation, int64_t pieces, Tensor &sums, Value value) {
  const int64_t images = activation.dim(0) / pieces;
  for (int64_t piece = 0; piece < pieces; ++piece)
    forEachElement(activation, piece * images, (piece + 1) * images,
                   [&](int64_t i, int64_t c) { sums.at(piece, c) += value(i); });
}

LogicalResult ChannelSumOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = check.shape(op.getInput(), "an activation", {4, 2}); // channel_sum_c1
  checkPieces(check, shape, op.getPieces());                               // channel_sum_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), Shape{int64_t(op.getPieces()), shape[1]}); // channel_sum_c3, or f64
}

void ChannelSumOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  sumPieces(operands[0], getPieces(), results[0], [&](int64_t i) { return operands[0].data[i]; });
}

LogicalResult ChannelDotOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  check.shape(op.getLhs(), "an activation", {4, 2});                                                 // channel_dot_c1
  const Shape shape = check.sameShape(op.getOperands(), "multiplies activations of one shape, not"); // channel_dot_c1
  check.sameElementType(op.getOperands());                                                           // channel_dot_c1
  checkPieces(check, shape, op.getPieces());                                                         // channel_dot_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getLhs(), Shape{int64_t(op.getPieces()), shape[1]}); // channel_dot_c3, or f64
}

void ChannelDotOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  sumPieces(operands[0], getPieces(), results[0], [&](int64_t i) { return operands[0].data[i] * operands[1].data[i]; });
}

//===----------------------------------------------------------------------===//
// batch_norm_finalize and batch_norm_grad_finalize
//===----------------------------------------------------------------------===//

/// (C1) Two tables [pieces, c] of one shape, and vectors [c], in whose element type the tables are or in f64. Gives
/// [c].
static Shape sumsAndVectors(Checker &check, ValueRange sums, ValueRange vectors) {
  check.shape(sums[0], "partial sums", {2});
  const Shape shape = check.sameShape(sums, "takes partial sums of one shape, not");
  if (check.failed())
    return shape;
  for (Value vector : vectors)
    check.channels(vector, "a channel vector", shape[1]);
  check.sameElementType(sums);
  if (!getElementTypeOrSelf(sums[0]).isF64())
    check.sameElementType({sums[0], vectors[0]});
  check.sameElementType(vectors);
  return {shape[1]};
}

/// (C3) A channel has at least one element.
static void checkCount(Checker &check, const APFloat &count) {
  check.that(count.isFinite() && count.convertToDouble() >= 1,
             "takes a count from 1 on, not " + spell(count.convertToDouble()));
}

static double sumOfColumn(const Tensor &sums, int64_t c) {
  double sum = 0;
  for (int64_t piece = 0; piece < sums.dim(0); ++piece)
    sum += sums.at(piece, c);
  return sum;
}

LogicalResult BatchNormFinalizeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                    SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape c = sumsAndVectors(check, {op.getSum(), op.getSumOfSquares()},
                                 {op.getScale(), op.getOffset()}); // batch_norm_finalize_c1
  checkEpsilon(check, op.getEpsilon());                            // batch_norm_finalize_c2
  checkCount(check, op.getCount());                                // batch_norm_finalize_c3
  return check.infer(types, op.getScale(), {c, c, c, c});
}

void BatchNormFinalizeOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double count = getCount().convertToDouble(), epsilon = getEpsilon().convertToDouble();
  for (int64_t c = 0; c < operands[2].size(); ++c) {
    const double mean = sumOfColumn(operands[0], c) / count;
    const double difference = sumOfColumn(operands[1], c) / count - mean * mean;
    const double variance = difference < 0 ? 0 : difference;
    const double multiplier = operands[2].data[c] / std::sqrt(variance + epsilon);
    results[0].data[c] = multiplier;
    results[1].data[c] = operands[3].data[c] - mean * multiplier;
    results[2].data[c] = mean;
    results[3].data[c] = variance;
  }
}

LogicalResult BatchNormGradFinalizeOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                        SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape c = sumsAndVectors(check, {op.getSum(), op.getDot()},
                                 {op.getScale(), op.getMean(), op.getVariance()}); // batch_norm_grad_finalize_c1
  checkEpsilon(check, op.getEpsilon());                                            // batch_norm_grad_finalize_c2
  checkCount(check, op.getCount());                                                // batch_norm_grad_finalize_c3
  return check.infer(types, op.getScale(), {c, c, c, c, c});
}

// batch_norm_grad's formula, sorted by dz, y and 1. With S = sum of dz, D = sum of dz * y and i = 1 / sqrt(v +
// epsilon):
//   d offset = S,  d scale = (D - m * S) * i,  a = scale * i,  b = -a * i * d scale / N,  c = -a * S / N - b * m
void BatchNormGradFinalizeOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double count = getCount().convertToDouble(), epsilon = getEpsilon().convertToDouble();
  for (int64_t c = 0; c < operands[2].size(); ++c) {
    const double sum = sumOfColumn(operands[0], c), dot = sumOfColumn(operands[1], c), mean = operands[3].data[c];
    const double inverse = 1 / std::sqrt(operands[4].data[c] + epsilon);
    const double dScale = (dot - mean * sum) * inverse;
    const double a = operands[2].data[c] * inverse, b = -a * inverse * dScale / count;
    results[0].data[c] = a;
    results[1].data[c] = b;
    results[2].data[c] = -a * sum / count - b * mean;
    results[3].data[c] = dScale;
    results[4].data[c] = sum;
  }
}

//===----------------------------------------------------------------------===//
// scale_shift and affine_combine
//===----------------------------------------------------------------------===//

LogicalResult ScaleShiftOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                             SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = // scale_shift_c1
      activationAndVectors(check, op.getInput(), {{op.getMultiplier(), "a multiplier"}, {op.getAddend(), "an addend"}});
  return check.infer(types, op.getInput(), shape);
}

void ScaleShiftOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachElement(operands[0], [&](int64_t i, int64_t c) {
    results[0].data[i] = operands[0].data[i] * operands[1].data[c] + operands[2].data[c];
  });
}

LogicalResult AffineCombineOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  activationAndVectors(check, op.getX(),
                       {{op.getA(), "an 'a'"}, {op.getB(), "a 'b'"}, {op.getC(), "a 'c'"}}); // affine_combine_c1
  const Shape shape =
      check.sameShape({op.getX(), op.getY()}, "combines activations of one shape, not"); // affine_combine_c1
  check.sameElementType(op.getOperands());                                               // affine_combine_c1
  return check.infer(types, op.getX(), shape);
}

void AffineCombineOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &x = operands[0], &y = operands[1], &a = operands[2], &b = operands[3], &c = operands[4];
  forEachElement(
      x, [&](int64_t i, int64_t k) { results[0].data[i] = a.data[k] * x.data[i] + b.data[k] * y.data[i] + c.data[k]; });
}

//===----------------------------------------------------------------------===//
// inference_affine, scale_filter and scale_add: folding for inference
//===----------------------------------------------------------------------===//

LogicalResult InferenceAffineOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                  SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = vectorsAlike(check, op.getOperands()); // inference_affine_c1
  checkEpsilon(check, op.getEpsilon());                      // inference_affine_c2
  return check.infer(types, op.getScale(), {shape, shape});
}

void InferenceAffineOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &scale = operands[0], &offset = operands[1], &mean = operands[2], &variance = operands[3];
  const double epsilon = getEpsilon().convertToDouble();
  for (int64_t c = 0; c < scale.size(); ++c) {
    const double multiplier = scale.data[c] / std::sqrt(variance.data[c] + epsilon);
    results[0].data[c] = multiplier;
    results[1].data[c] = offset.data[c] - mean.data[c] * multiplier;
  }
}

LogicalResult ScaleFilterOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                              SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = check.shape(op.getFilter(), "filters", {4, 2}); // scale_filter_c1
  check.sameElementType(op.getOperands());                            // scale_filter_c1
  if (!check.failed())
    check.channels(op.getMultiplier(), "a multiplier", shape[0]); // scale_filter_c1
  return check.infer(types, op.getFilter(), shape);
}

void ScaleFilterOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const int64_t filterSize = operands[0].size() / operands[0].dim(0);
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[0].data[i] * operands[1].data[i / filterSize];
}

LogicalResult ScaleAddOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return check.infer(types, op.getX(), vectorsAlike(check, op.getOperands())); // scale_add_c1
}

void ScaleAddOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t c = 0; c < operands[0].size(); ++c)
    results[0].data[c] = operands[0].data[c] * operands[1].data[c] + operands[2].data[c];
}

} // namespace resin::resnet
