//===- Parser.h - Tokens to a tree ------------------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_PARSER_H
#define RESIN_FRONTEND_PARSER_H

#include "frontend/AST.h"

namespace resin::frontend {

/// Parses a whole file. What can't be parsed is reported and left out.
File parseFile(llvm::StringRef text, Diagnostics &diagnostics);

/// Parses one expression, as `--set train.key=EXPRESSION` has it; null after a mistake.
ExprPtr parseExpression(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_PARSER_H
