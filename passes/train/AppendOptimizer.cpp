//===- AppendOptimizer.cpp - From gradients to updates --------------------===//
//
// Consumes the results `gradient.NAME` of @train_step:
//
//   1. Make the update op that the recipe names (dialects/Resnet/Optimizers);
//      parameters marked `no_decay` get no weight decay.
//   2. Make the slot variables that the op asks for.
//   3. Write the new values at the end, behind every read.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Optimizers.h"
#include "passes/EntryPoints.h"
#include "passes/Passes.h"

#include "llvm/ADT/BitVector.h"

namespace resin {
#define GEN_PASS_DEF_APPENDOPTIMIZER
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

struct AppendOptimizer : resin::impl::AppendOptimizerBase<AppendOptimizer> {
  using AppendOptimizerBase::AppendOptimizerBase;

  void runOnOperation() override {
    function = getOperation().lookupSymbol<func::FuncOp>(kTrainStep);
    if (function && failed(append()))
      signalPassFailure();
  }

private:
  LogicalResult append() {
    auto recipe = getOperation()->getAttrOfType<DictionaryAttr>(kRecipeAttr);
    optimizer = recipe ? recipe.getAs<DictionaryAttr>("optimizer") : DictionaryAttr();
    if (!optimizer || !optimizer.getAs<StringAttr>("name"))
      return getOperation().emitError("append-optimizer: resnet.recipe names no optimizer");

    SymbolTable table(getOperation());
    symbols = &table;
    Operation *end = function.getBody().front().getTerminator();
    OpBuilder builder(end);
    setBeforeTrailingWrites(builder, end);
    SmallVector<std::pair<StringRef, Value>> writes;
    for (auto [parameter, gradient] : takeGradients(end))
      if (failed(update(builder, parameter, gradient, writes)))
        return failure();
    builder.setInsertionPoint(end);
    for (auto [variable, value] : writes)
      WriteOp::create(builder, value.getLoc(), variable, value);
    return success();
  }

  /// Takes the parameters' gradients out of the function's results.
  SmallVector<std::pair<StringRef, Value>> takeGradients(Operation *end) {
    SmallVector<std::pair<StringRef, Value>> gradients;
    BitVector taken(function.getNumResults());
    for (unsigned i = 0, e = function.getNumResults(); i < e; ++i) {
      auto result = function.getResultAttrOfType<StringAttr>(i, kNameAttr);
      if (!result || !result.getValue().starts_with(kGradientResult))
        continue;
      gradients.push_back({result.getValue().drop_front(kGradientResult.size()), end->getOperand(i)});
      taken.set(i);
    }
    end->eraseOperands(taken);
    (void)function.eraseResults(taken);
    return gradients;
  }

  /// Updates stand before the writes that end the function: what they read is the old state.
  static void setBeforeTrailingWrites(OpBuilder &builder, Operation *end) {
    while (end->getPrevNode() && isa<WriteOp>(end->getPrevNode()))
      end = end->getPrevNode();
    builder.setInsertionPoint(end);
  }

  LogicalResult update(OpBuilder &builder, StringRef parameter, Value gradient,
                       SmallVectorImpl<std::pair<StringRef, Value>> &writes) {
    auto variable = symbols->lookup<VariableOp>(parameter);
    Value rate = argumentNamed(function, "learning_rate"), step = argumentNamed(function, "step");
    if (!variable || variable.getType() != gradient.getType())
      return function.emitError("append-optimizer: there is no variable '")
             << parameter << "' of type " << gradient.getType();
    if (!rate || !step)
      return function.emitError("append-optimizer: @train_step takes no ") << (rate ? "'step'" : "'learning_rate'");
    Location loc = variable.getLoc();
    Value value = ReadOp::create(builder, loc, variable.getType(), parameter);
    FailureOr<UpdateOpInterface> op =
        createUpdate(builder, loc, optimizer, value, gradient, rate, step, /*decays=*/!variable.getNoDecay());
    if (failed(op))
      return failure();
    writes.push_back({parameter, (*op)->getResult(0)});
    builder.setInsertionPoint(*op);
    for (auto [i, state] : llvm::enumerate(op->slotNames())) {
      Value slot = readSlot(builder, variable, state);
      if (!slot)
        return failure();
      (*op)->setOperand(2 + i, slot);
      writes.push_back({slotName(parameter, state), (*op)->getResult(1 + i)});
    }
    builder.setInsertionPointAfter(*op);
    ++numUpdates;
    return success();
  }

  StringRef slotName(StringRef parameter, StringRef state) {
    return StringAttr::get(&getContext(), "optimizer." + state + "." + parameter).getValue();
  }

  /// Null where the name is taken by something else.
  Value readSlot(OpBuilder &builder, VariableOp parameter, StringRef state) {
    StringRef name = slotName(parameter.getSymName(), state);
    Operation *taken = symbols->lookup(name);
    auto slot = dyn_cast_or_null<VariableOp>(taken);
    auto ours = FlatSymbolRefAttr::get(parameter.getSymNameAttr());
    if (taken && (!slot || slot.getParameterAttr() != ours || slot.getType() != parameter.getType())) {
      taken->emitError("'") << name << "' is the name of the optimizer's state for '" << parameter.getSymName()
                            << "' too: rename it";
      return {};
    }
    if (!taken) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(function);
      auto zero = builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr("constant")),
                                             builder.getNamedAttr("value", builder.getF64FloatAttr(0))});
      symbols->insert(VariableOp::create(builder, parameter.getLoc(), name, parameter.getType(), "slot", zero,
                                         /*no_decay=*/false, ours));
    }
    return ReadOp::create(builder, parameter.getLoc(), parameter.getType(), name);
  }

  func::FuncOp function;
  DictionaryAttr optimizer;
  SymbolTable *symbols = nullptr; ///< while it appends
};

} // namespace
