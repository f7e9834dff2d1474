//===- Measure.h - Entry points and their kernels under the clock -*- C++ -*-===//
//
// What `bench` and `profile` share: rounds of the machine's peak, train steps and each
// size of predict, on random numbers that stay in memory. In a round each has a turn of
// some calls one behind the other. Medians over all calls are reported, so that what
// else the machine does touches all alike. Writing the images is outside the clock.
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
  /// GFLOP/s of one thread of what the form really multiplies and adds, transforms left out.
  double formGflops() const { return seconds > 0 ? calls * kernel->formFlops / seconds / 1e9 : 0; }
  /// GB/s of operands and results, each counted once a call, of one thread.
  double gigabytes() const { return seconds > 0 ? calls * kernel->bytes / seconds / 1e9 : 0; }
};

struct FunctionTime {
  const Function *function;
  double median = 0, fastest = 0; ///< seconds of one call
  size_t calls = 0;               ///< that were timed
  /// What the first call made, from the seed's weights and the same random images: losses or the first image's logits,
  /// and of a train step the norms of the optimizer's slots, which are its gradients. Another build's are the same but
  /// for rounding.
  std::vector<double> outputs;

  double imagesPerSecond() const { return static_cast<double>(function->batch) / median; }
};

struct Measurement {
  double peak = 0; ///< GFLOP/s of multiply-adds, all workers together
  std::vector<FunctionTime> functions;
  std::vector<KernelRow> kernels; ///< by function, the longest first
};

/// Measures for about `seconds`, three rounds at least; `only` is "train", "predict", the name
/// of one entry point such as "predict_1", or empty for all; another is an error of usage. Stops
/// early when a signal asks for it. A kernel's time is the sum over its calls and workers, by the
/// device's clock, which is held against the clock over the whole run.
StatusOr<Measurement> measure(Model &model, double seconds, const std::string &only);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_COMMANDS_MEASURE_H
