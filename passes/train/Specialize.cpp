//===- Specialize.cpp - One function for each way of running the model ----===//
//
// Clones @model into @train_step, @evaluate and each @predict_N:
//
//   1. Make the function with its arguments, named as the task names them
//      (dialects/Resnet/Task.h).
//   2. Clone the model's ops in order. Every op infers its types anew from the
//      batch that is now known; batch norm and dropout take the form of the run.
//   3. End it: the loss and the rank of the label, or the logits; then the writes
//      of the running averages.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Task.h"
#include "passes/EntryPoints.h"
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"

namespace resin {
#define GEN_PASS_DEF_SPECIALIZE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

/// Makes one entry function from the model.
class Specializer {
public:
  Specializer(func::FuncOp model, bool training) : model(model), builder(model), training(training) {}

  /// Adds an argument; `type` null takes the model's, with the batch put in.
  void addArgument(StringRef name, Type type) {
    argumentNames.push_back(name);
    argumentTypes.push_back(type);
  }

  /// Makes the function and clones the model's ops into it; returns the logits, null on failure.
  Value begin(const Twine &name) {
    auto type = builder.getFunctionType(argumentTypes, {});
    function = func::FuncOp::create(builder, model.getLoc(), name.str(), type);
    function.addEntryBlock();
    for (auto [i, argument] : llvm::enumerate(argumentNames))
      function.setArgAttr(i, kNameAttr, builder.getStringAttr(argument));
    builder.setInsertionPointToEnd(&function.getBody().front());
    for (BlockArgument argument : model.getArguments())
      if (auto attr = model.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr))
        map.map(argument, argumentNamed(function, attr));
    return cloneBody();
  }

  /// Ends the function with the running averages' writes and its results.
  void end(ArrayRef<std::pair<StringRef, Value>> results) {
    for (auto [variable, value] : statistics)
      WriteOp::create(builder, value.getLoc(), variable, value);
    SmallVector<Value> values = llvm::to_vector(llvm::make_second_range(results));
    func::ReturnOp::create(builder, model.getLoc(), values);
    function.setFunctionType(builder.getFunctionType(argumentTypes, ValueRange(values).getTypes()));
    for (auto [i, result] : llvm::enumerate(results))
      function.setResultAttr(i, kNameAttr, builder.getStringAttr(result.first));
  }

  func::FuncOp function;
  OpBuilder &at() { return builder; }

private:
  Value cloneBody() {
    auto end = cast<func::ReturnOp>(model.getBody().front().getTerminator());
    Value logits = end.getOperand(0);
    auto softmax = logits.getDefiningOp<SoftmaxOp>();
    if (softmax)
      logits = softmax.getInput();
    for (Operation &op : model.getBody().front().without_terminator())
      if (&op != softmax && failed(cloneOp(&op)))
        return {};
    return map.lookup(logits);
  }

  LogicalResult cloneOp(Operation *op) {
    if (auto norm = dyn_cast<BatchNormOp>(op))
      return cloneBatchNorm(norm);
    if (auto dropout = dyn_cast<DropoutOp>(op); dropout && !training) {
      map.map(dropout.getResult(), map.lookup(dropout.getInput()));
      return success();
    }
    Operation *clone = builder.clone(*op, map);
    auto infer = dyn_cast<InferTypeOpInterface>(clone);
    if (!infer)
      return success();
    SmallVector<Type> types;
    if (failed(infer.inferReturnTypes(op->getContext(), op->getLoc(), clone->getOperands(), clone->getAttrDictionary(),
                                      clone->getPropertiesStorage(), clone->getRegions(), types)))
      return failure();
    for (auto [result, type] : llvm::zip_equal(clone->getResults(), types))
      result.setType(type);
    return success();
  }

  LogicalResult cloneBatchNorm(BatchNormOp norm) {
    Location loc = norm.getLoc();
    Value input = map.lookup(norm.getInput()), scale = map.lookup(norm.getScale()),
          offset = map.lookup(norm.getOffset());
    Value mean = ReadOp::create(builder, loc, scale.getType(), norm.getRunningMean());
    Value variance = ReadOp::create(builder, loc, scale.getType(), norm.getRunningVariance());
    if (!training) {
      map.map(norm.getResult(),
              BatchNormInferenceOp::create(builder, loc, input, scale, offset, mean, variance, norm.getEpsilon()));
      return success();
    }
    auto type = cast<RankedTensorType>(input.getType());
    double count = type.getNumElements() / type.getDimSize(1);
    if (count == 1)
      return norm.emitError("specialize: in training, a batch norm of ")
             << type << " has one value a channel and makes it 0";
    auto train = BatchNormTrainOp::create(builder, loc, input, scale, offset, norm.getEpsilon());
    map.map(norm.getResult(), train.getResult());

    // The variance is biased where it normalises and unbiased in the running average.
    double unbiased = count / (count - 1);
    Value newMean = RunningAverageOp::create(builder, loc, mean, train.getMean(), norm.getMomentum(), APFloat(1.0));
    Value newVariance =
        RunningAverageOp::create(builder, loc, variance, train.getVariance(), norm.getMomentum(), APFloat(unbiased));
    statistics.push_back({norm.getRunningMean(), newMean});
    statistics.push_back({norm.getRunningVariance(), newVariance});
    return success();
  }

  func::FuncOp model;
  OpBuilder builder;
  bool training;
  SmallVector<StringRef> argumentNames;
  SmallVector<Type> argumentTypes;
  IRMapping map;
  SmallVector<std::pair<StringRef, Value>> statistics;
};

struct Specialize : resin::impl::SpecializeBase<Specialize> {
  using SpecializeBase::SpecializeBase;

  void runOnOperation() override {
    if (failed(specialize()))
      signalPassFailure();
  }

private:
  LogicalResult specialize() {
    ModuleOp module = getOperation();
    model = module.lookupSymbol<func::FuncOp>(kModel);
    if (!model)
      return module.emitError("specialize: there is no function @model");
    recipe = module->getAttrOfType<DictionaryAttr>(kRecipeAttr);
    if (!recipe)
      return module.emitError("specialize: the module has no resnet.recipe");
    if (failed(readTask(module)) || failed(verifySignature()))
      return failure();
    int64_t trainBatch = batch;
    if (auto attr = recipe.getAs<IntegerAttr>("batch"); attr && !trainBatch)
      trainBatch = attr.getInt();
    if (trainBatch < 1)
      return module.emitError("specialize: the batch is ") << trainBatch << ", which is less than 1";

    if (failed(makeTrainStep(trainBatch)) || failed(makeEvaluate(trainBatch)))
      return failure();
    for (int64_t n : llvm::SetVector<int64_t>(predictBatch.begin(), predictBatch.end()))
      if (failed(makePredict(n)))
        return failure();
    numFunctions += llvm::range_size(module.getOps<func::FuncOp>()) - 1;
    model.erase();
    return success();
  }

  LogicalResult readTask(ModuleOp module) {
    std::optional<Task> found = Task::of(module);
    if (!found)
      return module.emitError("specialize: the module has no ") << kTaskAttr;
    task = *found;
    auto isOne = [](ArrayRef<TaskField> fields, StringRef kind) {
      return fields.size() == 1 && fields.front().kind == kind && !fields.front().name.empty();
    };
    auto isTopK = [](const TaskField &field) { return field.kind == kTopKKind && !field.name.empty(); };
    if (isOne(task.inputs, kImageKind) && isOne(task.targets, kClassKind) && isOne(task.outputs, kScoresKind) &&
        !task.loss.empty() && llvm::all_of(task.metrics, isTopK))
      return success();
    return module.emitError("specialize: ")
           << kTaskAttr << " is of no known task: one input of the kind '" << kImageKind << "', one target '"
           << kClassKind << "', one output '" << kScoresKind << "', a loss, and metrics '" << kTopKKind << "'";
  }

  LogicalResult verifySignature() {
    const StringRef input = task.inputs.front().name;
    auto isTensor = [](Type type, int64_t rank) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.getRank() == rank && isa<FloatType>(tensor.getElementType());
    };
    for (BlockArgument argument : model.getArguments()) {
      auto name = model.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
      if (!name || (name != input && name != "seed"))
        return model.emitError("specialize: @model takes '")
               << input << "' and 'seed' (resnet.name), not argument " << argument.getArgNumber();
    }
    Value image = argumentNamed(model, input);
    if (!image || !isTensor(image.getType(), 4))
      return model.emitError("specialize: @model takes '") << input << "' of type [n, c, h, w]";
    if (model.getNumResults() != 1 || !isTensor(model.getResultTypes()[0], 2))
      return model.emitError("specialize: @model returns one result of type [n, classes]");
    return success();
  }

  RankedTensorType imageType(int64_t n) {
    auto type = cast<RankedTensorType>(argumentNamed(model, task.inputs.front().name).getType());
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = n;
    return type.clone(shape);
  }

  /// What the network reads and what it is to answer.
  void addExample(Specializer &function, int64_t n) {
    function.addArgument(task.inputs.front().name, imageType(n));
    function.addArgument(task.targets.front().name, RankedTensorType::get({n}, IntegerType::get(&getContext(), 32)));
  }

  LogicalResult makeTrainStep(int64_t n) {
    Builder types(&getContext());
    auto scalar = RankedTensorType::get({}, imageType(n).getElementType());
    Specializer step(model, /*training=*/true);
    addExample(step, n);
    step.addArgument("learning_rate", scalar);
    step.addArgument("step", scalar);
    if (argumentNamed(model, "seed"))
      step.addArgument("seed", RankedTensorType::get({2}, types.getI32Type()));
    return finishWithLoss(step, kTrainStep);
  }

  LogicalResult makeEvaluate(int64_t n) {
    Specializer evaluate(model, /*training=*/false);
    addExample(evaluate, n);
    return finishWithLoss(evaluate, kEvaluate);
  }

  LogicalResult finishWithLoss(Specializer &function, StringRef name) {
    Value logits = function.begin(name);
    if (!logits)
      return failure();
    double smoothing = 0;
    if (auto loss = recipe.getAs<DictionaryAttr>("loss"))
      if (auto attr = loss.getAs<FloatAttr>("label_smoothing"))
        smoothing = attr.getValueAsDouble();
    Value label = argumentNamed(function.function, task.targets.front().name);
    SmallVector<std::pair<StringRef, Value>> results;
    results.push_back(
        {task.loss, CrossEntropyOp::create(function.at(), model.getLoc(), logits, label, APFloat(smoothing))});
    for (const TaskField &metric : task.metrics)
      results.push_back({metric.name, LabelRankOp::create(function.at(), model.getLoc(), logits, label)});
    function.end(results);
    return success();
  }

  LogicalResult makePredict(int64_t n) {
    if (n < 1)
      return model.emitError("specialize: predict-batch is ") << n << ", which is less than 1";
    Specializer predict(model, /*training=*/false);
    predict.addArgument(task.inputs.front().name, imageType(n));
    Value logits = predict.begin(kPredict + Twine(n));
    if (!logits)
      return failure();
    predict.end({{task.outputs.front().name, logits}});
    return success();
  }

  func::FuncOp model;
  DictionaryAttr recipe;
  Task task;
};

} // namespace
