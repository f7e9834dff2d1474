//===- Diagnostics.cpp - What is wrong, where, and what to do -------------===//

#include "frontend/Diagnostics.h"
#include "frontend/Places.h"
#include "support/DidYouMean.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace resin::frontend;

void Diagnostics::error(SMRange where, const Twine &what, ArrayRef<Note> notes) {
  auto isHere = [&](const Error &other) { return other.where.Start == where.Start; };
  if (!isFull() && none_of(errors, isHere))
    errors.push_back({where, what.str(), notes.vec()});
}

void Diagnostics::errorInFile(const Twine &what) {
  const char *start = sources.getMemoryBuffer(sources.getMainFileID())->getBufferStart();
  error({SMLoc::getFromPointer(start), SMLoc::getFromPointer(start)}, what);
}

void Diagnostics::printMessage(raw_ostream &out, SMRange where, StringRef kind, StringRef text) {
  const MemoryBuffer &buffer = *sources.getMemoryBuffer(sources.FindBufferContainingLoc(where.Start));
  Places places(buffer.getBuffer());
  auto [line, column] = places.find(where.Start.getPointer());
  out << buffer.getBufferIdentifier() << ':' << line << ':' << column << ": " << kind << ": " << text << '\n';
  places.printMarked(out, where);
}

void Diagnostics::print(raw_ostream &out) {
  auto position = [&](const Error &error) {
    return std::pair(sources.FindBufferContainingLoc(error.where.Start), error.where.Start.getPointer());
  };
  // By place; where two are at one, in the order they were found.
  SmallVector<std::pair<decltype(position(errors[0])), size_t>> order;
  for (auto [number, error] : enumerate(errors))
    order.push_back({position(error), number});
  llvm::sort(order);

  for (const auto &[place, number] : ArrayRef(order).take_front(maxPrinted)) {
    const Error &error = errors[number];
    printMessage(out, error.where, "error", error.what);
    for (const Note &note : error.notes)
      printMessage(out, {note.where, note.where}, "note", note.text);
  }
  if (errors.size() > maxPrinted)
    out << "error: there are more mistakes; these are the first " << maxPrinted << "\n";
}

static std::vector<std::string> toStrings(ArrayRef<StringRef> names) { return {names.begin(), names.end()}; }

std::string resin::frontend::didYouMean(StringRef name, ArrayRef<StringRef> candidates) {
  return resin::didYouMean(name, toStrings(candidates));
}

std::string resin::frontend::didYouMeanArgument(StringRef name, ArrayRef<StringRef> candidates) {
  return resin::didYouMeanOr(name, toStrings(candidates), "it takes");
}
