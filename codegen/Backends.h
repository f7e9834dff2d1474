//===- Backends.h - Which backend builds for which target -------*- C++ -*-===//

#ifndef RESIN_CODEGEN_BACKENDS_H
#define RESIN_CODEGEN_BACKENDS_H

#include "codegen/Backend.h"

namespace resin::codegen {

/// The backend that builds for the target called so in full, known or not; null if there is none.
const Backend *findBackend(std::string_view target);
/// Of a target that is known.
const Backend &backendOf(const TargetInfo &target);

} // namespace resin::codegen

#endif // RESIN_CODEGEN_BACKENDS_H
