//===- Passes.h - Making and registering the passes -------------*- C++ -*-===//

#ifndef RESIN_PASSES_PASSES_H
#define RESIN_PASSES_PASSES_H

#include "dialects/Resnet/Resnet.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace resin {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace resin

#endif // RESIN_PASSES_PASSES_H
