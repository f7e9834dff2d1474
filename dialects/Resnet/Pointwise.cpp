//===- Pointwise.cpp - relu, leaky_relu, silu, add, add_bias, dropout -----------------------===//

#include "dialects/Resnet/Channels.h"
#include "dialects/Resnet/Checker.h"
#include "support/Philox.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

//===----------------------------------------------------------------------===//
// relu
//===----------------------------------------------------------------------===//

LogicalResult ReluOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return check.infer(types, op.getInput(), check.shape(op.getInput(), "an activation", {4, 2})); // relu_c1
}

void ReluOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[0].data[i] < 0 ? 0 : operands[0].data[i];
}

// dx = 0 where y <= 0, else dy; by the result and not the input, so that the input need not be kept.
SmallVector<Value> ReluOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {ReluGradOp::create(builder, getLoc(), resultGradients[0], getResult())};
}

/// Of a gradient and the activation it belongs to.
static LogicalResult inferGradient(Checker &check, ValueRange operands, SmallVectorImpl<Type> &types) {
  check.shape(operands[0], "a gradient", {4, 2});
  const Shape shape = check.sameShape(operands, "takes a gradient in the activation's shape:");
  check.sameElementType(operands);
  return check.infer(types, operands[0], shape);
}

LogicalResult ReluGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return inferGradient(check, op.getOperands(), types); // relu_grad_c1
}

void ReluGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[1].data[i] <= 0 ? 0 : operands[0].data[i];
}

//===----------------------------------------------------------------------===//
// leaky_relu
//===----------------------------------------------------------------------===//

static void checkSlope(Checker &check, const APFloat &value) {
  const double slope = value.convertToDouble();
  check.that(slope >= 0 && slope < 1, "takes a slope from 0 to below 1, not " + spell(slope));
}

LogicalResult LeakyReluOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                            SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  checkSlope(check, op.getSlope());                                                              // leaky_relu_c2
  return check.infer(types, op.getInput(), check.shape(op.getInput(), "an activation", {4, 2})); // leaky_relu_c1
}

void LeakyReluOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double slope = getSlope().convertToDouble();
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[0].data[i] < 0 ? slope * operands[0].data[i] : operands[0].data[i];
}

// dx = dy where y > 0, else slope * dy; by the result, as relu's.
SmallVector<Value> LeakyReluOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {LeakyReluGradOp::create(builder, getLoc(), resultGradients[0], getResult(), getSlopeAttr())};
}

LogicalResult LeakyReluGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  checkSlope(check, op.getSlope());                     // leaky_relu_grad_c2
  return inferGradient(check, op.getOperands(), types); // leaky_relu_grad_c1
}

void LeakyReluGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double slope = getSlope().convertToDouble();
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[1].data[i] > 0 ? operands[0].data[i] : slope * operands[0].data[i];
}

//===----------------------------------------------------------------------===//
// silu
//===----------------------------------------------------------------------===//

LogicalResult SiluOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return check.infer(types, op.getInput(), check.shape(op.getInput(), "an activation", {4, 2})); // silu_c1
}

void SiluOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[0].data[i] / (1 + std::exp(-operands[0].data[i]));
}

// dx = dy * s * (1 + x * (1 - s)), s = sigmoid(x)
SmallVector<Value> SiluOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {SiluGradOp::create(builder, getLoc(), resultGradients[0], getInput())};
}

LogicalResult SiluGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  return inferGradient(check, op.getOperands(), types); // silu_grad_c1
}

void SiluGradOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i) {
    const double x = operands[1].data[i], s = 1 / (1 + std::exp(-x));
    results[0].data[i] = operands[0].data[i] * s * (1 + x * (1 - s));
  }
}

//===----------------------------------------------------------------------===//
// add
//===----------------------------------------------------------------------===//

LogicalResult AddOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  check.shape(op.getLhs(), "an activation", {4, 2});              // add_c1
  const Shape shape = check.sameShape(op.getOperands(), "joins"); // add_c1
  check.sameElementType(op.getOperands());                        // add_c1
  return check.infer(types, op.getLhs(), shape);
}

void AddOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] = operands[0].data[i] + operands[1].data[i];
}

// dx = dy = dz
SmallVector<Value> AddOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {resultGradients[0], resultGradients[0]};
}

//===----------------------------------------------------------------------===//
// add_bias
//===----------------------------------------------------------------------===//

LogicalResult AddBiasOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = check.shape(op.getInput(), "an activation", {4, 2}); // add_bias_c1
  check.sameElementType(op.getOperands());                                 // add_bias_c1
  if (!check.failed())
    check.channels(op.getBias(), "a bias", shape[1]); // add_bias_c1
  return check.infer(types, op.getInput(), shape);
}

void AddBiasOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  forEachElement(operands[0],
                 [&](int64_t i, int64_t c) { results[0].data[i] = operands[0].data[i] + operands[1].data[c]; });
}

// dx = dy; d bias = sum of dy over the batch and all pixels
SmallVector<Value> AddBiasOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  Value sums = resultGradients[0];
  if (!wanted[1])
    return {sums, Value()};
  if (getInput().getType().getRank() == 4)
    sums = ChannelSumOp::create(builder, getLoc(), sums, /*pieces=*/1);
  return {resultGradients[0], BatchSumOp::create(builder, getLoc(), sums)};
}

//===----------------------------------------------------------------------===//
// dropout
//===----------------------------------------------------------------------===//

LogicalResult DropoutOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = check.shape(op.getInput(), "an activation", {4, 2}); // dropout_c1
  check.channels(op.getSeed(), "a seed", 2);                               // dropout_c2
  const double rate = op.getRate().convertToDouble();
  check.that(rate >= 0 && rate < 1, "takes a rate from 0 to below 1, not " + spell(rate)); // dropout_c3
  const int64_t pieces = op.getPieceOf();
  check.that(pieces >= 1, "is one of at least one piece, not of " + Twine(pieces)); // dropout_c4
  return check.infer(types, op.getInput(), shape);
}

void DropoutOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  evaluatePiece(0, operands, results);
}

void DropoutOp::evaluatePiece(int64_t piece, ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const auto seed0 = static_cast<uint32_t>(static_cast<int64_t>(operands[1].data[0]));
  const auto seed1 = static_cast<uint32_t>(static_cast<int64_t>(operands[1].data[1]));
  const double rate = getRate().convertToDouble();
  const uint64_t first = piece * operands[0].size();
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i] =
        operands[0].data[i] * (philox::dropoutKeeps(seed0, seed1, getLayer(), first + i, rate) ? 1 / (1 - rate) : 0);
}

// dx = dropout(dy): linear in x, with the same mask
SmallVector<Value> DropoutOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  return {DropoutOp::create(builder, getLoc(), resultGradients[0], getSeed(), getRateAttr(), getLayerAttr(),
                            getPieceOfAttr()),
          Value()};
}

} // namespace resin::resnet
