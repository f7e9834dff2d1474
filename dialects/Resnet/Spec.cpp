//===- Spec.cpp - From a fused region to its KernelSpec -------------------===//
//
// Operands first, then each op of the region as a node: its name without the
// dialect's, its attributes sorted by name, its operands and results by number.
//
//===----------------------------------------------------------------------===//

#include "dialects/Resnet/Spec.h"

#include "llvm/ADT/DenseMap.h"

using namespace mlir;

namespace resin::resnet {

TensorSpec specOf(RankedTensorType whole, int64_t dim, int64_t pieces) {
  TensorSpec spec;
  spec.type = whole.getElementType().isInteger(32) ? ElementType::I32 : ElementType::F32;
  spec.shape.assign(whole.getShape().begin(), whole.getShape().end());
  if (auto layout = dyn_cast_or_null<LayoutAttr>(whole.getEncoding())) {
    spec.layout = static_cast<LayoutKind>(layout.getKind());
    spec.halo = layout.getHalo();
  }
  if (dim < 0 || pieces == 1)
    return spec;
  spec.shape[dim] /= pieces;
  if (dim == 1 && spec.shape.size() == 4 && spec.layout == LayoutKind::C16)
    spec.storedChannels = whole.getDimSize(1);
  return spec;
}

/// Integers, truth values as 0 and 1, reals, and lists of integers: what an op of a kernel may carry.
static AttributeValue valueOf(Attribute attribute) {
  if (isa<UnitAttr>(attribute))
    return int64_t(1);
  if (auto truth = dyn_cast<BoolAttr>(attribute))
    return int64_t(truth.getValue());
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return integer.getInt();
  if (auto real = dyn_cast<FloatAttr>(attribute))
    return real.getValueAsDouble();
  return cast<DenseI64ArrayAttr>(attribute).asArrayRef().vec();
}

static KernelNode nodeOf(Operation &op, const llvm::DenseMap<Value, int> &numbers) {
  KernelNode node;
  node.op = op.getName().stripDialect().str();
  for (Value operand : op.getOperands())
    node.operands.push_back(numbers.lookup(operand));
  for (NamedAttribute attribute : op.getAttrDictionary()) // sorted by name
    if (isa<UnitAttr, BoolAttr, IntegerAttr, FloatAttr, DenseI64ArrayAttr>(attribute.getValue()))
      node.attributes.emplace_back(attribute.getName().str(), valueOf(attribute.getValue()));
  for (Type type : op.getResultTypes())
    node.results.push_back(cast<RankedTensorType>(type).getShape().vec());
  return node;
}

KernelSpec specOf(FusedOp fused) {
  KernelSpec spec;
  llvm::DenseMap<Value, int> numbers;
  auto number = [&](Value value) { numbers.try_emplace(value, numbers.size()); };
  int64_t pieces = fused.getPieces();
  for (auto [type, dim] : llvm::zip_equal(fused.getInputs().getTypes(), fused.getOperandDims()))
    spec.operands.push_back(specOf(cast<RankedTensorType>(type), dim, pieces));
  Block &body = fused.getBody().front();
  llvm::for_each(body.getArguments(), number);
  for (Operation &op : body.without_terminator()) {
    spec.nodes.push_back(nodeOf(op, numbers));
    llvm::for_each(op.getResults(), number);
  }
  for (Value value : body.getTerminator()->getOperands())
    spec.yields.push_back(numbers.lookup(value));
  for (auto [type, dim] : llvm::zip_equal(fused.getResultTypes(), fused.getResultDims()))
    spec.results.push_back(specOf(cast<RankedTensorType>(type), dim, pieces));
  return spec;
}

} // namespace resin::resnet
