//===- Lexer.h - Text to tokens ---------------------------------*- C++ -*-===//

#ifndef RESIN_FRONTEND_LEXER_H
#define RESIN_FRONTEND_LEXER_H

#include "frontend/Diagnostics.h"

#include "llvm/ADT/StringRef.h"

#include <vector>

namespace resin::frontend {

struct Token {
  enum Kind {
    End,
    Identifier,
    Integer,
    Float,
    String, // `text` is what stands between the quotes
#define PUNCTUATION(name, spelling) name,
#define KEYWORD(name, spelling) Keyword##name,
#include "frontend/Tokens.def"
  };

  Kind kind;
  llvm::StringRef text;
  llvm::SMRange range;
  int64_t integer = 0;
  double number = 0;

  bool is(Kind other) const { return kind == other; }
};

/// How a message speaks of a kind of token: "'|>'", "a name".
llvm::StringRef describe(Token::Kind kind);

/// The tokens of `text`, the last being End. Reports what is no token and leaves it out.
std::vector<Token> lex(llvm::StringRef text, Diagnostics &diagnostics);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_LEXER_H
