//===- Names.h - What a file's names mean -----------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_NAMES_H
#define RESIN_FRONTEND_NAMES_H

#include "frontend/AST.h"

#include "llvm/ADT/SmallVector.h"

namespace resin::frontend {

const Block *findBlock(const File &file, llvm::StringRef name);

/// `shape`, `channels`, `height`, `width`: functions of a tensor's shape.
bool isFunction(llvm::StringRef name);

/// Reports what is declared twice and names that mean nothing, also in blocks nobody calls.
void checkNames(const File &file, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_NAMES_H
