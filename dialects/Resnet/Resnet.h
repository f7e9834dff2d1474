//===- Resnet.h - The resnet dialect ----------------------------*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_RESNET_H
#define RESIN_DIALECTS_RESNET_RESNET_H

#include "dialects/Resnet/Tensor.h"
#include "dialects/Resnet/Types.h"
#include "support/OpFacts.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace resin::resnet {

using Layout = LayoutKind;

/// What is known of the op; of another dialect's, nothing.
const OpFacts &factsOf(mlir::Operation *op);

/// Whether the types are equal, encodings aside, and where both know an extent.
bool sameUpToLayout(mlir::TypeRange lhs, mlir::TypeRange rhs);

/// The same, but elements may be f64 on the right whatever floats they are on the left.
bool sameOrDouble(mlir::TypeRange lhs, mlir::TypeRange rhs);

/// Verifies that an op's result types agree with those it infers (`isCompatibleReturnTypes`).
llvm::LogicalResult verifyInferredTypes(mlir::Operation *op);

template <typename Op> struct InferredTypes : mlir::OpTrait::TraitBase<Op, InferredTypes> {
  static llvm::LogicalResult verifyTrait(mlir::Operation *op) { return verifyInferredTypes(op); }
};

} // namespace resin::resnet

#include "dialects/Resnet/ResnetDialect.h.inc"
#include "dialects/Resnet/ResnetInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Resnet/ResnetAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/Resnet/ResnetOps.h.inc"

#endif // RESIN_DIALECTS_RESNET_RESNET_H
