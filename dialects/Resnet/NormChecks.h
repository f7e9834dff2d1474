//===- NormChecks.h - What batch norm's ops check alike ---------*- C++ -*-===//

#ifndef RESIN_DIALECTS_RESNET_NORMCHECKS_H
#define RESIN_DIALECTS_RESNET_NORMCHECKS_H

#include "dialects/Resnet/Checker.h"

namespace resin::resnet {

/// The activation's shape; the vectors have one number for each of its channels.
Shape activationAndVectors(Checker &check, mlir::Value activation,
                           llvm::ArrayRef<std::pair<mlir::Value, llvm::StringRef>> vectors);

/// All the vectors have one shape [c], and one element type.
Shape vectorsAlike(Checker &check, mlir::ValueRange vectors);

/// (C2) epsilon is positive.
void checkEpsilon(Checker &check, const llvm::APFloat &epsilon);

} // namespace resin::resnet

#endif // RESIN_DIALECTS_RESNET_NORMCHECKS_H
