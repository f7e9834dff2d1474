//===- EntryPoints.h - The functions of a program and their names -*- C++ -*-===//

#ifndef RESIN_PASSES_ENTRYPOINTS_H
#define RESIN_PASSES_ENTRYPOINTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace resin {

inline constexpr llvm::StringLiteral kModel = "model";
inline constexpr llvm::StringLiteral kTrainStep = "train_step";
inline constexpr llvm::StringLiteral kEvaluate = "evaluate";
inline constexpr llvm::StringLiteral kPrepare = "prepare";
inline constexpr llvm::StringLiteral kPredict = "predict_";     ///< before the batch
inline constexpr llvm::StringLiteral kNameAttr = "resnet.name"; ///< of arguments and results
inline constexpr llvm::StringLiteral kRecipeAttr = "resnet.recipe";
inline constexpr llvm::StringLiteral kGradientResult = "gradient."; ///< before the parameter

/// Whether the function runs with fixed statistics, after @prepare.
inline bool isInference(mlir::func::FuncOp function) {
  return function.getName() == kEvaluate || function.getName().starts_with(kPredict);
}

/// Whether the recipe says `numerics = strict`; a module from a file may have no recipe.
inline bool wantsStrictNumerics(mlir::ModuleOp module) {
  auto recipe = module->getAttrOfType<mlir::DictionaryAttr>(kRecipeAttr);
  auto word = recipe ? recipe.getAs<mlir::StringAttr>("numerics") : mlir::StringAttr();
  return word && word.getValue() == "strict";
}

/// The argument that is called `name`; null if there is none.
inline mlir::Value argumentNamed(mlir::func::FuncOp function, llvm::StringRef name) {
  for (mlir::BlockArgument argument : function.getArguments())
    if (auto attr = function.getArgAttrOfType<mlir::StringAttr>(argument.getArgNumber(), kNameAttr);
        attr && attr == name)
      return argument;
  return {};
}

} // namespace resin

#endif // RESIN_PASSES_ENTRYPOINTS_H
