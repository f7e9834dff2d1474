//===- ExpressionParser.h - Tokens to expressions ---------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_EXPRESSIONPARSER_H
#define RESIN_FRONTEND_EXPRESSIONPARSER_H

#include "frontend/TokenStream.h"

namespace resin::frontend {

/// A function for each rule of expressions, loosest binding first. All return null after a mistake.
class ExpressionParser : protected TokenStream {
public:
  using TokenStream::TokenStream;

  /// An expression and nothing after it.
  ExprPtr parseWholeExpression();

protected:
  ExprPtr parseExpr();
  std::unique_ptr<ListExpr> parseList();

  unsigned nesting = 0; // of everything, against maxDepth

private:
  ExprPtr parseIfExpr();
  ExprPtr parsePipe();
  ExprPtr parseBinary(unsigned level);
  ExprPtr parseUnary();
  ExprPtr parsePrimary();
  ExprPtr parseStage();
  ExprPtr parseGroup(std::optional<Name> label);
  ExprPtr parseCall(std::optional<Name> label, bool isStage);
  bool parseArguments(CallExpr &call);
  ExprPtr checkDepth(ExprPtr expr);
};

} // namespace resin::frontend

#endif // RESIN_FRONTEND_EXPRESSIONPARSER_H
