//===- ManifestWriter.h - What the runtime is told of the program -*- C++ -*-===//

#ifndef RESIN_CODEGEN_HOST_MANIFESTWRITER_H
#define RESIN_CODEGEN_HOST_MANIFESTWRITER_H

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>
#include <vector>

namespace resin {

/// How a convolution is computed, as code generation says it.
struct ManifestForm {
  std::string name;
  int64_t operations = 0; ///< floating-point, of one call
};

struct ManifestTarget {
  std::string name;                  ///< as `--target` says it
  std::vector<std::string> features; ///< that the CPU must have
  /// Kernels with knobs: by a record of their own, by a neighbour's, by their default.
  int64_t tuned = 0, borrowed = 0, untuned = 0;
  /// How many of them each template makes.
  std::map<std::string, int64_t> templates = {};
  /// How entry functions are fused, of those for which a record says it.
  std::map<std::string, std::string> fusion = {};
  std::map<std::string, ManifestForm> forms = {}; ///< of convolutions, by the symbol of their spec
  /// What code generation is told besides the module: its version, and the knobs of each kernel.
  std::vector<std::string> choices = {};
};

/// The manifest (docs/Manifest.md) of a module whose memory is planned.
std::string writeManifest(mlir::ModuleOp module, const ManifestTarget &target);

} // namespace resin

#endif // RESIN_CODEGEN_HOST_MANIFESTWRITER_H
