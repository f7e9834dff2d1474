//===- Fused.cpp - The region that fusion builds, and changes of layout ---===//

#include "dialects/Resnet/Checker.h"

using namespace mlir;

namespace resin::resnet {

//===----------------------------------------------------------------------===//
// #resnet.layout
//===----------------------------------------------------------------------===//

Layout LayoutAttr::kindOf(RankedTensorType type) {
  auto layout = dyn_cast_or_null<LayoutAttr>(type.getEncoding());
  return layout ? layout.getKind() : Layout::Dense;
}

int64_t LayoutAttr::haloOf(RankedTensorType type) {
  auto layout = dyn_cast_or_null<LayoutAttr>(type.getEncoding());
  return layout ? layout.getHalo() : 0;
}

RankedTensorType LayoutAttr::layOut(RankedTensorType type, Layout kind, int64_t halo) {
  Attribute encoding;
  if (kind != Layout::Dense || halo)
    encoding = LayoutAttr::get(type.getContext(), kind, halo);
  return RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
}

LogicalResult LayoutAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  if (!hasRank(getKind(), shape.size())) // layout_c1
    return emitError() << "layout '" << getKind() << "' does not suit the shape " << describe(shape);
  if (getHalo() < 0 || getHalo() > mostHalo(getKind(), shape.size())) // layout_c2
    return emitError() << "a halo of " << getHalo() << " does not suit the layout '" << getKind() << "' of the shape "
                       << describe(shape);
  return success();
}

//===----------------------------------------------------------------------===//
// relayout
//===----------------------------------------------------------------------===//

LogicalResult RelayoutOp::verify() {
  auto from = getInput().getType(), to = getType();
  if (from.getShape() != to.getShape() || from.getElementType() != to.getElementType()) // relayout_c1
    return mlir::emitError(getLoc()) << "'relayout' changes only the layout, not " << from << " to " << to;
  return success();
}

void RelayoutOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  results[0].data = operands[0].data;
}

//===----------------------------------------------------------------------===//
// part
//===----------------------------------------------------------------------===//

LogicalResult PartOp::verify() {
  auto from = cast<RankedTensorType>(getInput().getType()), to = cast<RankedTensorType>(getType());
  Shape shape(from.getShape());
  const int64_t dim = getDim(), pieces = getPieceOf();
  const bool exists = dim >= 0 && dim < from.getRank() && pieces >= 1 && shape[dim] % pieces == 0;
  if (exists)
    shape[dim] /= pieces;
  if (!exists || ArrayRef(shape) != to.getShape() || from.getElementType() != to.getElementType()) // part_c1
    return mlir::emitError(getLoc()) << "'part' makes one of " << pieces << " equal ranges of dimension " << dim
                                     << ", not " << to << " of " << from;
  return success();
}

void PartOp::evaluate(ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  evaluatePiece(0, operands, results);
}

void PartOp::evaluatePiece(int64_t piece, ArrayRef<Tensor> operands, MutableArrayRef<Tensor> results) {
  const int64_t inner = product(ArrayRef(results[0].shape).drop_front(getDim())), whole = inner * getPieceOf();
  for (int64_t i = 0; i < results[0].size(); ++i)
    results[0].data[i] = operands[0].data[i / inner * whole + piece * inner + i % inner];
}

//===----------------------------------------------------------------------===//
// fused
//===----------------------------------------------------------------------===//

/// The type of one piece of `whole`, cut along `dim` (-1: not at all), with `overlap` more on either side; null where
/// it cannot be cut.
static RankedTensorType pieceOf(RankedTensorType whole, int64_t dim, int64_t pieces, int64_t overlap) {
  if (dim == -1)
    return whole;
  if (dim < 0 || dim >= whole.getRank() || whole.isDynamicDim(dim) || whole.getDimSize(dim) % pieces != 0)
    return {};
  Shape shape(whole.getShape());
  shape[dim] = shape[dim] / pieces + 2 * overlap;
  return RankedTensorType::get(shape, whole.getElementType(), whole.getEncoding());
}

/// Each value of the region has the type of a piece of the value outside.
static LogicalResult verifyPieces(FusedOp op, StringRef what, TypeRange wholes, ArrayRef<int64_t> dims,
                                  ArrayRef<int64_t> overlaps, TypeRange inside) {
  if (dims.size() != wholes.size() || inside.size() != wholes.size()) // fused_c2
    return mlir::emitError(op.getLoc()) << "'fused' has " << wholes.size() << ' ' << what << "s, " << dims.size()
                                        << " dims for them and " << inside.size() << " in its region";
  for (unsigned i = 0; i < wholes.size(); ++i) {
    auto whole = cast<RankedTensorType>(wholes[i]);
    const RankedTensorType piece = pieceOf(whole, dims[i], op.getPieces(), overlaps.empty() ? 0 : overlaps[i]);
    if (!piece) // fused_c3
      return mlir::emitError(op.getLoc()) << "'fused' cannot cut " << what << ' ' << i << ' ' << whole << " into "
                                          << op.getPieces() << " equal pieces along dimension " << dims[i];
    if (piece != inside[i]) // fused_c4
      return mlir::emitError(op.getLoc()) << "'fused' has pieces of type " << piece << " for " << what << ' ' << i
                                          << ", but its region has " << inside[i];
  }
  return success();
}

/// Rows of the halo, at most, overlap.
static LogicalResult verifyOverlaps(FusedOp op) {
  ArrayRef<int64_t> overlaps = op.getOverlaps();
  if (overlaps.empty())
    return success();
  if (overlaps.size() != op.getInputs().size()) // fused_c7
    return mlir::emitError(op.getLoc()) << "'fused' has " << op.getInputs().size() << " operands and "
                                        << overlaps.size() << " overlaps";
  for (auto [i, overlap] : llvm::enumerate(overlaps)) {
    auto type = cast<RankedTensorType>(op.getInputs()[i].getType());
    const bool cutsRows = type.getRank() == 4 && i < op.getOperandDims().size() && op.getOperandDims()[i] == 2;
    if (overlap < 0 || overlap > (cutsRows ? LayoutAttr::haloOf(type) : 0)) // fused_c7
      return mlir::emitError(op.getLoc()) << "'fused' cannot overlap parts of operand " << i << ' ' << type << " by "
                                          << overlap << " rows";
  }
  return success();
}

/// Kernels compute with the types of support/ElementType.h alone. Ops inside make no others of these.
static LogicalResult verifyElements(FusedOp op) {
  for (Type type : op.getBody().front().getArgumentTypes())
    if (Type element = getElementTypeOrSelf(type); !elementTypeOf(element)) // fused_c9
      return mlir::emitError(op.getLoc())
             << "kernels have no elements of type " << element << "; they have " << elementTypeNames();
  return success();
}

LogicalResult FusedOp::verify() {
  const int64_t pieces = getPieces();
  if (pieces < 1) // fused_c1
    return mlir::emitError(getLoc()) << "'fused' needs at least one piece, not " << pieces;
  Block &body = getBody().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  if (failed(verifyElements(*this)) || failed(verifyOverlaps(*this)) ||
      failed(verifyPieces(*this, "operand", getInputs().getTypes(), getOperandDims(), getOverlaps(),
                          body.getArgumentTypes())) ||
      failed(verifyPieces(*this, "result", getResultTypes(), getResultDims(), {}, yield.getOperandTypes())))
    return failure();
  if (pieces > 1 && llvm::is_contained(getResultDims(), -1)) // fused_c5
    return mlir::emitError(getLoc()) << "'fused' puts the results of " << pieces
                                     << " pieces together along some dimension, not -1";
  for (Operation &op : body.without_terminator())
    if (!isa<EvaluateOpInterface>(op)) // fused_c6
      return mlir::emitError(op.getLoc()) << "'" << op.getName() << "' cannot stand in a fused region";
  for (Operation &op : body.without_terminator())
    if (auto counted = dyn_cast<PieceOpInterface>(op);
        counted && pieces > 1 && int64_t(counted.getPieceOf()) != pieces) // fused_c8
      return mlir::emitError(op.getLoc()) << "'" << op.getName() << "' is one of " << counted.getPieceOf()
                                          << " pieces, in a fused region of " << pieces;
  return success();
}

} // namespace resin::resnet
