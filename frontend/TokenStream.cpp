//===- TokenStream.cpp - Where a parser stands ----------------------------===//

#include "frontend/TokenStream.h"

using namespace llvm;
using namespace resin::frontend;

std::string TokenStream::found() const {
  const Token &token = peek();
  if (token.is(Token::Identifier))
    return ("'" + token.text + "'").str();
  return describe(token.kind).str();
}

bool TokenStream::expect(Token::Kind kind, const Twine &where) {
  if (takeIf(kind))
    return true;
  fail("expected " + describe(kind) + " " + where + ", found " + found());
  return false;
}

std::optional<Name> TokenStream::expectName(const Twine &what) {
  if (peek().is(Token::Identifier)) {
    const Token &token = take();
    return Name{token.text.str(), token.range};
  }
  bool isKeyword = peek().kind >= Token::KeywordBlock;
  fail("expected " + what + ", found " + found() + (isKeyword ? ", which is a word of the language" : ""));
  return std::nullopt;
}

// label = name ":"
std::optional<Name> TokenStream::takeLabel() {
  if (!atLabel())
    return std::nullopt;
  const Token &token = take();
  take();
  return Name{token.text.str(), token.range};
}
