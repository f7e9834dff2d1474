//===- KernelSearch.h - The search for a kernel's fastest knobs -*- C++ -*-===//
//
// Compiles candidates in parallel, holds each against the interpreter before it
// meets a clock, and races them (Race.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_KERNELSEARCH_H
#define RESIN_TUNING_KERNELSEARCH_H

#include "codegen/KernelLibrary.h"
#include "tuning/Race.h"

#include <optional>
#include <string>

namespace resin::tuning {

struct KernelSearchOptions {
  TargetInfo target;
  unsigned jobs = 0; ///< kernels compiled at once; 0: as many as there are processors
  SearchHooks hooks = {};
};

/// What is tuned: a kernel, and how the programs that will use it may round.
struct TuningSubject {
  KernelSpec spec;
  codegen::Numerics numerics = codegen::Numerics::Fast;
};

class KernelSearch {
public:
  explicit KernelSearch(KernelSearchOptions options) : options(std::move(options)) {}

  /// Searches for about `seconds`, beginning with `hint` too if there is one that rounds as
  /// asked. Nothing if it was stopped before anything was measured, or failed: then `error`
  /// says why.
  std::optional<TuningRecord> tune(const TuningSubject &subject, const Knobs &hint, double seconds, std::string &error);

  /// Measures `knobs` beside the default.
  std::optional<TuningRecord> measure(const TuningSubject &subject, const Knobs &knobs, std::string &error);

private:
  const KernelSearchOptions options;
};

} // namespace resin::tuning

#endif // RESIN_TUNING_KERNELSEARCH_H
