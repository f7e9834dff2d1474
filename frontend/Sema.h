//===- Sema.h - From the tree to a network ----------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_SEMA_H
#define RESIN_FRONTEND_SEMA_H

#include "frontend/AST.h"
#include "frontend/Network.h"

namespace resin::frontend {

/// Finds the model (`modelName` may be empty if there is one only), unrolls it and settles its recipe. Nothing after a
/// mistake. `overrides` are settings that go before the file's.
std::optional<Network> analyze(const File &file, llvm::StringRef modelName, llvm::ArrayRef<Setting> overrides,
                               Diagnostics &diagnostics);

/// Unrolls one model: calls blocks, repeats, names layers, checks shapes.
std::optional<Network> elaborate(const File &file, const Model &model, Diagnostics &diagnostics);

/// Gives the network its complete recipe, and marks variables that aren't decayed. With null, only checks the `train`
/// block.
void settleRecipe(const File &file, llvm::ArrayRef<Setting> overrides, Network *network, Diagnostics &diagnostics);

/// Reports what the network can't learn with its recipe; `result` is where the text has its classes.
void checkTrainable(const Network &network, llvm::SMRange result, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_SEMA_H
