//===- LowerToKernel.cpp - From fused regions to launches on views --------===//
//
//   1. Variables become places of the program, arguments and results places of their
//      function.
//   2. Choose where each value is made: in a result or a variable that it ends up in
//      where that is safe, else in a place of its own.
//   3. Each fused region becomes a loop with one launch; what could not be made in
//      its place is copied there.
//
// A value may be made in a variable if from its producer on nobody reads what stood
// there before. The producer itself may, if it only does so in ops that finish with an
// element before they write it: optimizers and running averages.
//
//===----------------------------------------------------------------------===//

#include "passes/KernelPasses.h"

#include "dialects/Kernel/KernelRows.h"
#include "dialects/Resnet/Resnet.h"
#include "dialects/Resnet/Spec.h"

#include "llvm/ADT/MapVector.h"

namespace resin {
#define GEN_PASS_DEF_LOWERTOKERNEL
#include "passes/KernelPasses.h.inc"
} // namespace resin

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

namespace {

/// The view that a tensor becomes; null with a diagnostic if it cannot.
ViewType viewOf(Type type, Location loc) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape()) {
    emitError(loc) << "a program needs tensors of known shape, not " << type;
    return {};
  }
  return ViewType::getChecked([&] { return emitError(loc); }, type.getContext(), tensor.getShape(),
                              tensor.getElementType(), resnet::LayoutAttr::kindOf(tensor),
                              resnet::LayoutAttr::haloOf(tensor), int64_t(0), int64_t(0));
}

/// Lowers one function beside itself.
struct FunctionLowering {
  func::FuncOp from;
  OpBuilder b;
  llvm::DenseMap<Operation *, int64_t> order; // of the function's ops
  llvm::DenseMap<Value, Value> views;         // tensors to views
  llvm::DenseSet<Operation *> done;           // writes that their producers do
  struct Uses {
    SmallVector<resnet::ReadOp, 1> reads;
    SmallVector<resnet::WriteOp, 1> writes;
  };
  llvm::DenseMap<Attribute, Uses> usesOf; // of each variable, in program order
  int64_t inPlace = 0, copies = 0;

  explicit FunctionLowering(func::FuncOp from) : from(from), b(from) {}
  LogicalResult run();

private:
  LogicalResult makeArguments();
  bool canMakeIn(resnet::WriteOp write);
  bool isReadAfter(resnet::ReadOp read, Operation *op);
  void chooseWrites();
  void chooseResults(ArrayRef<Value> results);
  void copy(Location loc, Value fromView, Value toView);
  LogicalResult lower(resnet::ReadOp read);
  LogicalResult lower(resnet::FusedOp fused);
};

struct LowerToKernel : resin::impl::LowerToKernelBase<LowerToKernel> {
  void runOnOperation() override;

private:
  LogicalResult lowerVariables();
};

} // namespace

//===----------------------------------------------------------------------===//
// 1. Places with names
//===----------------------------------------------------------------------===//

LogicalResult LowerToKernel::lowerVariables() {
  for (auto variable : llvm::make_early_inc_range(getOperation().getOps<resnet::VariableOp>())) {
    ViewType view = viewOf(variable.getType(), variable.getLoc());
    if (!view)
      return failure();
    OpBuilder b(variable);
    VariableOp::create(b, variable.getLoc(), variable.getSymName(), view, variable.getRole(), variable.getInit(),
                       IntegerAttr(), variable.getParameterAttr());
    variable.erase();
  }
  return success();
}

LogicalResult FunctionLowering::makeArguments() {
  for (BlockArgument argument : from.getArguments()) {
    auto name = from.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "resnet.name");
    if (!name)
      return from.emitError("argument ") << argument.getArgNumber() << " of an entry function has no 'resnet.name'";
    ViewType view = viewOf(argument.getType(), argument.getLoc());
    if (!view)
      return failure();
    views[argument] = ArgumentOp::create(b, argument.getLoc(), view, name, IntegerAttr());
  }
  return success();
}

//===----------------------------------------------------------------------===//
// 2. Where values are made
//===----------------------------------------------------------------------===//

bool FunctionLowering::isReadAfter(resnet::ReadOp read, Operation *op) {
  return llvm::any_of(read->getUsers(), [&](Operation *user) { return order.lookup(user) > order.lookup(op); });
}

/// Whether `fused` reads operand `index` only in ops that may write it in place, and by the same piece as it writes
/// `result`.
static bool updatesInPlace(resnet::FusedOp fused, unsigned operand, unsigned result) {
  if (fused.getInputs()[operand].getType() != fused.getResult(result).getType() ||
      (fused.getPieces() > 1 && fused.getOperandDims()[operand] != fused.getResultDims()[result]))
    return false;
  BlockArgument old = fused.getBody().getArgument(operand);
  return llvm::all_of(old.getUsers(), [&](Operation *user) {
    return resnet::factsOf(user).isElementwise && user->getResult(0).getType() == old.getType();
  });
}

bool FunctionLowering::canMakeIn(resnet::WriteOp write) {
  auto producer = write.getValue().getDefiningOp<resnet::FusedOp>();
  if (!producer)
    return false;
  unsigned result = cast<OpResult>(write.getValue()).getResultNumber();
  const Uses &uses = usesOf[write.getVariableAttr()];
  if (uses.writes.size() > 1)
    return false; // which of them is read where is not worth knowing
  for (resnet::ReadOp read : uses.reads) {
    if (order.lookup(read) > order.lookup(write))
      continue;
    if (isReadAfter(read, producer))
      return false;
    for (OpOperand &use : read->getUses())
      if (use.getOwner() == producer && !updatesInPlace(producer, use.getOperandNumber(), result))
        return false;
  }
  return true;
}

void FunctionLowering::chooseWrites() {
  for (auto write : from.front().getOps<resnet::WriteOp>()) {
    if (views.contains(write.getValue()) || !canMakeIn(write))
      continue;
    ViewType view = viewOf(write.getValue().getType(), write.getLoc());
    views[write.getValue()] = SlotOp::create(b, write.getLoc(), view, write.getVariableAttr());
    done.insert(write);
    ++inPlace;
  }
}

void FunctionLowering::chooseResults(ArrayRef<Value> results) {
  for (auto [value, place] : llvm::zip_equal(from.front().getTerminator()->getOperands(), results))
    if (value.getDefiningOp<resnet::FusedOp>() && views.try_emplace(value, place).second)
      ++inPlace;
}

//===----------------------------------------------------------------------===//
// 3. Ops
//===----------------------------------------------------------------------===//

void FunctionLowering::copy(Location loc, Value fromView, Value toView) {
  auto loop = ParallelOp::create(b, loc, 1);
  OpBuilder inside = OpBuilder::atBlockEnd(loop.block());
  CopyOp::create(inside, loc, fromView, toView);
  ++copies;
}

LogicalResult FunctionLowering::lower(resnet::ReadOp read) {
  ViewType view = viewOf(read.getType(), read.getLoc());
  if (!view)
    return failure();
  Value slot = SlotOp::create(b, read.getLoc(), view, read.getVariableAttr());
  views[read] = slot;
  for (resnet::WriteOp write : usesOf[read.getVariableAttr()].writes) {
    if (order.lookup(write) < order.lookup(read) || done.contains(write) || !isReadAfter(read, write))
      continue;
    Value kept = AllocOp::create(b, read.getLoc(), view, IntegerAttr());
    copy(read.getLoc(), slot, kept);
    views[read] = kept;
    break;
  }
  return success();
}

/// The op that the kernel is known by: its loop nest, or else the first of its ops.
static Operation *anchorOf(resnet::FusedOp fused) {
  for (Operation &op : fused.getBody().front())
    if (resnet::factsOf(&op).role == OpRole::Anchor)
      return &op;
  return &fused.getBody().front().front();
}

/// Kernels index in 32 bits (Halide without its large buffers).
static LogicalResult checkExtents(Location loc, StringRef layer, const KernelSpec &spec) {
  constexpr int64_t most = INT32_MAX;
  for (const std::vector<TensorSpec> *tensors : {&spec.operands, &spec.results})
    for (const TensorSpec &tensor : *tensors)
      if (const int64_t elements = storageElements(tensor); elements > most) {
        auto diagnostic = emitError(loc) << "a kernel of '" << layer << "' would read or write [";
        llvm::interleaveComma(tensor.shape, diagnostic);
        return diagnostic << "], " << elements << " elements as stored, and it can index " << most
                          << ": take a smaller batch, or fewer channels or classes";
      }
  return success();
}

LogicalResult FunctionLowering::lower(resnet::FusedOp fused) {
  Location loc = anchorOf(fused)->getLoc();
  for (Value result : fused.getResults()) {
    ViewType view = viewOf(result.getType(), loc);
    if (!view)
      return failure();
    if (!views.contains(result))
      views[result] = AllocOp::create(b, loc, view, IntegerAttr());
  }
  int64_t pieces = fused.getPieces();
  auto loop = ParallelOp::create(b, loc, pieces);
  OpBuilder inside = OpBuilder::atBlockEnd(loop.block());
  auto partsOf = [&](ValueRange tensors, ArrayRef<int64_t> dims, ArrayRef<int64_t> overlaps,
                     SmallVectorImpl<Value> &parts) -> LogicalResult {
    for (auto [index, tensor, dim] : llvm::enumerate(tensors, dims)) {
      Value view = views.lookup(tensor);
      if (pieces > 1 && dim >= 0) {
        auto type = cast<ViewType>(view.getType());
        int64_t overlap = overlaps.empty() ? 0 : overlaps[index];
        ViewType part = type.slice(dim, pieces, overlap);
        if (!part)
          return emitError(loc) << "cannot cut " << type << " into " << pieces << " views along dimension " << dim;
        view = SliceOp::create(inside, loc, part, view, loop.piece(), dim, pieces, overlap);
      }
      parts.push_back(view);
    }
    return success();
  };
  SmallVector<Value> inputs, outputs;
  if (failed(partsOf(fused.getInputs(), fused.getOperandDims(), fused.getOverlaps(), inputs)) ||
      failed(partsOf(fused.getResults(), fused.getResultDims(), {}, outputs)))
    return failure();
  KernelSpec spec = resnet::specOf(fused);
  StringRef layer = layerOf(loc);
  if (failed(checkExtents(loc, layer, spec)))
    return failure();
  LaunchOp::create(inside, loc, symbol(spec), inputs, outputs, print(spec), layer);
  return success();
}

LogicalResult FunctionLowering::run() {
  if (!from.getBody().hasOneBlock())
    return from.emitError("an entry function has a body of one block");
  for (auto [index, op] : llvm::enumerate(from.front())) {
    order[&op] = index;
    if (auto read = dyn_cast<resnet::ReadOp>(op))
      usesOf[read.getVariableAttr()].reads.push_back(read);
    else if (auto write = dyn_cast<resnet::WriteOp>(op))
      usesOf[write.getVariableAttr()].writes.push_back(write);
  }
  auto to = func::FuncOp::create(b, from.getLoc(), from.getName(), b.getFunctionType({}, {}));
  b.setInsertionPointToEnd(to.addEntryBlock());
  if (failed(makeArguments()))
    return failure();

  // Results have their places first: a value that is both stays where the runtime looks.
  Operation *end = from.front().getTerminator();
  SmallVector<Value> results;
  for (auto [index, value] : llvm::enumerate(end->getOperands())) {
    auto name = from.getResultAttrOfType<StringAttr>(index, "resnet.name");
    if (!name)
      return from.emitError("result ") << index << " of an entry function has no 'resnet.name'";
    ViewType view = viewOf(value.getType(), end->getLoc());
    if (!view)
      return failure();
    results.push_back(ResultOp::create(b, end->getLoc(), view, name, IntegerAttr()));
  }
  chooseWrites();
  chooseResults(results);

  for (Operation &op : from.front().without_terminator()) {
    if (auto read = dyn_cast<resnet::ReadOp>(op)) {
      if (failed(lower(read)))
        return failure();
    } else if (auto fused = dyn_cast<resnet::FusedOp>(op)) {
      if (failed(lower(fused)))
        return failure();
    } else if (auto write = dyn_cast<resnet::WriteOp>(op)) {
      if (done.contains(write))
        continue;
      ViewType view = viewOf(write.getValue().getType(), write.getLoc());
      copy(write.getLoc(), views.lookup(write.getValue()),
           SlotOp::create(b, write.getLoc(), view, write.getVariableAttr()));
    } else {
      return op.emitOpError("is in no resnet.fused: run --fuse before --lower-to-kernel");
    }
  }
  for (auto [value, place] : llvm::zip_equal(end->getOperands(), results))
    if (views.lookup(value) != place)
      copy(end->getLoc(), views.lookup(value), place);
  func::ReturnOp::create(b, end->getLoc());
  from.erase();
  return success();
}

void LowerToKernel::runOnOperation() {
  // Writes made in place are seen from function to function by the symbol alone, so variables go last.
  for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
    FunctionLowering lowering(function);
    if (failed(lowering.run()))
      return signalPassFailure();
    numInPlace += lowering.inPlace;
    numCopies += lowering.copies;
  }
  if (failed(lowerVariables()))
    signalPassFailure();
}
