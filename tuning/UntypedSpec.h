//===- UntypedSpec.h - Kernel specs as older records have them --*- C++ -*-===//
//
// Nodes of a KernelSpec once said the shapes of their results alone. Records of such
// specs stay good: wherever records are read, their texts become today's.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_UNTYPEDSPEC_H
#define RESIN_TUNING_UNTYPEDSPEC_H

#include <string>

namespace resin::tuning {

/// The text with the types of its nodes' results, if it lacks them; anything else as it is.
std::string withTypes(const std::string &spec);

} // namespace resin::tuning

#endif // RESIN_TUNING_UNTYPEDSPEC_H
