//===- KernelCheck.h - A kernel against the interpreter ---------*- C++ -*-===//
//
// Compiles a kernel given as text, runs it on random operands, and compares with the
// interpreter. Beside the values it checks that padding lanes and rings are written
// as zeros and that nothing outside the results is touched; operands stand between
// NaNs, so that a kernel which reads outside of them is found out.
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_UNIT_KERNELCHECK_H
#define RESIN_TEST_UNIT_KERNELCHECK_H

#include "support/KernelSpec.h"
#include "test/unit/Oracle.h"

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
  /// Pairs (operand, result) that share their storage.
  std::vector<std::pair<size_t, size_t>> inPlace = {};
};

/// Use as EXPECT_TRUE(checkKernel("(f32[2,16,4,4]c16) { %1 = relu(%0) {} : ...")).
testing::AssertionResult checkKernel(const std::string &text, const CheckOptions &options = {});
/// All at once: compiled in parallel. Fails once for each kernel that is wrong.
void checkKernels(const std::vector<std::string> &texts, const CheckOptions &options = {});

/// What is wrong with each of `specs` that is; empty if all are right.
std::vector<std::string> findWrongKernels(const std::vector<KernelSpec> &specs, const CheckOptions &options);

/// Where a logical element stands in a tensor's storage, counted in elements.
int64_t storageOffset(const TensorSpec &tensor, const std::vector<int64_t> &index);
/// Random elements that suit what the spec does with operand `number`: labels,
/// variances, steps. Multiples of 1/8, so that most sums are exact in f32.
Elements randomOperand(const KernelSpec &spec, int number, unsigned seed);

} // namespace resin

#endif // RESIN_TEST_UNIT_KERNELCHECK_H
