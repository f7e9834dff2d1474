//===- Sema.cpp - From the tree to a network ------------------------------===//
//
//   1. Names (Names.cpp).
//   2. The model asked for.
//   3. Its layers (Elaborator.cpp), its recipe (Recipe.cpp).
//   4. Whether it learns (Trainable.cpp).
//
//===----------------------------------------------------------------------===//

#include "frontend/Sema.h"
#include "frontend/Names.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace resin::frontend;

static const Model *findModel(const File &file, StringRef name, Diagnostics &diagnostics) {
  auto fail = [&](const Twine &what) -> const Model * {
    diagnostics.errorInFile(what);
    return nullptr;
  };
  if (file.models.empty())
    return fail("the file has no 'model'");
  SmallVector<StringRef> names;
  for (const Model &model : file.models) {
    if (model.name.text == name || (name.empty() && file.models.size() == 1))
      return &model;
    names.push_back(model.name.text);
  }
  if (name.empty())
    return fail("the file has several models: choose one with --model (" + join(names, ", ") + ")");
  return fail("the file has no model '" + name + "'" + didYouMean(name, names));
}

std::optional<Network> resin::frontend::analyze(const File &file, StringRef modelName, ArrayRef<Setting> overrides,
                                                Diagnostics &diagnostics) {
  checkNames(file, diagnostics);
  const Model *model = findModel(file, modelName, diagnostics);
  if (!model)
    return std::nullopt;
  std::optional<Network> network = elaborate(file, *model, diagnostics);
  settleRecipe(file, overrides, network ? &*network : nullptr, diagnostics);
  if (network)
    checkTrainable(*network, model->resultShape->range, diagnostics);
  return diagnostics.hasErrors() ? std::nullopt : std::move(network);
}
