//===- Backend.cpp - Which backend builds for which target ----------------===//

#include "codegen/Backend.h"

#include "codegen/cpu/CpuBackend.h"

#include <cassert>

namespace resin::codegen {

const char *nameOf(Numerics numerics) { return numerics == Numerics::Strict ? "strict" : "fast"; }

std::optional<Numerics> numericsNamed(std::string_view word) {
  for (Numerics numerics : {Numerics::Fast, Numerics::Strict})
    if (word == nameOf(numerics))
      return numerics;
  return std::nullopt;
}

const Backend *findBackend(std::string_view target) { return target.starts_with("x86-64") ? &cpuBackend() : nullptr; }

const Backend &backendOf(const TargetInfo &target) {
  const Backend *backend = findBackend(target.name);
  assert(backend && "every target has its backend");
  return *backend;
}

} // namespace resin::codegen
