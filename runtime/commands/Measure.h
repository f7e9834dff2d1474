//===- Measure.h - Entry points and their kernels under the clock -*- C++ -*-===//
//
// What `bench` and `profile` share: rounds of the machine's peak, one train step and
// each size of predict, on random numbers that stay in memory. Medians over the
// rounds are reported, so that what else the machine does touches all alike.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_RUNTIME_COMMANDS_MEASURE_H
#define RESIN_RUNTIME_COMMANDS_MEASURE_H

#include "runtime/Model.h"

#include <string>
#include <vector>

namespace resin::runtime {

/// One kernel in one function.
struct KernelRow {
  const Kernel *kernel;
  const Function *function;
  double calls = 0, seconds = 0; ///< in one call of the function; seconds of all workers together
  double share = 0;              ///< of all kernels of that function

  /// GFLOP/s of one thread in the kernel; convolutions count as the plain sum whatever their form.
  double gflops() const { return seconds > 0 ? calls * kernel->flops / seconds / 1e9 : 0; }
  /// GB/s of operands and results, each counted once a call, of one thread.
  double gigabytes() const { return seconds > 0 ? calls * kernel->bytes / seconds / 1e9 : 0; }
};

struct FunctionTime {
  const Function *function;
  double median = 0, fastest = 0; ///< seconds of one call
  size_t rounds = 0;

  double imagesPerSecond() const { return static_cast<double>(function->batch) / median; }
};

struct Measurement {
  double peak = 0; ///< GFLOP/s of multiply-adds, all workers together
  std::vector<FunctionTime> functions;
  std::vector<KernelRow> kernels; ///< by function, the longest first
};

/// Measures for about `seconds`, three rounds at least; `only` is "train", "predict", or
/// empty for both. Stops early when a signal asks for it. A kernel's time is the sum over its
/// calls and workers, by the cycle counter, which is held against the clock over the whole run.
Measurement measure(Model &model, double seconds, const std::string &only);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_MEASURE_H
