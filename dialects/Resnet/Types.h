//===- Types.h - MLIR's types and the kernels' ------------------*- C++ -*-===//
//
// Element types and layouts in both dialects are those of support/: here is their way
// to MLIR's types and text, and back.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_DIALECTS_RESNET_TYPES_H
#define RESIN_DIALECTS_RESNET_TYPES_H

#include "support/ElementType.h"
#include "support/Layout.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpImplementation.h"

namespace resin {

/// None if no tensor of a program has such elements.
std::optional<ElementType> elementTypeOf(mlir::Type element);
mlir::Type typeOf(mlir::MLIRContext *context, ElementType type);

/// Of all elements of a tensor of known shape and element type, padding and halo left out.
int64_t bytesOf(mlir::RankedTensorType type);

/// A layout is a keyword.
mlir::FailureOr<LayoutKind> parseLayout(mlir::AsmParser &parser);
llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, LayoutKind kind);
mlir::Diagnostic &operator<<(mlir::Diagnostic &diagnostic, LayoutKind kind);

} // namespace resin

#endif // RESIN_DIALECTS_RESNET_TYPES_H
