//===- AssignLayouts.cpp - Where the elements of every value stand --------===//
//
//   1. Find how filters are used: a variable's layout follows from its shape, and
//      from the image and the groups of the convolution that reads it.
//   2. Insert `relayout` where an op reads another order than the value has: the
//      data gradient wants its filters transposed, an image that is not read by a
//      stem alone must be blocked first, and a stem that reads the image in one
//      function alone (behind a dropout, say) finds its filter in blocks.
//   3. Give every value a layout: that of its variable, that of what it is computed
//      from, or the one its op makes.
//   4. Surround activations with as many zeros as their readers look beyond the
//      edge: the zeros make boundary conditions unnecessary in kernels.
//   5. Write variables' and functions' types anew.
//
// Raw convolution outputs and gradients that only pointwise ops read have no halo.
//
//===----------------------------------------------------------------------===//

#include "passes/EntryPoints.h"
#include "passes/Passes.h"
#include "passes/StaticTensors.h"

#include "llvm/ADT/TypeSwitch.h"

namespace resin {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "passes/Passes.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::resnet;

namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

bool isImage(Value value) { return isa<BlockArgument>(value) && typeOf(value).getRank() == 4; }

/// A stem reads planes as they come; a convolution of 16 channels of the image and more reads blocks.
bool readsPlanes(Value input) { return isImage(input) && typeOf(input).getDimSize(1) < kChannelBlock; }

/// Whether every group has whole blocks of channels. All channels at once may fill their last block with zeros.
bool fillsBlocks(RankedTensorType filter, int64_t groups) {
  int64_t k = filter.getDimSize(0), c = filter.getDimSize(1);
  return groups == 1 || (c % kChannelBlock == 0 && (k / groups) % kChannelBlock == 0);
}

/// Of the filter that meets `input` in a convolution.
Layout layoutOfFilter(Value input, RankedTensorType filter, int64_t groups) {
  return readsPlanes(input) || !fillsBlocks(filter, groups) ? Layout::K16 : Layout::K16C16;
}

/// The data gradient reads filters transposed, except those of groups that do not fill blocks.
bool readsTransposed(Conv2dGradDataOp conv) { return fillsBlocks(typeOf(conv.getFilter()), conv.getGroups()); }

/// How many zeros `op` reads around its operand `index`.
int64_t haloRead(Operation *op, unsigned index) {
  auto largest = [](ArrayRef<int64_t> values) { return *std::max_element(values.begin(), values.end()); };
  if (index == 0)
    if (auto conv = dyn_cast<Conv2dOp>(op))
      return largest(conv.getPadding());
  if (index == 0)
    if (auto conv = dyn_cast<Conv2dWinogradOp>(op))
      return largest(conv.getPadding());
  if (index == 0)
    if (auto grad = dyn_cast<Conv2dGradWeightOp>(op))
      return largest(grad.getPadding());
  if (index == 0)
    if (auto pool = dyn_cast<AvgPoolOp>(op))
      return largest(pool.getPadding());
  // Output row o reaches input row i if i = o*stride + u*dilation - padding, so o reaches beyond the edge by
  // (r-1)*dilation - padding at most.
  if (auto grad = dyn_cast<Conv2dGradDataOp>(op); grad && index == 0) {
    ArrayRef<int64_t> filter = typeOf(grad.getFilter()).getShape(), padding = grad.getPadding();
    int64_t rows = (filter[2] - 1) * grad.getDilations()[0], columns = (filter[3] - 1) * grad.getDilations()[1];
    return std::max<int64_t>(
        0, std::max(rows - std::min(padding[0], padding[2]), columns - std::min(padding[1], padding[3])));
  }
  return 0;
}

struct AssignLayouts : resin::impl::AssignLayoutsBase<AssignLayouts> {
  using AssignLayoutsBase::AssignLayoutsBase;

  void runOnOperation() override {
    if (failed(verifyStaticTensors(getOperation(), getArgument())))
      return signalPassFailure();
    ofVariables.clear();
    writtenByPrepare.clear();
    SymbolTable table(getOperation());
    symbols = &table;
    if (auto prepare = table.lookup<func::FuncOp>(kPrepare))
      for (auto write : prepare.getOps<WriteOp>())
        writtenByPrepare[write.getVariable()].push_back(write.getValue());
    SmallVector<func::FuncOp> functions = orderFunctions();
    for (func::FuncOp function : functions)
      function.walk([&](Operation *op) { followFilter(op); });
    for (func::FuncOp function : functions) {
      insertRelayouts(function);
      layOut(function);
      addHalos(function);
      retype(function);
      if (function.getName() == kPrepare)
        for (auto write : function.getOps<WriteOp>())
          ofVariables[write.getVariable()] = layoutOf(write.getValue());
    }
    for (auto variable : getOperation().getOps<VariableOp>())
      variable.setType(LayoutAttr::layOut(cast<RankedTensorType>(variable.getType()), layoutOfVariable(variable)));
  }

private:
  /// @prepare first: what it writes tells the layouts of `prepared` variables.
  SmallVector<func::FuncOp> orderFunctions() {
    SmallVector<func::FuncOp> functions;
    if (auto prepare = getOperation().lookupSymbol<func::FuncOp>(kPrepare))
      functions.push_back(prepare);
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.getName() != kPrepare)
        functions.push_back(function);
    return functions;
  }

  //===--------------------------------------------------------------------===//
  // Filters
  //===--------------------------------------------------------------------===//

  void followFilter(Operation *op) {
    if (auto conv = dyn_cast<Conv2dOp>(op))
      setVariableLayout(conv.getFilter(), layoutOfFilter(conv.getInput(), typeOf(conv.getFilter()), conv.getGroups()));
    else if (auto winograd = dyn_cast<Conv2dWinogradOp>(op))
      setVariableLayout(winograd.getFilter(), Layout::K16); // channels last: each point's stand together
    else if (auto linear = dyn_cast<LinearOp>(op))
      setVariableLayout(linear.getWeight(), Layout::K16);
  }

  /// Sets the layout of the variables that `filter` is computed from, by way of @prepare too.
  void setVariableLayout(Value filter, Layout layout) {
    Operation *producer = filter.getDefiningOp();
    if (auto scaled = dyn_cast_or_null<ScaleFilterOp>(producer))
      return setVariableLayout(scaled.getFilter(), layout);
    auto read = dyn_cast_or_null<ReadOp>(producer);
    if (!read || !ofVariables.try_emplace(read.getVariable(), layout).second)
      return;
    for (Value prepared : writtenByPrepare.lookup(read.getVariable()))
      setVariableLayout(prepared, layout);
  }

  Layout layoutOfVariable(VariableOp variable) {
    auto known = ofVariables.find(variable.getParameter().value_or(variable.getSymName()));
    if (known != ofVariables.end())
      return known->second;
    switch (cast<RankedTensorType>(variable.getType()).getRank()) {
    case 1:
      return Layout::C16;
    case 2:
      return Layout::K16;
    case 4:
      return Layout::K16C16;
    }
    return Layout::Dense;
  }

  //===--------------------------------------------------------------------===//
  // Relayouts
  //===--------------------------------------------------------------------===//

  void insertRelayouts(func::FuncOp function) {
    llvm::MapVector<Value, Value> transposed, blocked, unblocked;
    for (Operation &op : llvm::make_early_inc_range(function.getBody().front())) {
      if (auto grad = dyn_cast<Conv2dGradDataOp>(op); grad && readsTransposed(grad))
        relayout(grad.getFilterMutable(), Layout::C16K16, transposed);
      if (auto conv = dyn_cast<Conv2dOp>(op);
          conv && readsPlanes(conv.getInput()) && layoutOfRead(conv.getFilter()) == Layout::K16C16)
        relayout(conv.getFilterMutable(), Layout::K16, unblocked);
      for (OpOperand &operand : op.getOpOperands())
        if (isImage(operand.get()) && !readsAsItComes(operand))
          relayout(operand, Layout::C16, blocked);
    }
  }

  /// Of a filter, before values have layouts: that of the variable it is computed from.
  Layout layoutOfRead(Value filter) {
    if (auto scaled = filter.getDefiningOp<ScaleFilterOp>())
      return layoutOfRead(scaled.getFilter());
    auto read = filter.getDefiningOp<ReadOp>();
    return read ? layoutOfVariable(SymbolTable::lookupNearestSymbolFrom<VariableOp>(read, read.getVariableAttr()))
                : Layout::Dense;
  }

  /// What is no convolution reads an image by blocks.
  static bool readsAsItComes(OpOperand &operand) {
    return isa<Conv2dOp, Conv2dGradWeightOp>(operand.getOwner()) && operand.getOperandNumber() == 0 &&
           readsPlanes(operand.get());
  }

  void relayout(OpOperand &operand, Layout layout, llvm::MapVector<Value, Value> &done) {
    Value &value = done[operand.get()];
    if (!value) {
      OpBuilder builder(operand.getOwner());
      value = RelayoutOp::create(builder, operand.getOwner()->getLoc(),
                                 LayoutAttr::layOut(typeOf(operand.get()), layout), operand.get());
      ++numRelayouts;
    }
    operand.set(value);
  }
  void relayout(MutableOperandRange operand, Layout layout, llvm::MapVector<Value, Value> &done) {
    relayout(operand[0], layout, done);
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  static Layout layoutOf(Value value) { return LayoutAttr::kindOf(typeOf(value)); }

  void layOut(func::FuncOp function) {
    for (Operation &op : function.getBody().front())
      for (OpResult result : op.getResults())
        result.setType(LayoutAttr::layOut(typeOf(result), layoutOfResult(result)));
  }

  /// What an op makes. Filters and their updates stand as what they are computed from.
  Layout layoutOfResult(OpResult result) {
    int64_t rank = typeOf(result).getRank();
    return llvm::TypeSwitch<Operation *, Layout>(result.getOwner())
        .Case([&](ReadOp read) { return layoutOfVariable(symbols->lookup<VariableOp>(read.getVariable())); })
        .Case([&](RelayoutOp) { return layoutOf(result); })
        .Case<ScaleFilterOp, UpdateOpInterface, AddOp>([&](Operation *op) { return layoutOf(op->getOperand(0)); })
        .Case(
            [&](Conv2dGradWeightOp grad) { return layoutOfFilter(grad.getInput(), typeOf(result), grad.getGroups()); })
        .Case<LinearGradWeightOp, WinogradFilterOp>([&](Operation *) { return Layout::K16; })
        .Case<ChannelSumOp, ChannelDotOp>([&](Operation *) { return Layout::C16; })
        .Case<CrossEntropyOp, LabelRankOp>([&](Operation *) { return Layout::Dense; })
        .Default([&](Operation *) { return rank == 4 || rank == 1 ? Layout::C16 : Layout::Dense; });
  }

  static void addHalos(func::FuncOp function) {
    auto add = [](Value value) {
      int64_t halo = 0;
      for (OpOperand &use : value.getUses())
        halo = std::max(halo, haloRead(use.getOwner(), use.getOperandNumber()));
      if (halo)
        value.setType(LayoutAttr::layOut(typeOf(value), layoutOf(value), halo));
    };
    llvm::for_each(function.getArguments(), add);
    for (Operation &op : function.getBody().front())
      llvm::for_each(op.getResults(), add);
  }

  static void retype(func::FuncOp function) {
    Operation *end = function.getBody().front().getTerminator();
    function.setFunctionType(
        FunctionType::get(function.getContext(), function.getBody().getArgumentTypes(), end->getOperandTypes()));
  }

  llvm::StringMap<Layout> ofVariables;
  llvm::StringMap<SmallVector<Value, 1>> writtenByPrepare; ///< by variable
  SymbolTable *symbols = nullptr;
};

} // namespace
