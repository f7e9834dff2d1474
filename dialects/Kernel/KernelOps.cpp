//===- KernelOps.cpp - What the kernel dialect's ops promise --------------===//

#include "dialects/Kernel/Kernel.h"

using namespace mlir;
using namespace resin;
using namespace resin::kernel;

#define GET_OP_CLASSES
#include "dialects/Kernel/KernelOps.cpp.inc"

LogicalResult SlotOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // slot_c1
  auto variable = symbols.lookupNearestSymbolFrom<VariableOp>(*this, getVariableAttr());
  if (!variable)
    return emitOpError("names ") << getVariableAttr() << ", which is no kernel.variable";
  if (variable.getType() != getView().getType())
    return emitOpError("has type ") << getView().getType() << " but its variable " << variable.getType();
  return success();
}

void ParallelOp::build(OpBuilder &builder, OperationState &state, int64_t pieces) {
  state.getOrAddProperties<Properties>().pieces = builder.getI64IntegerAttr(pieces);
  state.addRegion()->emplaceBlock().addArgument(builder.getIndexType(), state.location);
}

LogicalResult ParallelOp::verifyRegions() {
  // parallel_c1
  if (getPieces() < 1)
    return emitOpError("has ") << getPieces() << " pieces; there is at least one";
  if (getBody().getNumArguments() != 1 || !getBody().getArgument(0).getType().isIndex())
    return emitOpError("has a body with one argument, the piece, of type index");
  return success();
}

void SectionsOp::build(OpBuilder &builder, OperationState &state) { state.addRegion()->emplaceBlock(); }

LogicalResult SectionsOp::verifyRegions() {
  // sections_c1
  for (Operation &op : *block())
    if (!isa<ParallelOp>(op))
      return op.emitOpError("stands in kernel.sections, which holds kernel.parallel alone");
  if (block()->empty())
    return emitOpError("is empty");
  return success();
}

LogicalResult SliceOp::verify() {
  // slice_c1
  ViewType part = getView().getType().slice(getDim(), getPieces(), getOverlap());
  if (!part)
    return emitOpError("cannot cut ") << getView().getType() << " into " << getPieces() << " views along dimension "
                                      << getDim();
  if (part != getPart().getType())
    return emitOpError("yields ") << getPart().getType() << " but such a part is " << part;
  // slice_c2
  auto argument = dyn_cast<BlockArgument>(getPiece());
  auto loop = argument ? dyn_cast_or_null<ParallelOp>(argument.getOwner()->getParentOp()) : ParallelOp();
  if (!loop || loop.getPieces() != getPieces())
    return emitOpError("is indexed by the piece of a kernel.parallel with ") << getPieces() << " pieces";
  return success();
}

static LogicalResult verifyViews(LaunchOp op, OperandRange views, const std::vector<TensorSpec> &specs,
                                 StringRef what) {
  if (views.size() != specs.size())
    return op.emitOpError("has ") << views.size() << " " << what << "s but its spec " << specs.size();
  for (auto [index, view, spec] : llvm::enumerate(views, specs))
    if (cast<ViewType>(view.getType()).spec() != spec)
      return op.emitOpError() << what << " " << index << " is " << view.getType() << " but its spec says "
                              << ViewType::get(op.getContext(), spec);
  return success();
}

LogicalResult LaunchOp::verify() {
  // launch_c1
  KernelSpec parsed;
  std::string error;
  if (!resin::parse(getSpec().str(), parsed, error))
    return emitOpError("has no kernel spec: ") << error;
  // launch_c2
  if (failed(verifyViews(*this, getInputs(), parsed.operands, "operand")))
    return failure();
  if (failed(verifyViews(*this, getOutputs(), parsed.results, "result")))
    return failure();
  // launch_c3
  auto loop = cast<ParallelOp>((*this)->getParentOp());
  if (asksForPiece(parsed) && piecesOf(parsed) != int64_t(loop.getPieces()))
    return emitOpError("computes one of ") << piecesOf(parsed) << " pieces in a loop of " << loop.getPieces();
  return success();
}

LogicalResult CopyOp::verify() {
  // copy_c1
  if (getFrom().getType().isPart())
    return emitOpError("copies whole images only, not part of their channels or rows");
  return success();
}
