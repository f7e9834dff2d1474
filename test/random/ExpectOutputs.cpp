//===- ExpectOutputs.cpp - expect-outputs: what `net bench` should make ---===//
//
//   expect-outputs NET.mlir
//
// Reads what `resin build --emit=train` wrote and prints, as JSON, the `outputs` of `net bench --json`: the interpreter
// runs each entry function on the arguments that `bench` uses (runtime/commands/Measure.cpp), rounding nothing (`f64`)
// and every op's results (`f32`).
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Interpreter.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Task.h"
#include "support/Philox.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace mlir;
using namespace resin::resnet;

namespace {

/// The value of an argument, by its name. What is not filled is zero: the seed.
Tensor argument(func::FuncOp function, unsigned index, const Task &task, int64_t classes) {
  auto type = cast<RankedTensorType>(function.getArgumentTypes()[index]);
  const StringRef name = function.getArgAttrOfType<StringAttr>(index, "resnet.name").getValue();
  Tensor tensor(type.getShape());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    if (task.hasInput(name))
      tensor.data[i] = float(4 * resin::philox::uniform(1, resin::philox::hashName("bench"), i) - 2);
    else if (name == task.targets.front().name)
      tensor.data[i] = i * 7 % classes;
    else if (name == "learning_rate")
      tensor.data[i] = 1e-6f;
    else if (name == "step")
      tensor.data[i] = 1;
  }
  return tensor;
}

double normOf(const Tensor &tensor) {
  double squares = 0;
  for (double value : tensor.data)
    squares += value * value;
  return std::sqrt(squares);
}

/// Losses of the batch, or the first image's logits; after a training step the norm of each of the optimizer's slots.
FailureOr<llvm::json::Array> outputsOf(ModuleOp module, func::FuncOp function, Precision precision, Store &store) {
  const int64_t classes = module->getAttrOfType<IntegerAttr>("resnet.classes").getInt();
  const Task task = *Task::of(module);
  std::vector<Tensor> arguments;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    arguments.push_back(argument(function, i, task, classes));
  FailureOr<std::vector<Tensor>> results = Interpreter(module, precision).run(function.getName(), arguments, store);
  if (failed(results))
    return failure();
  llvm::json::Array outputs;
  for (auto [i, result] : llvm::enumerate(*results)) {
    const StringRef name = function.getResultAttrOfType<StringAttr>(i, "resnet.name").getValue();
    const int64_t count = name == task.loss ? result.size() : name == task.outputs.front().name ? classes : 0;
    for (int64_t element = 0; element < count; ++element)
      outputs.push_back(result.data[element]);
  }
  if (function.getName() == "train_step")
    for (VariableOp variable : module.getOps<VariableOp>())
      if (variable.getRole() == "slot")
        outputs.push_back(normOf(store[variable.getSymName().str()]));
  return outputs;
}

FailureOr<llvm::json::Object> outputsOf(ModuleOp module, Precision precision) {
  Store store;
  auto recipe = module->getAttrOfType<DictionaryAttr>("resnet.recipe");
  if (failed(initialise(module, recipe.getAs<IntegerAttr>("seed").getInt(), store)))
    return failure();
  llvm::json::Object outputs;
  Interpreter interpreter(module, precision);
  for (func::FuncOp function : module.getOps<func::FuncOp>()) {
    const bool predicts = function.getName().starts_with("predict_");
    if (!predicts && function.getName() != "train_step")
      continue;
    if (predicts && failed(interpreter.run("prepare", {}, store)))
      return failure();
    FailureOr<llvm::json::Array> made = outputsOf(module, function, precision, store);
    if (failed(made))
      return failure();
    outputs[function.getName()] = std::move(*made);
  }
  return outputs;
}

LogicalResult printOutputs(ModuleOp module) {
  FailureOr<llvm::json::Object> exact = outputsOf(module, Precision::F64), rounded = outputsOf(module, Precision::F32);
  if (failed(exact) || failed(rounded))
    return failure();
  llvm::outs() << llvm::json::Value(llvm::json::Object{{"f64", std::move(*exact)}, {"f32", std::move(*rounded)}})
               << "\n";
  return success();
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    llvm::errs() << "usage: expect-outputs NET.mlir\n";
    return 64;
  }
  MLIRContext context;
  context.loadDialect<func::FuncDialect, ResnetDialect>();
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(argv[1], &context);
  return !module || failed(printOutputs(*module));
}
