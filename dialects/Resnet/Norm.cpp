//===- Norm.cpp - Batch norm as a whole -----------------------------------===//
//
// Ioffe and Szegedy 2015: with mean m and biased variance v of a channel over the
// batch and all pixels,
//
//   z = (y - m) / sqrt(v + epsilon) * scale + offset
//
// What it is made of once it is cut for fusion is in NormParts.cpp.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Channels.h"
#include "dialects/Resnet/NormChecks.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

Shape activationAndVectors(Checker &check, Value activation, ArrayRef<std::pair<Value, StringRef>> vectors) {
  const Shape shape = check.shape(activation, "an activation", {4, 2});
  if (check.failed())
    return shape;
  for (auto [vector, what] : vectors) {
    check.channels(vector, what, shape[1]);
    check.sameElementType({activation, vector});
  }
  return shape;
}

Shape vectorsAlike(Checker &check, ValueRange vectors) {
  for (Value vector : vectors)
    check.shape(vector, "a channel vector", {1});
  check.sameElementType(vectors);
  return check.sameShape(vectors, "takes channel vectors of one shape:");
}

void checkEpsilon(Checker &check, const APFloat &epsilon) {
  check.that(epsilon.isFinite() && !epsilon.isNegative() && !epsilon.isZero(),
             "takes a positive epsilon, not " + spell(epsilon.convertToDouble()));
}

//===----------------------------------------------------------------------===//
// batch_norm: before training and inference part
//===----------------------------------------------------------------------===//

LogicalResult BatchNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = activationAndVectors(
      check, op.getInput(), {{op.getScale(), "a scale"}, {op.getOffset(), "an offset"}}); // batch_norm_c1
  checkEpsilon(check, op.getEpsilon());                                                   // batch_norm_c2
  return check.infer(types, op.getInput(), shape);
}

LogicalResult BatchNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  for (FlatSymbolRefAttr name : {getRunningMeanAttr(), getRunningVarianceAttr()}) { // batch_norm_c3
    auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(*this, name);
    if (!variable)
      return mlir::emitError(getLoc()) << "'batch_norm' keeps its statistics in '" << name.getValue()
                                       << "', which is no variable";
    if (!sameUpToLayout(variable.getType(), getScale().getType()))
      return mlir::emitError(getLoc()) << "'batch_norm' keeps " << getScale().getType() << " in '" << name.getValue()
                                       << "', which is " << variable.getType();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// batch_norm_train
//===----------------------------------------------------------------------===//

LogicalResult BatchNormTrainOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = activationAndVectors(
      check, op.getInput(), {{op.getScale(), "a scale"}, {op.getOffset(), "an offset"}}); // batch_norm_train_c1
  checkEpsilon(check, op.getEpsilon());                                                   // batch_norm_train_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), {shape, {shape[1]}, {shape[1]}});
}

void BatchNormTrainOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &x = operands[0], &scale = operands[1], &offset = operands[2];
  Tensor &z = results[0], &mean = results[1], &variance = results[2];
  const double count = double(x.size()) / x.dim(1), epsilon = getEpsilon().convertToDouble();
  forEachElement(x, [&](int64_t i, int64_t c) { mean.data[c] += x.data[i] / count; });
  forEachElement(x, [&](int64_t i, int64_t c) {
    variance.data[c] += (x.data[i] - mean.data[c]) * (x.data[i] - mean.data[c]) / count;
  });
  forEachElement(x, [&](int64_t i, int64_t c) {
    z.data[i] = (x.data[i] - mean.data[c]) / std::sqrt(variance.data[c] + epsilon) * scale.data[c] + offset.data[c];
  });
}

// All three at once, by batch_norm_grad. The gradients of mean and variance are null: they only go to the running
// averages.
SmallVector<Value> BatchNormTrainOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  auto gradients = BatchNormGradOp::create(builder, getLoc(), resultGradients[0], getInput(), getScale(), getMean(),
                                           getVariance(), getEpsilonAttr());
  return {gradients.getInputGradient(), gradients.getScaleGradient(), gradients.getOffsetGradient()};
}

//===----------------------------------------------------------------------===//
// batch_norm_grad
//===----------------------------------------------------------------------===//

LogicalResult BatchNormGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  activationAndVectors(
      check, op.getInput(),
      {{op.getScale(), "a scale"}, {op.getMean(), "a mean"}, {op.getVariance(), "a variance"}}); // batch_norm_grad_c1
  const Shape shape = check.sameShape({op.getGradient(), op.getInput()},
                                      "takes a gradient in the shape of the input:"); // batch_norm_grad_c1
  check.sameElementType(op.getOperands());                                            // batch_norm_grad_c1
  checkEpsilon(check, op.getEpsilon());                                               // batch_norm_grad_c2
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), {shape, {shape[1]}, {shape[1]}});
}

// With h = (y - m) / sqrt(v + epsilon) and N elements in a channel:
//   d offset = sum of dz,  d scale = sum of dz * h,  dy = scale / sqrt(v + epsilon) * (dz - d offset / N - h * d scale
//   / N)
void BatchNormGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &dz = operands[0], &y = operands[1], &scale = operands[2], &mean = operands[3], &variance = operands[4];
  Tensor &dy = results[0], &dScale = results[1], &dOffset = results[2];
  const double count = double(y.size()) / y.dim(1), epsilon = getEpsilon().convertToDouble();
  auto inverse = [&](int64_t c) { return 1 / std::sqrt(variance.data[c] + epsilon); };
  auto normalised = [&](int64_t i, int64_t c) { return (y.data[i] - mean.data[c]) * inverse(c); };
  forEachElement(y, [&](int64_t i, int64_t c) {
    dOffset.data[c] += dz.data[i];
    dScale.data[c] += dz.data[i] * normalised(i, c);
  });
  forEachElement(y, [&](int64_t i, int64_t c) {
    dy.data[i] =
        scale.data[c] * inverse(c) * (dz.data[i] - dOffset.data[c] / count - normalised(i, c) * dScale.data[c] / count);
  });
}

//===----------------------------------------------------------------------===//
// batch_norm_inference and running_average
//===----------------------------------------------------------------------===//

LogicalResult BatchNormInferenceOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                     SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = activationAndVectors(check, op.getInput(), // batch_norm_inference_c1
                                           {{op.getScale(), "a scale"},
                                            {op.getOffset(), "an offset"},
                                            {op.getMean(), "a mean"},
                                            {op.getVariance(), "a variance"}});
  checkEpsilon(check, op.getEpsilon()); // batch_norm_inference_c2
  return check.infer(types, op.getInput(), shape);
}

void BatchNormInferenceOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &x = operands[0], &scale = operands[1], &offset = operands[2], &mean = operands[3],
               &variance = operands[4];
  const double epsilon = getEpsilon().convertToDouble();
  forEachElement(x, [&](int64_t i, int64_t c) {
    results[0].data[i] =
        (x.data[i] - mean.data[c]) / std::sqrt(variance.data[c] + epsilon) * scale.data[c] + offset.data[c];
  });
}

LogicalResult RunningAverageOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return check.infer(types, op.getOld(), vectorsAlike(check, op.getOperands())); // running_average_c1
}

void RunningAverageOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double momentum = getMomentum().convertToDouble(), factor = getFactor().convertToDouble();
  for (int64_t c = 0; c < operands[0].size(); ++c)
    results[0].data[c] = (1 - momentum) * operands[0].data[c] + momentum * factor * operands[1].data[c];
}

} // namespace resin::resnet
