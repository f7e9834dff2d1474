//===- Lexer.cpp - Text to tokens -----------------------------------------===//
//
// White space and `#` comments separate tokens and mean nothing else. Text is
// UTF-8, with a byte order mark or without, but only comments and strings may hold
// more than ASCII.
//
//===----------------------------------------------------------------------===//

#include "frontend/Lexer.h"
#include "frontend/Places.h"

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

/// Characters that come into a text unseen, or look like others.
struct Lookalike {
  uint32_t code;
  StringRef name, advice;
};

constexpr Lookalike lookalikes[] = {
    {0x00a0, "a no-break space", "write a space"},
    {0x2007, "a figure space", "write a space"},
    {0x2009, "a thin space", "write a space"},
    {0x202f, "a narrow no-break space", "write a space"},
    {0x3000, "an ideographic space", "write a space"},
    {0x00ad, "a soft hyphen", "leave it out"},
    {0x200b, "a zero-width space", "leave it out"},
    {0x200c, "a zero-width non-joiner", "leave it out"},
    {0x200d, "a zero-width joiner", "leave it out"},
    {0x200e, "a left-to-right mark", "leave it out"},
    {0x200f, "a right-to-left mark", "leave it out"},
    {0x2028, "a line separator", "end the line"},
    {0x2060, "a word joiner", "leave it out"},
    {0xfeff, "a byte order mark", "leave it out: it may stand at the beginning only"},
    {0x00ab, "a typographic quote", "write \""},
    {0x00bb, "a typographic quote", "write \""},
    {0x2018, "a typographic quote", "write \""},
    {0x2019, "a typographic quote", "write \""},
    {0x201c, "a typographic quote", "write \""},
    {0x201d, "a typographic quote", "write \""},
    {0x201e, "a typographic quote", "write \""},
    {0x2010, "a hyphen", "write -"},
    {0x2013, "a dash", "write -"},
    {0x2014, "a dash", "write -"},
    {0x2212, "a minus sign", "write -"},
    {0x00d7, "a multiplication sign", "write *"},
};

bool isLineEnd(char c) { return c == '\n' || c == '\r'; }
bool isNameStart(char c) { return isAlpha(c) || c == '_'; }
bool isNamePart(char c) { return isAlnum(c) || c == '_'; }

class Lexer {
public:
  Lexer(StringRef text, Diagnostics &diagnostics) : rest(text), diagnostics(diagnostics) {}

  std::vector<Token> run() {
    rest.consume_front("\xef\xbb\xbf");
    skipOtherEncoding();
    while (skipSpace(), !rest.empty())
      lexToken();
    add(Token::End, 0);
    return std::move(tokens);
  }

private:
  void skipOtherEncoding();
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

/// Of a text in two or four bytes a character nothing can be read.
void Lexer::skipOtherEncoding() {
  bool hasMark = rest.starts_with("\xff\xfe") || rest.starts_with("\xfe\xff");
  if (!hasMark && !rest.take_front(2).contains('\0'))
    return;
  diagnostics.error(first(0), "the file is UTF-16 or UTF-32: save it as UTF-8");
  rest = {rest.end(), 0};
}

void Lexer::skipSpace() {
  while (!rest.empty()) {
    rest = rest.ltrim(" \t\r\n");
    if (!rest.starts_with("#"))
      return;
    StringRef comment = rest.take_until(isLineEnd);
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
  StringRef body = rest.drop_front().take_until([](char c) { return c == '"' || isLineEnd(c); });
  bool isClosed = rest.substr(1 + body.size()).starts_with("\"");
  if (!isClosed)
    diagnostics.error(first(1), "the string is not closed before the line ends");
  else if (!json::isUTF8(body))
    diagnostics.error(first(1), "the string is not UTF-8");
  Token &token = add(Token::String, 1 + body.size() + isClosed);
  token.text = body;
}

/// Of letters beyond ASCII that follow each other only the first is told.
void Lexer::skipUnknown() {
  StringRef letter = takeCharacter(rest), all = letter;
  uint32_t code = getCodePoint(letter);
  if (static_cast<unsigned char>(letter.front()) >= 0x80)
    all = rest.take_while([](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  const Lookalike *known = find_if(lookalikes, [&](const Lookalike &each) { return each.code == code; });
  if (known != std::end(lookalikes))
    diagnostics.error(first(letter.size()),
                      "unexpected " + printCodePoint(code) + ", " + known->name + ": " + known->advice);
  else if (code >= 0x80)
    diagnostics.error(first(letter.size()), "unexpected character '" + letter + "' (" + printCodePoint(code) + ")");
  else if (isPrint(letter.front()))
    diagnostics.error(first(1), "unexpected character '" + letter + "'");
  else
    diagnostics.error(first(1), "unexpected byte 0x" + toHex(letter.take_front(1), /*LowerCase=*/true));
  rest = rest.drop_front(all.size());
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
