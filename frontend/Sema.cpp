//===- Sema.cpp - From the tree to a network ------------------------------===//
//
//   1. Declarations: names are given once, and not those of layers.
//   2. The model asked for.
//   3. Its layers (Elaborator.cpp), its recipe (Recipe.cpp).
//
//===----------------------------------------------------------------------===//

#include "frontend/Sema.h"
#include "frontend/Layers.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace resin::frontend;

static void declare(StringMap<SMRange> &names, const Name &name, const Twine &what, Diagnostics &diagnostics) {
  auto [other, isNew] = names.try_emplace(name.text, name.range);
  if (!isNew)
    diagnostics.error(name.range, what + " '" + name.text + "' is declared twice",
                      Note{other->second.Start, "it was declared here"});
}

static void checkDeclarations(const File &file, Diagnostics &diagnostics) {
  StringMap<SMRange> blocks, models;
  for (const Block &block : file.blocks) {
    declare(blocks, block.name, "the block", diagnostics);
    if (findLayer(block.name.text))
      diagnostics.error(block.name.range, "'" + block.name.text + "' is a layer: give the block another name");
    StringMap<SMRange> parameters;
    for (const Parameter &parameter : block.parameters)
      declare(parameters, parameter.name, "the parameter", diagnostics);
  }
  for (const Model &model : file.models)
    declare(models, model.name, "the model", diagnostics);
  for (const Train &train : ArrayRef(file.trains).drop_front(!file.trains.empty()))
    diagnostics.error(train.range, "a file has one 'train'",
                      Note{file.trains.front().range.Start, "the first is here"});
}

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
  checkDeclarations(file, diagnostics);
  const Model *model = findModel(file, modelName, diagnostics);
  if (!model)
    return std::nullopt;
  std::optional<Network> network = elaborate(file, *model, diagnostics);
  settleRecipe(file, overrides, network ? &*network : nullptr, diagnostics);
  return diagnostics.hasErrors() ? std::nullopt : std::move(network);
}
