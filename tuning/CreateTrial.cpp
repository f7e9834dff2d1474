//===- CreateTrial.cpp - A trial by the interpreter -----------------------===//
//
// In a file of its own, so that a program which only restores trials has no
// interpreter in it.
//
//===----------------------------------------------------------------------===//

#include "tuning/KernelTrial.h"

namespace resin {

std::unique_ptr<KernelTrial> KernelTrial::create(const KernelSpec &spec, unsigned seed, std::string &error,
                                                 std::optional<Poison> poison) {
  std::unique_ptr<KernelTrial> trial(new KernelTrial(spec, seed, poison));
  for (int32_t piece : countsPieces(spec) ? trial->pieces() : std::set<int32_t>{0})
    if (!evaluateSpec(spec, trial->operands, trial->expected[piece], error, piece)) {
      error = "the interpreter: " + error;
      return nullptr;
    }
  return trial;
}

} // namespace resin
