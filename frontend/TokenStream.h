//===- TokenStream.h - Where a parser stands --------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_TOKENSTREAM_H
#define RESIN_FRONTEND_TOKENSTREAM_H

#include "frontend/AST.h"

namespace resin::frontend {

/// Looks ahead, takes tokens, says what was expected. Parsers derive from it.
class TokenStream {
public:
  TokenStream(llvm::StringRef text, Diagnostics &diagnostics)
      : diagnostics(diagnostics), tokens(lex(text, diagnostics)) {}

protected:
  /// `ahead` = -1 is the token taken last.
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  bool atLabel() const { return peek().is(Token::Identifier) && peek(1).is(Token::Colon); }
  const Token &take() {
    const Token &token = peek();
    at = std::min(at + 1, tokens.size() - 1);
    return token;
  }
  bool takeIf(Token::Kind kind) { return peek().is(kind) && (take(), true); }
  bool expect(Token::Kind kind, const llvm::Twine &where);
  std::optional<Name> expectName(const llvm::Twine &what);
  std::optional<Name> takeLabel();
  /// Elements with commas between them, and perhaps after the last, up to `close`.
  template <typename Element> bool parseCommaList(Token::Kind close, Element parseElement);

  /// What stands here, for messages.
  std::string found() const;
  std::nullptr_t fail(const llvm::Twine &what) { return fail(peek().range, what); }
  std::nullptr_t fail(llvm::SMRange where, const llvm::Twine &what, llvm::ArrayRef<Note> notes = {}) {
    diagnostics.error(where, what, notes);
    return nullptr;
  }

  Diagnostics &diagnostics;
  std::vector<Token> tokens;
  size_t at = 0;
};

template <typename Element> bool TokenStream::parseCommaList(Token::Kind close, Element parseElement) {
  while (!takeIf(close)) {
    if (!parseElement())
      return false;
    if (!takeIf(Token::Comma) && !peek().is(close)) {
      fail("expected ',' or " + describe(close) + ", found " + found());
      return false;
    }
  }
  return true;
}

} // namespace resin::frontend

#endif // RESIN_FRONTEND_TOKENSTREAM_H
