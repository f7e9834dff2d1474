//===- StaticTensors.cpp - What passes may take for granted ---------------===//

#include "passes/StaticTensors.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;

static bool isStaticTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape();
}

LogicalResult resin::verifyStaticTensors(ModuleOp module, StringRef pass) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitError(pass) << ": @" << function.getName() << " must have one block";
    for (Type type : function.getArgumentTypes())
      if (!isStaticTensor(type))
        return function.emitError(pass) << ": @" << function.getName() << " takes " << type
                                        << ", which is no tensor of known shape";
    for (Operation &op : function.getBody().front())
      for (Type type : op.getResultTypes())
        if (!isStaticTensor(type))
          return op.emitError(pass) << ": " << type << " is no tensor of known shape";
  }
  return success();
}
