//===- Places.h - Lines and columns of a text -------------------*- C++ -*-===//
//
// Lines end with LF, CR or both. Columns count characters from 1, not bytes; a
// byte order mark is none.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_PLACES_H
#define RESIN_FRONTEND_PLACES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SMLoc.h"

#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace resin::frontend {

class Places {
public:
  explicit Places(llvm::StringRef text);

  /// Line and column; `at` points into the text or to its end.
  std::pair<unsigned, unsigned> find(const char *at) const;

  /// Prints the line with a mark under `where`, which lies in it or begins there.
  void printMarked(llvm::raw_ostream &out, llvm::SMRange where) const;

private:
  llvm::StringRef getLine(const char *at) const;

  llvm::StringRef text;
  std::vector<const char *> starts; // of lines
  bool isAscii;
};

/// The first character of `text`, which is not empty: all bytes of it, or one where that is no UTF-8.
llvm::StringRef takeCharacter(llvm::StringRef text);
/// Its code point; 0 where it is no UTF-8.
uint32_t getCodePoint(llvm::StringRef character);
/// "U+00A0"
std::string printCodePoint(uint32_t code);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_PLACES_H
