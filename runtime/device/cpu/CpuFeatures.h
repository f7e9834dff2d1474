//===- CpuFeatures.h - Can this CPU run what was built? ---------*- C++ -*-===//

#ifndef RESIN_RUNTIME_DEVICE_CPU_CPUFEATURES_H
#define RESIN_RUNTIME_DEVICE_CPU_CPUFEATURES_H

#include "support/Status.h"

#include <string>
#include <vector>

namespace resin::runtime {

/// Whether CPU and operating system offer the feature of LLVM's name ("avx2"). One
/// that has no row in our table is taken to be there.
bool hasCpuFeature(const std::string &name);

/// Fails with the names of all that are missing.
Status checkCpuFeatures(const std::string &target, const std::vector<std::string> &features);

} // namespace resin::runtime

#endif // RESIN_RUNTIME_DEVICE_CPU_CPUFEATURES_H
