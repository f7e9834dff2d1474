//===- Dense.cpp - Linear layers, and sums over the batch -----------------===//

#include "dialects/Resnet/Checker.h"

using namespace mlir;

namespace resin::resnet {

/// Two matrices, of which dimension `l` of the left meets dimension `r` of the right.
static std::pair<Shape, Shape> matrices(Checker &check, ValueRange operands, unsigned l, unsigned r) {
  const Shape left = check.shape(operands[0], "a matrix", {2}), right = check.shape(operands[1], "a matrix", {2});
  check.sameElementType(operands);
  if (!check.failed())
    check.that(agree(left[l], right[r]),
               "cannot multiply " + describe(left) + " and " + describe(right) + ": the inner extents differ");
  return {left, right};
}

//===----------------------------------------------------------------------===//
// linear
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                         SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const auto [input, weight] = matrices(check, op.getOperands(), 1, 1); // linear_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), Shape{input[0], weight[0]});
}

void LinearOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &x = operands[0], &w = operands[1];
  for (int64_t n = 0; n < x.dim(0); ++n)
    for (int64_t o = 0; o < w.dim(0); ++o)
      for (int64_t i = 0; i < x.dim(1); ++i)
        results[0].at(n, o) += x.at(n, i) * w.at(o, i);
}

// dx = dy * w, dw = transpose(dy) * x
SmallVector<Value> LinearOp::gradient(OpBuilder &builder, ValueRange resultGradients, ArrayRef<bool> wanted) {
  SmallVector<Value> gradients(2);
  if (wanted[0])
    gradients[0] = LinearGradDataOp::create(builder, getLoc(), resultGradients[0], getWeight());
  if (wanted[1])
    gradients[1] = LinearGradWeightOp::create(builder, getLoc(), resultGradients[0], getInput());
  return gradients;
}

LogicalResult LinearGradDataOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                 SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const auto [gradient, weight] = matrices(check, op.getOperands(), 1, 0); // linear_grad_data_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getGradient(), Shape{gradient[0], weight[1]});
}

void LinearGradDataOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &dy = operands[0], &w = operands[1];
  for (int64_t n = 0; n < dy.dim(0); ++n)
    for (int64_t o = 0; o < w.dim(0); ++o)
      for (int64_t i = 0; i < w.dim(1); ++i)
        results[0].at(n, i) += dy.at(n, o) * w.at(o, i);
}

LogicalResult LinearGradWeightOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                                   SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const auto [gradient, input] = matrices(check, op.getOperands(), 0, 0); // linear_grad_weight_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getGradient(), Shape{gradient[1], input[1]});
}

void LinearGradWeightOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const Tensor &dy = operands[0], &x = operands[1];
  for (int64_t n = 0; n < dy.dim(0); ++n)
    for (int64_t o = 0; o < dy.dim(1); ++o)
      for (int64_t i = 0; i < x.dim(1); ++i)
        results[0].at(o, i) += dy.at(n, o) * x.at(n, i);
}

//===----------------------------------------------------------------------===//
// batch_sum
//===----------------------------------------------------------------------===//

LogicalResult BatchSumOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                           SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = check.shape(op.getInput(), "a tensor", {1, 2, 3, 4, 5}); // batch_sum_c1
  if (check.failed())
    return failure();
  return check.infer(types, op.getInput(), Shape(ArrayRef(shape).drop_front()));
}

void BatchSumOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  for (int64_t i = 0; i < operands[0].size(); ++i)
    results[0].data[i % results[0].size()] += operands[0].data[i];
}

} // namespace resin::resnet
