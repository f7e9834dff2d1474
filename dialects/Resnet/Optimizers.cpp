//===- Optimizers.cpp - One step of each optimizer ------------------------===//
//
// PyTorch's formulas (torch.optim), element by element; `learning_rate` and `step`
// (from 1) are scalars of the run.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Optimizers.h"
#include "dialects/Resnet/Checker.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

/// (C1) Parameter, gradient and slots have one shape and element type, and the run's numbers are scalars. Gives the
/// shape.
static Shape parameterAndSlots(Checker &check, ValueRange tensors, ValueRange scalars) {
  for (Value scalar : scalars)
    check.shape(scalar, "a scalar", {0});
  const Shape shape = check.sameShape(tensors, "takes parameter, gradient and slots of one shape, not");
  check.sameElementType(tensors);
  return shape;
}

/// (C2) A number that must lie in [0, 1).
static void checkFraction(Checker &check, StringRef what, const APFloat &value) {
  const double number = value.convertToDouble();
  check.that(number >= 0 && number < 1, "takes " + what + " from 0 to below 1, not " + spell(number));
}

static void checkNotNegative(Checker &check, StringRef what, const APFloat &value) {
  const double number = value.convertToDouble();
  check.that(number >= 0 && std::isfinite(number), "takes " + what + " from 0 on, not " + spell(number));
}

//===----------------------------------------------------------------------===//
// sgd
//===----------------------------------------------------------------------===//

LogicalResult SgdOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                      SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape =
      parameterAndSlots(check, {op.getParameter(), op.getGradient(), op.getVelocity()}, op.getLearningRate()); // sgd_c1
  checkFraction(check, "momentum", op.getMomentum());                                                          // sgd_c2
  checkNotNegative(check, "weight decay", op.getWeightDecay());                                                // sgd_c2
  return check.infer(types, op.getParameter(), {shape, shape});
}

void SgdOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double momentum = getMomentum().convertToDouble(), decay = getWeightDecay().convertToDouble(),
               rate = operands[3].data[0];
  for (int64_t i = 0; i < operands[0].size(); ++i) {
    const double p = operands[0].data[i], g = operands[1].data[i] + decay * p;
    const double v = momentum != 0 ? momentum * operands[2].data[i] + g : operands[2].data[i];
    const double update = momentum == 0 ? g : getNesterov() ? g + momentum * v : v;
    results[0].data[i] = p - rate * update;
    results[1].data[i] = v;
  }
}

SmallVector<StringRef> SgdOp::slotNames() {
  if (getMomentum().isZero())
    return {};
  return {"momentum"};
}

//===----------------------------------------------------------------------===//
// adam
//===----------------------------------------------------------------------===//

LogicalResult AdamOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                       SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = parameterAndSlots(check, {op.getParameter(), op.getGradient(), op.getFirst(), op.getSecond()},
                                        {op.getLearningRate(), op.getStep()}); // adam_c1
  checkFraction(check, "beta1", op.getBeta1());                                // adam_c2
  checkFraction(check, "beta2", op.getBeta2());                                // adam_c2
  checkNotNegative(check, "epsilon", op.getEpsilon());                         // adam_c2
  checkNotNegative(check, "weight decay", op.getWeightDecay());                // adam_c2
  return check.infer(types, op.getParameter(), {shape, shape, shape});
}

void AdamOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double beta1 = getBeta1().convertToDouble(), beta2 = getBeta2().convertToDouble(),
               epsilon = getEpsilon().convertToDouble();
  const double decay = getWeightDecay().convertToDouble(), rate = operands[4].data[0], step = operands[5].data[0];
  const double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
  for (int64_t i = 0; i < operands[0].size(); ++i) {
    const double p = getDecoupled() ? operands[0].data[i] * (1 - rate * decay) : operands[0].data[i];
    const double g = getDecoupled() ? operands[1].data[i] : operands[1].data[i] + decay * p;
    const double first = beta1 * operands[2].data[i] + (1 - beta1) * g;
    const double second = beta2 * operands[3].data[i] + (1 - beta2) * g * g;
    results[0].data[i] = p - rate / correction1 * first / (std::sqrt(second) / std::sqrt(correction2) + epsilon);
    results[1].data[i] = first;
    results[2].data[i] = second;
  }
}

SmallVector<StringRef> AdamOp::slotNames() { return {"exp_avg", "exp_avg_sq"}; }

//===----------------------------------------------------------------------===//
// rmsprop
//===----------------------------------------------------------------------===//

LogicalResult RmspropOp::inferReturnTypes(MLIRContext *, std::optional<Location> location, Adaptor op,
                                          SmallVectorImpl<Type> &types) {
  Checker check(location, getOperationName());
  const Shape shape = parameterAndSlots(check, {op.getParameter(), op.getGradient(), op.getSquare(), op.getVelocity()},
                                        op.getLearningRate());  // rmsprop_c1
  checkFraction(check, "alpha", op.getAlpha());                 // rmsprop_c2
  checkFraction(check, "momentum", op.getMomentum());           // rmsprop_c2
  checkNotNegative(check, "epsilon", op.getEpsilon());          // rmsprop_c2
  checkNotNegative(check, "weight decay", op.getWeightDecay()); // rmsprop_c2
  return check.infer(types, op.getParameter(), {shape, shape, shape});
}

void RmspropOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const double alpha = getAlpha().convertToDouble(), epsilon = getEpsilon().convertToDouble(),
               momentum = getMomentum().convertToDouble();
  const double decay = getWeightDecay().convertToDouble(), rate = operands[4].data[0];
  for (int64_t i = 0; i < operands[0].size(); ++i) {
    const double p = operands[0].data[i], g = operands[1].data[i] + decay * p;
    const double square = alpha * operands[2].data[i] + (1 - alpha) * g * g;
    const double scaled = g / (std::sqrt(square) + epsilon);
    const double v = momentum != 0 ? momentum * operands[3].data[i] + scaled : operands[3].data[i];
    results[0].data[i] = p - rate * (momentum != 0 ? v : scaled);
    results[1].data[i] = square;
    results[2].data[i] = v;
  }
}

SmallVector<StringRef> RmspropOp::slotNames() {
  if (getMomentum().isZero())
    return {"square_avg"};
  return {"square_avg", "momentum"};
}

//===----------------------------------------------------------------------===//
// From the recipe
//===----------------------------------------------------------------------===//

FailureOr<UpdateOpInterface> createUpdate(OpBuilder &builder, Location location, DictionaryAttr optimizer,
                                          Value parameter, Value gradient, Value learningRate, Value step,
                                          bool decays) {
  auto isScalar = [](Value value) { return cast<RankedTensorType>(value.getType()).getRank() == 0; };
  if (parameter.getType() != gradient.getType() || !isScalar(learningRate) || !isScalar(step))
    return mlir::emitError(location) << "an update takes a parameter and a gradient of one type and scalars, not "
                                     << parameter.getType() << ", " << gradient.getType() << ", "
                                     << learningRate.getType() << " and " << step.getType();
  auto number = [&](StringRef key) {
    auto value = optimizer.getAs<FloatAttr>(key);
    return APFloat(value ? value.getValueAsDouble() : 0.0);
  };
  auto nesterov = optimizer.getAs<BoolAttr>("nesterov");
  auto name = optimizer.getAs<StringAttr>("name");
  const StringRef kind = name ? name.getValue() : StringRef();
  const APFloat decay = decays ? number("weight_decay") : APFloat(0.0);
  Operation *op = nullptr;
  if (kind == "sgd")
    op = SgdOp::create(builder, location, parameter, gradient, gradient, learningRate, number("momentum"),
                       nesterov && nesterov.getValue(), decay);
  if (kind == "adam" || kind == "adamw")
    op = AdamOp::create(builder, location, parameter, gradient, gradient, gradient, learningRate, step, number("beta1"),
                        number("beta2"), number("epsilon"), decay, /*decoupled=*/kind == "adamw");
  if (kind == "rmsprop")
    op = RmspropOp::create(builder, location, parameter, gradient, gradient, gradient, learningRate, number("alpha"),
                           number("epsilon"), number("momentum"), decay);
  if (!op)
    return mlir::emitError(location) << "unknown optimizer '" << kind
                                     << "'; known are 'sgd', 'adam', 'adamw' and 'rmsprop'";
  return cast<UpdateOpInterface>(op);
}

} // namespace resin::resnet
