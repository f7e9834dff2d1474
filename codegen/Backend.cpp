//===- Backend.cpp - The words for how a kernel may round -----------------===//

#include "codegen/Backend.h"

namespace resin::codegen {

const char *nameOf(Numerics numerics) { return numerics == Numerics::Strict ? "strict" : "fast"; }

std::optional<Numerics> numericsNamed(std::string_view word) {
  for (Numerics numerics : {Numerics::Fast, Numerics::Strict})
    if (word == nameOf(numerics))
      return numerics;
  return std::nullopt;
}

} // namespace resin::codegen
