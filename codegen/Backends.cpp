//===- Backends.cpp - Which backend builds for which target ---------------===//

#include "codegen/Backends.h"

#include "codegen/cpu/CpuBackend.h"

#include <cassert>

namespace resin::codegen {

const Backend *findBackend(std::string_view target) { return target.starts_with("x86-64") ? &cpuBackend() : nullptr; }

const Backend &backendOf(const TargetInfo &target) {
  const Backend *backend = findBackend(target.name);
  assert(backend && "every target has its backend");
  return *backend;
}

} // namespace resin::codegen
