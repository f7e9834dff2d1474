//===- Diagnostics.h - What is wrong, where, and what to do ------*- C++ -*-===//
//
// Collects a user's mistakes and prints them in source order, each with its
// caret line and its notes. Of several at one place (the body of a `repeat`, or
// what follows from the first) only the first is told.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_FRONTEND_DIAGNOSTICS_H
#define RESIN_FRONTEND_DIAGNOSTICS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/SMLoc.h"

#include <string>
#include <vector>

namespace llvm {
class SourceMgr;
class raw_ostream;
} // namespace llvm

namespace resin::frontend {

struct Note {
  llvm::SMLoc where;
  std::string text;
};

class Diagnostics {
public:
  explicit Diagnostics(llvm::SourceMgr &sources) : sources(sources) {}

  void error(llvm::SMRange where, const llvm::Twine &what, llvm::ArrayRef<Note> notes = {});
  /// A mistake of the file as a whole: shown at its beginning.
  void errorInFile(const llvm::Twine &what);
  bool hasErrors() const { return !errors.empty(); }
  /// So many mistakes that more are not even kept.
  bool isFull() const { return errors.size() >= maxKept; }

  /// Prints what was collected to `out`.
  void print(llvm::raw_ostream &out);

  llvm::SourceMgr &getSources() { return sources; }

private:
  void printMessage(llvm::raw_ostream &out, llvm::SMRange where, llvm::StringRef kind, llvm::StringRef text);

  static constexpr size_t maxPrinted = 20, maxKept = 100;

  struct Error {
    llvm::SMRange where;
    std::string what;
    std::vector<Note> notes;
  };

  llvm::SourceMgr &sources;
  std::vector<Error> errors;
};

/// "; did you mean 'batch_norm'?" where a candidate is near enough, else "".
std::string didYouMean(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> candidates);
/// The same, or "; it takes channels, kernel" where none is near.
std::string didYouMeanArgument(llvm::StringRef name, llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace resin::frontend

#endif // RESIN_FRONTEND_DIAGNOSTICS_H
