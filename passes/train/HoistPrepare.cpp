//===- HoistPrepare.cpp - What depends on variables alone, once -----------===//
//
//   1. In @evaluate and @predict_N, find the ops that depend on nothing but
//      variables.
//   2. Clone them into @prepare, each expression once.
//   3. What the rest of the function reads of them becomes a `prepared` variable,
//      written by @prepare and read in the function.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"

#include <unordered_map>

namespace resin {
#define GEN_PASS_DEF_HOISTPREPARE
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

struct HoistPrepare : resin::impl::HoistPrepareBase<HoistPrepare> {
  using HoistPrepareBase::HoistPrepareBase;

  void runOnOperation() override {
    variables.clear();
    prepared.clear();
    makePrepare();
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (isInference(function))
        hoistFrom(function);
  }

private:
  void makePrepare() {
    ModuleOp module = getOperation();
    auto functions = module.getOps<func::FuncOp>();
    firstFunction = functions.empty() ? nullptr : (*functions.begin()).getOperation();
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    prepare = func::FuncOp::create(builder, module.getLoc(), kPrepare, builder.getFunctionType({}, {}));
    builder.setInsertionPointToEnd(prepare.addEntryBlock());
    func::ReturnOp::create(builder, module.getLoc());
  }

  void hoistFrom(func::FuncOp function) {
    SmallVector<Operation *> constant = findConstant(function);
    llvm::SmallPtrSet<Operation *, 32> isConstant(constant.begin(), constant.end());
    IRMapping map;
    for (Operation *op : constant) {
      moveToPrepare(op, map);
      if (isa<ReadOp>(op))
        continue;
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !isConstant.contains(user); }))
          result.replaceUsesWithIf(readPrepared(op, map.lookup(result)),
                                   [&](OpOperand &use) { return !isConstant.contains(use.getOwner()); });
    }
    for (Operation *op : llvm::reverse(constant))
      if (op->use_empty())
        op->erase();
  }

  static SmallVector<Operation *> findConstant(func::FuncOp function) {
    SmallVector<Operation *> ops;
    llvm::SmallPtrSet<Operation *, 32> seen;
    for (Operation &op : function.getBody().front().without_terminator()) {
      bool fromConstant = op.getNumOperands() && isMemoryEffectFree(&op) &&
                          llvm::all_of(op.getOperands(), [&](Value v) { return seen.contains(v.getDefiningOp()); });
      if (!fromConstant && !isa<ReadOp>(op))
        continue;
      ops.push_back(&op);
      seen.insert(&op);
    }
    return ops;
  }

  /// Clones `op` to @prepare's end, or finds its equal there.
  void moveToPrepare(Operation *op, IRMapping &map) {
    OpBuilder builder(prepare.getBody().front().getTerminator());
    Operation *clone = builder.clone(*op, map);
    constexpr auto kFlags = OperationEquivalence::IgnoreLocations;
    SmallVector<Operation *, 1> &alike = prepared[OperationEquivalence::computeHash(
        clone, OperationEquivalence::directHashValue, OperationEquivalence::ignoreHashValue, kFlags)];
    auto equal = llvm::find_if(
        alike, [&](Operation *other) { return OperationEquivalence::isEquivalentTo(other, clone, kFlags); });
    if (equal == alike.end()) {
      alike.push_back(clone);
      return;
    }
    map.map(op->getResults(), (*equal)->getResults());
    clone->erase();
  }

  /// Reads, before `op`, the variable that hands over `value` of @prepare.
  Value readPrepared(Operation *op, Value value) {
    FlatSymbolRefAttr &variable = variables[value];
    OpBuilder builder(prepare);
    if (!variable) {
      auto name = builder.getStringAttr("prepared." + Twine(variables.size() - 1));
      auto zero = builder.getDictionaryAttr({builder.getNamedAttr("name", builder.getStringAttr("constant")),
                                             builder.getNamedAttr("value", builder.getF64FloatAttr(0))});
      builder.setInsertionPoint(firstFunction);
      VariableOp::create(builder, op->getLoc(), name, cast<RankedTensorType>(value.getType()), "prepared", zero,
                         /*no_decay=*/false, /*parameter=*/FlatSymbolRefAttr());
      variable = FlatSymbolRefAttr::get(name);
      ++numPrepared;
      builder.setInsertionPoint(prepare.getBody().front().getTerminator());
      WriteOp::create(builder, op->getLoc(), variable, value);
    }
    builder.setInsertionPoint(op);
    return ReadOp::create(builder, op->getLoc(), value.getType(), variable);
  }

  Operation *firstFunction = nullptr; ///< before which variables stand
  func::FuncOp prepare;
  llvm::DenseMap<Value, FlatSymbolRefAttr> variables;               ///< of values in @prepare
  std::unordered_map<size_t, SmallVector<Operation *, 1>> prepared; ///< ops in @prepare by their hash
};

} // namespace
