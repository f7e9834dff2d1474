//===- Diagnostics.cpp - What is wrong, where, and what to do -------------===//

#include "frontend/Diagnostics.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
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
    sources.PrintMessage(out, error.where.Start, SourceMgr::DK_Error, error.what, error.where, {}, false);
    for (const Note &note : error.notes)
      sources.PrintMessage(out, note.where, SourceMgr::DK_Note, note.text, {}, {}, false);
  }
  if (errors.size() > maxPrinted)
    out << "error: there are more mistakes; these are the first " << maxPrinted << "\n";
}

static bool areSameLetters(StringRef a, StringRef b) {
  return a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin());
}

std::string resin::frontend::didYouMean(StringRef name, ArrayRef<StringRef> candidates) {
  // A third of the letters may differ, one at least; names of two letters are like anything.
  unsigned best = name.size() < 3 ? 1 : name.size() / 3 + 1;
  StringRef nearest;
  for (StringRef candidate : candidates) {
    unsigned distance = areSameLetters(name, candidate)
                            ? 1 // two changed places
                            : name.edit_distance(candidate, /*AllowReplacements=*/true, /*MaxEditDistance=*/best);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest.empty() ? "" : ("; did you mean '" + nearest + "'?").str();
}
