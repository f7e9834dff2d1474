//===- Places.cpp - Lines and columns of a text ---------------------------===//

#include "frontend/Places.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace resin::frontend;

StringRef resin::frontend::takeCharacter(StringRef text) {
  size_t length = getNumBytesForUTF8(static_cast<UTF8>(text.front()));
  StringRef character = text.take_front(length);
  return character.size() == length && getCodePoint(character) ? character : text.take_front(1);
}

uint32_t resin::frontend::getCodePoint(StringRef character) {
  const auto *at = reinterpret_cast<const UTF8 *>(character.begin());
  UTF32 code = 0;
  bool isRight = convertUTF8Sequence(&at, reinterpret_cast<const UTF8 *>(character.end()), &code, strictConversion) ==
                 conversionOK;
  return isRight ? code : 0;
}

std::string resin::frontend::printCodePoint(uint32_t code) {
  std::string digits = utohexstr(code);
  return "U+" + std::string(digits.size() < 4 ? 4 - digits.size() : 0, '0') + digits;
}

Places::Places(StringRef text) : text(text) {
  StringRef rest = text;
  rest.consume_front("\xef\xbb\xbf");
  starts.push_back(rest.begin());
  for (const char *at = rest.begin(); at != rest.end(); ++at)
    if (*at == '\n' || (*at == '\r' && (at + 1 == rest.end() || at[1] != '\n')))
      starts.push_back(at + 1);
  isAscii = all_of(rest, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::pair<unsigned, unsigned> Places::find(const char *at) const {
  size_t line = upper_bound(starts, at) - starts.begin();
  if (line == 0) // the byte order mark itself
    return {1, 1};
  StringRef before(starts[line - 1], at - starts[line - 1]);
  auto isContinuation = [](char c) { return (c & 0xc0) == 0x80; };
  size_t column = isAscii ? before.size() : before.size() - count_if(before, isContinuation);
  return {line, column + 1};
}

StringRef Places::getLine(const char *at) const {
  size_t line = upper_bound(starts, at) - starts.begin();
  const char *start = starts[line ? line - 1 : 0];
  return StringRef(start, text.end() - start).take_until([](char c) { return c == '\n' || c == '\r'; });
}

/// As a terminal shows it in one place: what can't be seen has its number.
static std::string makeVisible(StringRef character, size_t column) {
  if (character == "\t")
    return std::string(8 - column % 8, ' ');
  if (sys::unicode::columnWidthUTF8(character) > 0)
    return character.str();
  if (uint32_t code = getCodePoint(character))
    return "<" + printCodePoint(code) + ">";
  return "<" + toHex(character) + ">";
}

void Places::printMarked(raw_ostream &out, SMRange where) const {
  StringRef line = getLine(where.Start.getPointer());
  const char *start = std::max(where.Start.getPointer(), line.begin()); // behind a byte order mark
  const char *end = std::max(where.End.getPointer(), start + 1);
  std::string shown, marks;
  auto mark = [&](const char *at, size_t width) {
    bool isFirst = marks.find('^') == std::string::npos;
    if (at < start || at >= end)
      marks.append(width, ' ');
    else
      marks += (isFirst ? "^" : "~") + std::string(width - 1, '~');
  };
  size_t column = 0;
  for (StringRef rest = line; !rest.empty();) {
    StringRef character = takeCharacter(rest);
    std::string visible = makeVisible(character, column);
    size_t width = std::max(sys::unicode::columnWidthUTF8(visible), 1);
    mark(rest.begin(), width);
    shown += visible;
    column += width;
    rest = rest.drop_front(character.size());
  }
  if (start >= line.end())
    mark(start, 1);
  out << shown << '\n' << StringRef(marks).rtrim() << '\n';
}
