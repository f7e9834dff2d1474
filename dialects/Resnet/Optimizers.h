//===- Optimizers.h - From a recipe's optimizer to its update op -*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_OPTIMIZERS_H
#define RESIN_DIALECTS_RESNET_OPTIMIZERS_H

#include "dialects/Resnet/Resnet.h"

namespace resin::resnet {

/// Makes the update op that a recipe's `optimizer` dictionary (docs/Manifest.md) names, with its numbers; a key that is
/// missing counts as 0. Every slot operand is the gradient until the caller puts a variable's value there for each of
/// `slotNames()`. Fails with a diagnostic for an unknown optimizer.
mlir::FailureOr<UpdateOpInterface> createUpdate(mlir::OpBuilder &builder, mlir::Location location,
                                                mlir::DictionaryAttr optimizer, mlir::Value parameter,
                                                mlir::Value gradient, mlir::Value learningRate, mlir::Value step,
                                                bool decays);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_OPTIMIZERS_H
