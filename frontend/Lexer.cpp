//===- Lexer.cpp - Text to tokens -----------------------------------------===//
//
// White space and `#` comments separate tokens and mean nothing else. Text is
// UTF-8, but only comments and strings may hold more than ASCII.
//
//===----------------------------------------------------------------------===//

#include "frontend/Lexer.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace llvm;
using namespace resin::frontend;

namespace {

struct Spelling {
  Token::Kind kind;
  StringRef text;
};

constexpr Spelling punctuation[] = {
#define PUNCTUATION(name, spelling) {Token::name, spelling},
#include "frontend/Tokens.def"
};

constexpr Spelling keywords[] = {
#define KEYWORD(name, spelling) {Token::Keyword##name, spelling},
#include "frontend/Tokens.def"
};

bool isNameStart(char c) { return isAlpha(c) || c == '_'; }
bool isNamePart(char c) { return isAlnum(c) || c == '_'; }

class Lexer {
public:
  Lexer(StringRef text, Diagnostics &diagnostics) : rest(text), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    while (skipSpace(), !rest.empty())
      lexToken();
    add(Token::End, 0);
    return std::move(tokens);
  }

private:
  void skipSpace();
  void lexToken();
  void lexName();
  void lexNumber();
  void lexString();
  void skipUnknown();

  SMRange first(size_t length) const {
    return {SMLoc::getFromPointer(rest.data()), SMLoc::getFromPointer(rest.data() + length)};
  }
  Token &add(Token::Kind kind, size_t length) {
    tokens.push_back({kind, rest.take_front(length), first(length)});
    rest = rest.drop_front(length);
    return tokens.back();
  }

  StringRef rest;
  Diagnostics &diagnostics;
  std::vector<Token> tokens;
};

void Lexer::skipSpace() {
  while (!rest.empty()) {
    rest = rest.ltrim(" \t\r\n");
    if (!rest.starts_with("#"))
      return;
    StringRef comment = rest.take_until([](char c) { return c == '\n'; });
    if (!json::isUTF8(comment))
      diagnostics.error(first(1), "the comment is not UTF-8");
    rest = rest.drop_front(comment.size());
  }
}

void Lexer::lexToken() {
  char c = rest.front();
  if (isNameStart(c))
    return lexName();
  if (isDigit(c))
    return lexNumber();
  if (c == '"')
    return lexString();
  for (const Spelling &mark : punctuation)
    if (rest.starts_with(mark.text)) {
      add(mark.kind, mark.text.size());
      return;
    }
  skipUnknown();
}

void Lexer::lexName() {
  StringRef name = rest.take_while(isNamePart);
  const Spelling *keyword = find_if(keywords, [&](const Spelling &word) { return word.text == name; });
  add(keyword == std::end(keywords) ? Token::Identifier : keyword->kind, name.size());
}

// number = digits ["." digits] [("e" | "E") ["+" | "-"] digits]
void Lexer::lexNumber() {
  size_t length = rest.take_while(isDigit).size();
  auto digitsAt = [&](size_t at) { return rest.substr(at).take_while(isDigit).size(); };
  bool isFloat = false;
  if (rest.substr(length).starts_with(".") && digitsAt(length + 1)) {
    length += 1 + digitsAt(length + 1);
    isFloat = true;
  }
  if (length < rest.size() && toLower(rest[length]) == 'e') {
    size_t sign = length + 1 < rest.size() && (rest[length + 1] == '-' || rest[length + 1] == '+');
    if (size_t digits = digitsAt(length + 1 + sign)) {
      length += 1 + sign + digits;
      isFloat = true;
    }
  }

  if (size_t tail = rest.substr(length).take_while([](char c) { return isNamePart(c) || c == '.'; }).size()) {
    diagnostics.error(first(length + tail), "'" + rest.take_front(length + tail) + "' is not a number");
    add(Token::Integer, length + tail);
    return;
  }
  SMRange range = first(length);
  Token &token = add(isFloat ? Token::Float : Token::Integer, length);
  if (!isFloat && token.text.getAsInteger(10, token.integer))
    diagnostics.error(range, "the number " + token.text.take_front(24) + (token.text.size() > 24 ? "..." : "") +
                                 " is too large: the largest integer is 9223372036854775807");
  if (isFloat && (token.text.getAsDouble(token.number) || !std::isfinite(token.number)))
    diagnostics.error(range, "the number '" + token.text.take_front(24) + "' is too large");
}

void Lexer::lexString() {
  StringRef body = rest.drop_front().take_until([](char c) { return c == '"' || c == '\n'; });
  bool isClosed = rest.substr(1 + body.size()).starts_with("\"");
  if (!isClosed)
    diagnostics.error(first(1), "the string is not closed before the line ends");
  else if (!json::isUTF8(body))
    diagnostics.error(first(1), "the string is not UTF-8");
  Token &token = add(Token::String, 1 + body.size() + isClosed);
  token.text = body;
}

void Lexer::skipUnknown() {
  // A letter beyond ASCII is several bytes: one mistake, not three.
  StringRef letter = rest.take_front(1);
  if (static_cast<unsigned char>(letter.front()) >= 0x80)
    letter = rest.take_while([](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  bool isPrintable = json::isUTF8(letter) && (letter.size() > 1 || isPrint(letter.front()));
  if (isPrintable)
    diagnostics.error(first(letter.size()), "unexpected character '" + letter + "'");
  else
    diagnostics.error(first(1), "unexpected byte 0x" + toHex(letter.take_front(1), /*LowerCase=*/true));
  rest = rest.drop_front(letter.size());
}

} // namespace

StringRef resin::frontend::describe(Token::Kind kind) {
  switch (kind) {
  case Token::End:
    return "the end of the file";
  case Token::Identifier:
    return "a name";
  case Token::Integer:
  case Token::Float:
    return "a number";
  case Token::String:
    return "a string";
#define PUNCTUATION(name, spelling)                                                                                    \
  case Token::name:                                                                                                    \
    return "'" spelling "'";
#define KEYWORD(name, spelling)                                                                                        \
  case Token::Keyword##name:                                                                                           \
    return "'" spelling "'";
#include "frontend/Tokens.def"
  }
  llvm_unreachable("all kinds are listed");
}

std::vector<Token> resin::frontend::lex(StringRef text, Diagnostics &diagnostics) {
  return Lexer(text, diagnostics).run();
}
