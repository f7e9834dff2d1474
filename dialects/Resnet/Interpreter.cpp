//===- Interpreter.cpp - Runs a function of the dialect -------------------===//
//
//   1. Check the arguments against the function's.
//   2. Run a copy of the function, in which the arguments' extents replace dynamic
//      ones, so that every op can infer static types before it is evaluated.
//   3. Op by op: effects (read, write, batch_norm's statistics), calls, and all
//      others through EvaluateOpInterface, rounding what they give.
//
// A value is given away at its last use: a train step has many.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Checker.h"
#include "support/Philox.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>

using namespace mlir;

namespace resin::resnet {

namespace {

using Results = FailureOr<std::vector<Tensor>>;

/// More elements than any test has; a hostile shape is told apart before memory is taken.
constexpr int64_t kMostElements = int64_t(1) << 31;

void round(Tensor &tensor, Type elementType, Precision precision) {
  if (precision == Precision::F32 && elementType.isF32())
    for (double &value : tensor.data)
      value = static_cast<float>(value);
}

LogicalResult checkSize(Operation *op, ArrayRef<int64_t> shape) {
  if (product(shape) > kMostElements)
    return emitError(op->getLoc()) << "cannot interpret a tensor of shape " << describe(shape)
                                   << ": it has too many elements";
  return success();
}

/// Ops infer static result types from operands that became static.
LogicalResult refineResultTypes(Operation *op) {
  auto isStatic = [](Type type) { return cast<ShapedType>(type).hasStaticShape(); };
  auto inference = dyn_cast<InferTypeOpInterface>(op);
  if (!inference || llvm::all_of(op->getResultTypes(), isStatic))
    return success();
  SmallVector<Type> types;
  if (failed(inference.inferReturnTypes(op->getContext(), op->getLoc(), op->getOperands(),
                                        op->getDiscardableAttrDictionary(), op->getPropertiesStorage(),
                                        op->getRegions(), types)))
    return failure();
  for (auto [result, type] : llvm::zip(op->getResults(), types))
    result.setType(cast<RankedTensorType>(result.getType()).clone(cast<ShapedType>(type).getShape())); // sums stay f64
  return success();
}

//===----------------------------------------------------------------------===//
// fused
//===----------------------------------------------------------------------===//

/// Copies part `piece` of `whole` along `dim` to `part`, or back.
template <typename Copy>
void forEachSlice(const Tensor &whole, const Tensor &part, int64_t dim, int64_t piece, Copy copy) {
  const int64_t inner = product(ArrayRef(whole.shape).drop_front(dim + 1)),
                outer = product(ArrayRef(whole.shape).take_front(dim));
  const int64_t wholeRow = whole.dim(dim) * inner, partRow = part.dim(dim) * inner;
  for (int64_t i = 0; i < outer; ++i)
    copy(i * wholeRow + piece * partRow, i * partRow, partRow);
}

/// A band of rows with `overlap` more on either side, zeros beyond the image.
Tensor band(const Tensor &whole, int64_t piece, int64_t pieces, int64_t overlap) {
  const int64_t rows = whole.dim(2) / pieces, columns = whole.dim(3), first = piece * rows - overlap;
  Tensor part({whole.dim(0), whole.dim(1), rows + 2 * overlap, columns});
  const int64_t from = std::max<int64_t>(first, 0), to = std::min(first + part.dim(2), whole.dim(2));
  for (int64_t plane = 0; plane < whole.dim(0) * whole.dim(1); ++plane)
    std::copy_n(whole.data.begin() + (plane * whole.dim(2) + from) * columns, (to - from) * columns,
                part.data.begin() + (plane * part.dim(2) + from - first) * columns);
  return part;
}

Tensor slice(const Tensor &whole, int64_t dim, int64_t piece, int64_t pieces) {
  if (dim < 0)
    return whole;
  SmallVector<int64_t> shape = whole.shape;
  shape[dim] /= pieces;
  Tensor part(shape);
  forEachSlice(whole, part, dim, piece, [&](int64_t from, int64_t to, int64_t count) {
    std::copy_n(whole.data.begin() + from, count, part.data.begin() + to);
  });
  return part;
}

void putTogether(Tensor &whole, Tensor &&part, int64_t dim, int64_t piece) {
  if (dim < 0) {
    whole = std::move(part);
    return;
  }
  forEachSlice(whole, part, dim, piece, [&](int64_t to, int64_t from, int64_t count) {
    std::copy_n(part.data.begin() + from, count, whole.data.begin() + to);
  });
}

/// Piece `first` of more and those behind it.
Results evaluateFused(FusedOp op, ArrayRef<Tensor> operands, Precision precision, int64_t first) {
  std::vector<Tensor> results;
  for (Type type : op.getResultTypes())
    results.emplace_back(cast<RankedTensorType>(type).getShape());
  Block &body = op.getBody().front();
  for (int64_t piece = 0; piece < int64_t(op.getPieces()); ++piece) {
    llvm::DenseMap<Value, Tensor> values;
    for (auto [i, argument, operand, dim] : llvm::enumerate(body.getArguments(), operands, op.getOperandDims())) {
      const int64_t overlap = op.getOverlaps().empty() ? 0 : op.getOverlaps()[i];
      values[argument] = overlap ? band(operand, piece, op.getPieces(), overlap)
                                 : slice(operand, dim, piece, op.getPieces());
    }
    for (Operation &inner : body.without_terminator()) {
      std::vector<Tensor> arguments;
      for (Value operand : inner.getOperands())
        arguments.push_back(values[operand]);
      Results given = evaluate(&inner, arguments, precision, first + piece);
      if (failed(given))
        return failure();
      for (auto [result, value] : llvm::zip(inner.getResults(), *given))
        values[result] = std::move(value);
    }
    for (auto [i, yielded] : llvm::enumerate(body.getTerminator()->getOperands()))
      putTogether(results[i], Tensor(values[yielded]), op.getResultDims()[i], piece);
  }
  return results;
}

//===----------------------------------------------------------------------===//
// One run of a function
//===----------------------------------------------------------------------===//

class Run {
public:
  Run(ModuleOp module, Precision precision, Store &store, unsigned depth)
      : module(module), precision(precision), store(store), depth(depth) {}

  Results call(func::FuncOp function, ArrayRef<Tensor> arguments);

private:
  LogicalResult checkArguments(func::FuncOp function, ArrayRef<Tensor> arguments);
  Results step(Operation *op);
  Results read(Operation *op, StringRef variable);
  LogicalResult write(WriteOp op);
  Results neutralBatchNorm(BatchNormOp op);
  std::vector<Tensor> takeOperands(Operation *op);

  /// Calls nest no deeper: a function that calls itself would never end.
  static constexpr unsigned kDeepest = 100;

  ModuleOp module;
  Precision precision;
  Store &store;
  unsigned depth;
  llvm::DenseMap<Value, Tensor> values;
};

LogicalResult Run::checkArguments(func::FuncOp function, ArrayRef<Tensor> arguments) {
  if (function.isDeclaration() || !function.getBody().hasOneBlock())
    return function.emitError() << "cannot interpret '" << function.getName() << "': it needs a body of one block";
  if (function.getNumArguments() != arguments.size())
    return function.emitError() << "'" << function.getName() << "' takes " << function.getNumArguments()
                                << " arguments, not " << arguments.size();
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[i]);
    if (!type || !agree(type.getShape(), argument.shape) || product(argument.shape) != argument.size())
      return function.emitError() << "argument " << i << " of '" << function.getName() << "' is "
                                  << function.getArgumentTypes()[i] << ", not a tensor of shape "
                                  << describe(argument.shape);
  }
  return success();
}

Results Run::call(func::FuncOp function, ArrayRef<Tensor> arguments) {
  if (depth > kDeepest)
    return function.emitError() << "calls of '" << function.getName() << "' nest more than " << kDeepest << " deep";
  if (failed(checkArguments(function, arguments)))
    return failure();
  OwningOpRef<func::FuncOp> copy(function.clone());
  Block &body = copy->getBody().front();
  for (auto [argument, value] : llvm::zip(body.getArguments(), arguments)) {
    auto type = cast<RankedTensorType>(argument.getType());
    argument.setType(RankedTensorType::get(value.shape, type.getElementType(), type.getEncoding()));
    values[argument] = value;
    round(values[argument], type.getElementType(), precision);
  }
  for (Operation &op : body.without_terminator()) {
    if (failed(refineResultTypes(&op)))
      return failure();
    Results results = step(&op);
    if (failed(results))
      return failure();
    for (auto [result, value] : llvm::zip(op.getResults(), *results)) {
      auto type = cast<RankedTensorType>(result.getType());
      result.setType(RankedTensorType::get(value.shape, type.getElementType(), type.getEncoding()));
      if (!result.use_empty())
        values[result] = std::move(value);
    }
  }
  std::vector<Tensor> returned;
  for (Value value : body.getTerminator()->getOperands())
    returned.push_back(values[value]);
  return returned;
}

/// Operands that nobody uses after the op are moved, the others copied.
std::vector<Tensor> Run::takeOperands(Operation *op) {
  auto isLast = [&](Value operand) {
    return llvm::count(op->getOperands(), operand) == 1 &&
           llvm::all_of(operand.getUsers(), [&](Operation *user) { return user == op || user->isBeforeInBlock(op); });
  };
  std::vector<Tensor> operands;
  for (Value operand : op->getOperands())
    operands.push_back(isLast(operand) ? std::move(values[operand]) : values[operand]);
  return operands;
}

Results Run::step(Operation *op) {
  if (auto readOp = dyn_cast<ReadOp>(op))
    return read(op, readOp.getVariable());
  if (auto writeOp = dyn_cast<WriteOp>(op))
    return failed(write(writeOp)) ? Results(failure()) : std::vector<Tensor>();
  if (auto norm = dyn_cast<BatchNormOp>(op))
    return neutralBatchNorm(norm);
  const std::vector<Tensor> operands = takeOperands(op);
  if (auto callOp = dyn_cast<func::CallOp>(op)) {
    auto callee = module.lookupSymbol<func::FuncOp>(callOp.getCallee());
    if (!callee)
      return op->emitError() << "there is no function '" << callOp.getCallee() << "'";
    return Run(module, precision, store, depth + 1).call(callee, operands);
  }
  return evaluate(op, operands, precision);
}

Results Run::read(Operation *op, StringRef variable) {
  auto found = store.find(variable.str());
  if (found == store.end())
    return emitError(op->getLoc()) << "variable '" << variable << "' has no value";
  return std::vector<Tensor>{found->second};
}

LogicalResult Run::write(WriteOp op) {
  store[op.getVariable().str()] = values[op.getValue()];
  return success();
}

/// Before `specialize` batch norm means inference: it normalises by its running statistics and leaves them.
Results Run::neutralBatchNorm(BatchNormOp op) {
  Results mean = read(op, op.getRunningMean()), variance = read(op, op.getRunningVariance());
  if (failed(mean) || failed(variance))
    return failure();
  const Tensor &x = values[op.getInput()], &scale = values[op.getScale()], &offset = values[op.getOffset()];
  Tensor result(x.shape);
  const int64_t channels = x.dim(1), pixels = product(ArrayRef(x.shape).drop_front(2));
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t c = i / pixels % channels;
    result.data[i] = (x.data[i] - mean->front().data[c]) /
                         std::sqrt(variance->front().data[c] + op.getEpsilon().convertToDouble()) * scale.data[c] +
                     offset.data[c];
  }
  round(result, op.getType().getElementType(), precision);
  return std::vector<Tensor>{std::move(result)};
}

//===----------------------------------------------------------------------===//
// Initial values
//===----------------------------------------------------------------------===//

double number(DictionaryAttr init, StringRef key) {
  Attribute value = init.get(key);
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return integer.getInt();
  return cast<FloatAttr>(value).getValueAsDouble();
}

/// Element `i` of the stream that belongs to a variable.
double initialValue(DictionaryAttr init, uint64_t seed, uint64_t stream, int64_t i) {
  const StringRef name = init.getAs<StringAttr>("name").getValue();
  auto within = [&](double limit) { return limit * (2 * philox::uniform(seed, stream, i) - 1); };
  if (name == "he_normal")
    return std::sqrt(2 / number(init, "fan")) * philox::normal(seed, stream, i);
  if (name == "glorot_uniform")
    return within(std::sqrt(6 / (number(init, "fan_in") + number(init, "fan_out"))));
  if (name == "linear_uniform")
    return within(1 / std::sqrt(number(init, "fan")));
  return number(init, "value");
}

} // namespace

LogicalResult initialise(ModuleOp module, uint64_t seed, Store &store) {
  for (auto variable : module.getOps<VariableOp>()) {
    if (failed(variable.verify()))
      return failure();
    auto type = cast<RankedTensorType>(variable.getType());
    if (failed(checkSize(variable, type.getShape())))
      return failure();
    Tensor &value = store[variable.getSymName().str()] = Tensor(type.getShape());
    const uint64_t stream = philox::hashName(variable.getSymName().str());
    for (int64_t i = 0; i < value.size(); ++i)
      value.data[i] = static_cast<float>(initialValue(variable.getInit(), seed, stream, i));
  }
  return success();
}

FailureOr<std::vector<Tensor>> evaluate(Operation *op, ArrayRef<Tensor> operands, Precision precision, int64_t piece) {
  for (Type type : op->getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return emitError(op->getLoc()) << "cannot interpret '" << op->getName() << "': its result " << type
                                     << " is no tensor of static shape";
    if (failed(checkSize(op, tensor.getShape())))
      return failure();
  }
  if (auto fused = dyn_cast<FusedOp>(op))
    return evaluateFused(fused, operands, precision, piece);
  auto evaluation = dyn_cast<EvaluateOpInterface>(op);
  if (!evaluation)
    return emitError(op->getLoc()) << "cannot interpret '" << op->getName() << "'";
  std::vector<Tensor> results;
  for (Type type : op->getResultTypes())
    results.emplace_back(cast<RankedTensorType>(type).getShape());
  if (auto counted = dyn_cast<PieceOpInterface>(op))
    counted.evaluatePiece(piece, operands, results);
  else
    evaluation.evaluate(operands, results);
  for (auto [result, type] : llvm::zip(results, op->getResultTypes()))
    round(result, getElementTypeOrSelf(type), precision);
  return results;
}

FailureOr<std::vector<Tensor>> Interpreter::run(StringRef function, ArrayRef<Tensor> arguments, Store &store) {
  auto found = module.lookupSymbol<func::FuncOp>(function);
  if (!found)
    return module.emitError() << "there is no function '" << function << "'";
  return Run(module, precision, store, /*depth=*/0).call(found, arguments);
}

} // namespace resin::resnet
