//===- KernelCheck.h - A kernel against the interpreter ---------*- C++ -*-===//
//
// Compiles kernels given as text or spec and holds each against the interpreter, as
// tuning/KernelTrial.h does with one. With RESIN_RECORD_TRIALS in the environment they
// are recorded there for another CPU instead (test/emulated/TrialFolder.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_KERNELCHECK_H
#define RESIN_TEST_UNIT_KERNELCHECK_H

#include "support/KernelSpec.h"
#include "support/KernelStack.h"
#include "tuning/KernelTrial.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace resin {

struct CheckOptions {
  /// Greatest error beside the largest magnitude of a result: 1e-5 forward, 1e-4 for gradients.
  double tolerance = 1e-5;
  std::string target = "host";
  unsigned seed = 1;
  /// Where compiled kernels are kept; empty: nowhere.
  std::string cacheDirectory = {};
  /// Scratch beyond which kernels are built in their frugal form: all of them, with 0.
  int64_t mostScratch = kMostKernelScratch;
  /// Pairs (operand, result) that share their storage.
  std::vector<std::pair<size_t, size_t>> inPlace = {};
};

/// Use as EXPECT_TRUE(checkKernel("(f32[2,16,4,4]c16) { %1 = relu(%0) {} : ...")).
testing::AssertionResult checkKernel(const std::string &text, const CheckOptions &options = {});
/// All at once: compiled in parallel. Fails once for each kernel that is wrong.
void checkKernels(const std::vector<std::string> &texts, const CheckOptions &options = {});

/// In their usual form, and in the frugal one.
void checkBothForms(const std::vector<std::string> &texts, CheckOptions options = {});

/// What is wrong with each of `specs` that is; empty if all are right.
std::vector<std::string> findWrongKernels(const std::vector<KernelSpec> &specs, const CheckOptions &options);

} // namespace resin

#endif // RESIN_TEST_UNIT_KERNELCHECK_H
