//===- TrialFolder.h - Kernels and what they must compute -------*- C++ -*-===//
//
// Records kernels for a CPU that is not this one, to be checked there by
// ReplayTrials.cpp: each kernel, built by every template that takes it, as a shared
// library N.so, and beside it N.trial: a line that says how it was built, the tolerance,
// the pairs in place, and the trial that the interpreter made (tuning/KernelTrial.h).
//
//===----------------------------------------------------------------------===//

#ifndef RESIN_TEST_EMULATED_TRIALFOLDER_H
#define RESIN_TEST_EMULATED_TRIALFOLDER_H

#include "test/unit/KernelCheck.h"

namespace resin {

/// Adds `specs`, compiled for RESIN_RECORD_TARGET (x86-64-v4 if it is not set), to `folder`. What could not be
/// compiled or evaluated.
std::vector<std::string> recordTrials(const std::vector<KernelSpec> &specs, const CheckOptions &options,
                                      const std::string &folder);

} // namespace resin

#endif // RESIN_TEST_EMULATED_TRIALFOLDER_H
