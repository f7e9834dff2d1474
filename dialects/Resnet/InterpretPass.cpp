//===- InterpretPass.cpp - `resin-opt --interpret` ------------------------===//
//
// Runs a function on made-up arguments and prints what it returns, so that a test
// checks values instead of text:
//
//   resin-opt net.mlir --interpret="function=train_step seed=1 precision=f32 steps=2" -o /dev/null
//
// An argument's value is, in this order,
//   1. its attribute `resnet.value = dense<...>`,
//   2. by its `resnet.name`: `learning_rate` is the option, `step` counts from 1,
//      `seed` is the option and the step, `label` a class;
//   3. otherwise numbers from -1 to 1, drawn for (seed + step, name or position).
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/InterpretPass.h"
#include "dialects/Resnet/Checker.h"
#include "dialects/Resnet/Interpreter.h"
#include "support/Philox.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/Format.h"

using namespace mlir;

namespace resin::resnet {
namespace {

struct InterpretPass : PassWrapper<InterpretPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(InterpretPass)

  InterpretPass() = default;
  InterpretPass(const InterpretPass &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "interpret"; }
  StringRef getDescription() const override { return "Run a function with the interpreter and print what it returns"; }

  void runOnOperation() override {
    if (failed(interpret(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult interpret(ModuleOp module);
  LogicalResult interpret(ModuleOp module, StringRef name);
  FailureOr<Tensor> argument(func::FuncOp function, unsigned index, unsigned step);
  Tensor drawn(ArrayRef<int64_t> shape, StringRef name, unsigned step, int64_t classes);
  void print(const Twine &name, const Tensor &tensor);

  ListOption<std::string> functions{*this, "function",
                                    llvm::cl::desc("the functions to run, each from the variables' initial values")};
  Option<uint64_t> seed{*this, "seed", llvm::cl::desc("of the initial values and of the arguments"), llvm::cl::init(1)};
  Option<std::string> precision{*this, "precision", llvm::cl::desc("f32 rounds every result to float, f64 nothing"),
                                llvm::cl::init("f64")};
  Option<unsigned> steps{*this, "steps", llvm::cl::desc("how often to run it"), llvm::cl::init(1)};
  Option<unsigned> batch{*this, "batch", llvm::cl::desc("what a dynamic extent becomes"), llvm::cl::init(2)};
  Option<double> learningRate{*this, "learning-rate", llvm::cl::desc("the argument of that name"), llvm::cl::init(0.1)};
  Option<unsigned> limit{*this, "limit", llvm::cl::desc("elements printed of a tensor, before its sum"),
                         llvm::cl::init(32)};
  Option<bool> variables{*this, "variables", llvm::cl::desc("print the variables after the last step"),
                         llvm::cl::init(false)};
};

std::string nameOf(func::FuncOp function, unsigned index) {
  if (auto name = function.getArgAttrOfType<StringAttr>(index, "resnet.name"))
    return name.str();
  return "argument" + std::to_string(index);
}

Tensor InterpretPass::drawn(ArrayRef<int64_t> shape, StringRef name, unsigned step, int64_t classes) {
  Tensor tensor(shape);
  const uint64_t stream = philox::hashName(name.str());
  for (int64_t i = 0; i < tensor.size(); ++i) {
    const double unit = philox::uniform(seed + step - 1, stream, i);
    tensor.data[i] = classes ? std::floor(unit * classes) : 2 * unit - 1;
  }
  return tensor;
}

FailureOr<Tensor> InterpretPass::argument(func::FuncOp function, unsigned index, unsigned step) {
  auto type = dyn_cast<RankedTensorType>(function.getArgumentTypes()[index]);
  if (!type)
    return function.emitError() << "cannot interpret an argument of type " << function.getArgumentTypes()[index];
  SmallVector<int64_t> shape(type.getShape());
  llvm::replace(shape, ShapedType::kDynamic, int64_t(batch));
  if (auto value = function.getArgAttrOfType<DenseElementsAttr>(index, "resnet.value")) {
    Tensor tensor(value.getType().getShape());
    for (auto [i, element] : llvm::enumerate(value.getValues<Attribute>()))
      tensor.data[i] = isa<FloatAttr>(element) ? cast<FloatAttr>(element).getValueAsDouble()
                                               : cast<IntegerAttr>(element).getValue().getSExtValue();
    return tensor;
  }
  const std::string name = nameOf(function, index);
  auto classes = function->getParentOp()->getAttrOfType<IntegerAttr>("resnet.classes");
  if (!isa<FloatType>(type.getElementType()) && name != "seed")
    return drawn(shape, name, step, classes ? classes.getInt() : 10);
  Tensor tensor = drawn(shape, name, step, 0);
  if (name == "learning_rate")
    llvm::fill(tensor.data, learningRate);
  if (name == "step")
    llvm::fill(tensor.data, step);
  if (name == "seed" && tensor.size() == 2)
    tensor.data = {double(int32_t(seed)), double(step)};
  return tensor;
}

void InterpretPass::print(const Twine &name, const Tensor &tensor) {
  double sum = 0, squares = 0;
  for (double value : tensor.data) {
    sum += value;
    squares += value * value;
  }
  llvm::outs() << name << ' ' << describe(tensor.shape) << ':';
  for (double value : ArrayRef(tensor.data).take_front(limit))
    llvm::outs() << ' ' << llvm::format("%.6g", value + 0.0); // + 0.0: never "-0"
  if (tensor.size() > limit)
    llvm::outs() << " ... sum " << llvm::format("%.6g", sum) << " squares " << llvm::format("%.6g", squares);
  llvm::outs() << '\n';
}

LogicalResult InterpretPass::interpret(ModuleOp module) {
  if (precision != "f32" && precision != "f64")
    return module.emitError() << "unknown precision '" << precision << "'; known are 'f32' and 'f64'";
  if (functions.empty())
    return module.emitError() << "--interpret needs the name of a function";
  for (StringRef name : functions) {
    if (functions.size() > 1)
      llvm::outs() << '@' << name << '\n';
    if (failed(interpret(module, name)))
      return failure();
  }
  return success();
}

LogicalResult InterpretPass::interpret(ModuleOp module, StringRef name) {
  auto target = module.lookupSymbol<func::FuncOp>(name);
  if (!target)
    return module.emitError() << "there is no function '" << name << "'";
  Store store;
  if (failed(initialise(module, seed, store)))
    return failure();
  Interpreter interpreter(module, precision == "f32" ? Precision::F32 : Precision::F64);
  for (unsigned step = 1; step <= steps; ++step) {
    std::vector<Tensor> arguments;
    for (unsigned i = 0; i < target.getNumArguments(); ++i) {
      FailureOr<Tensor> value = argument(target, i, step);
      if (failed(value))
        return failure();
      arguments.push_back(std::move(*value));
    }
    FailureOr<std::vector<Tensor>> results = interpreter.run(name, arguments, store);
    if (failed(results))
      return failure();
    for (auto [i, result] : llvm::enumerate(*results)) {
      auto label = target.getResultAttrOfType<StringAttr>(i, "resnet.name");
      print(label ? label.getValue() : "result " + Twine(i), result);
    }
  }
  if (variables)
    for (const auto &[variable, value] : store)
      print(variable, value);
  return success();
}

} // namespace

void registerInterpretPass() { PassRegistration<InterpretPass>(); }

} // namespace resin::resnet
