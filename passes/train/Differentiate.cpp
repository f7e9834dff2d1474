//===- Differentiate.cpp - Reverse mode over @train_step ------------------===//
//
// Appends the gradients of the mean loss with respect to every parameter:
//
//   1. Find what depends on a parameter: only that needs a gradient, so no
//      convolution of the stem sends one to the image.
//   2. Start with the loss's gradient with respect to the logits.
//   3. Walk the ops backwards; each makes the gradients of its operands. Where a
//      value has several users, their gradients are added.
//   4. Return each parameter's gradient beside the results, as `gradient.NAME`.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"
#include "passes/StaticTensors.h"

namespace resin {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

struct Differentiate : resin::impl::DifferentiateBase<Differentiate> {
  using DifferentiateBase::DifferentiateBase;

  void runOnOperation() override {
    auto function = getOperation().lookupSymbol<func::FuncOp>(kTrainStep);
    if (!function)
      return;
    if (failed(verifyStaticTensors(getOperation(), getArgument())))
      return signalPassFailure();
    forward.clear();
    active.clear();
    gradients.clear();
    findActive(function);
    if (failed(seedWithLoss(function)) || failed(walkBackwards()))
      return signalPassFailure();
    returnGradients(function);
  }

private:
  static bool isParameter(ReadOp read, const SymbolTable &symbols) {
    auto variable = symbols.lookup<VariableOp>(read.getVariable());
    return variable && variable.getRole() == "parameter";
  }

  void findActive(func::FuncOp function) {
    const SymbolTable symbols(getOperation());
    for (Operation &op : function.getBody().front().without_terminator()) {
      forward.push_back(&op);
      auto read = dyn_cast<ReadOp>(op);
      if (read ? isParameter(read, symbols)
               : llvm::any_of(op.getOperands(), [&](Value v) { return active.contains(v); }))
        active.insert(op.result_begin(), op.result_end());
    }
  }

  LogicalResult seedWithLoss(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    auto loss = end->getNumOperands() ? end->getOperand(0).getDefiningOp<CrossEntropyOp>() : CrossEntropyOp();
    if (!loss)
      return function.emitError("differentiate: the first result of @train_step is not a cross_entropy");
    builder.emplace(end);
    double images = cast<RankedTensorType>(loss.getLogits().getType()).getDimSize(0);
    gradients[loss.getLogits()] = CrossEntropyGradOp::create(
        *builder, loss.getLoc(), loss.getLogits(), loss.getLabels(), loss.getLabelSmoothing(), APFloat(1 / images));
    return success();
  }

  LogicalResult walkBackwards() {
    for (Operation *op : llvm::reverse(forward)) {
      SmallVector<Value> ofResults =
          llvm::map_to_vector(op->getResults(), [&](Value v) { return gradients.lookup(v); });
      SmallVector<bool> wanted = llvm::map_to_vector(op->getOperands(), [&](Value v) { return active.contains(v); });
      if (llvm::none_of(ofResults, [](Value v) { return v; }) || !llvm::is_contained(wanted, true))
        continue;
      auto differentiable = dyn_cast<GradientOpInterface>(op);
      if (!differentiable)
        return op->emitOpError("stands between a parameter and the loss, and has no gradient");
      SmallVector<Value> ofOperands = differentiable.gradient(*builder, ofResults, wanted);
      for (auto [operand, gradient, want] : llvm::zip_equal(op->getOperands(), ofOperands, wanted))
        if (gradient && want)
          accumulate(operand, gradient);
    }
    return success();
  }

  void accumulate(Value value, Value gradient) {
    Value &sum = gradients[value];
    sum = sum ? AddOp::create(*builder, gradient.getLoc(), sum, gradient).getResult() : gradient;
  }

  void returnGradients(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    llvm::MapVector<StringRef, Value> ofParameters; // a parameter may be read more than once
    for (Operation *op : forward) {
      auto read = dyn_cast<ReadOp>(op);
      Value gradient = read ? gradients.lookup(read.getResult()) : Value();
      if (!gradient)
        continue;
      Value &sum = ofParameters[read.getVariable()];
      sum = sum ? AddOp::create(*builder, gradient.getLoc(), sum, gradient).getResult() : gradient;
    }
    // All at once: a function's type is made anew by each change.
    SmallVector<Type> types;
    SmallVector<DictionaryAttr> names;
    for (auto [name, gradient] : ofParameters) {
      types.push_back(gradient.getType());
      names.push_back(
          builder->getDictionaryAttr(builder->getNamedAttr(kNameAttr, builder->getStringAttr(kGradientResult + name))));
    }
    end->insertOperands(end->getNumOperands(), llvm::to_vector(llvm::make_second_range(ofParameters)));
    const SmallVector<unsigned> behind(types.size(), function.getNumResults());
    (void)function.insertResults(behind, types, names);
    numGradients += types.size();
  }

  std::optional<OpBuilder> builder; ///< before the return
  SmallVector<Operation *> forward;
  llvm::DenseSet<Value> active; ///< depends on a parameter
  llvm::DenseMap<Value, Value> gradients;
};

} // namespace
