//===- Tuner.h - The search for a kernel's fastest knobs --------*- C++ -*-===//
//
// Compiles candidates in parallel, holds each against the interpreter before it
// meets a clock, and races them: in turns, beside a yardstick that tells when the
// machine itself slowed down, the slower half leaving after each heat.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TUNING_TUNER_H
#define RESIN_TUNING_TUNER_H

#include "codegen/KernelLibrary.h"
#include "tuning/TuningRecord.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace resin::tuning {

struct TunerOptions {
  TargetInfo target;
  unsigned jobs = 0; ///< kernels compiled at once; 0: as many as there are processors
  /// Asked between steps: true ends the search with what it has.
  std::function<bool()> isStopped = [] { return false; };
  /// Told what goes on.
  std::function<void(const std::string &)> report = [](const std::string &) {};
};

/// What is tuned: a kernel, and how the programs that will use it may round.
struct TuningSubject {
  KernelSpec spec;
  codegen::Numerics numerics = codegen::Numerics::Fast;
};

class Tuner {
public:
  explicit Tuner(TunerOptions options) : options(std::move(options)) {}

  /// Searches for about `seconds`, beginning with `hint` too if there is one that rounds as
  /// asked. Nothing if it was stopped before anything was measured, or failed: then `error`
  /// says why.
  std::optional<TuningRecord> tune(const TuningSubject &subject, const Knobs &hint, double seconds, std::string &error);

  /// Measures `knobs` beside the default.
  std::optional<TuningRecord> measure(const TuningSubject &subject, const Knobs &knobs, std::string &error);

private:
  struct Candidate;
  class Search;
  const TunerOptions options;
};

} // namespace resin::tuning

#endif // RESIN_TUNING_TUNER_H
