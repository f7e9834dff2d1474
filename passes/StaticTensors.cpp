//===- StaticTensors.cpp - What passes may take for granted ---------------===//

#include "passes/StaticTensors.h"

#include "dialects/Resnet/Types.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace resin;

/// What the type of a value is not; empty if nothing is wrong with it.
static std::string mistakeOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return "no tensor of known shape";
  if (!elementTypeOf(tensor.getElementType()))
    return "no tensor of " + elementTypeNames();
  return "";
}

LogicalResult resin::verifyStaticTensors(ModuleOp module, StringRef pass) {
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!llvm::hasSingleElement(function.getBody()))
      return function.emitError(pass) << ": @" << function.getName() << " must have one block";
    for (Type type : function.getArgumentTypes())
      if (const std::string mistake = mistakeOf(type); !mistake.empty())
        return function.emitError(pass) << ": @" << function.getName() << " takes " << type << ", which is " << mistake;
    for (Operation &op : function.getBody().front())
      for (Type type : op.getResultTypes())
        if (const std::string mistake = mistakeOf(type); !mistake.empty())
          return op.emitError(pass) << ": " << type << " is " << mistake;
  }
  return success();
}
