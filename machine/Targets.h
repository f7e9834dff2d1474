//===- Targets.h - The CPUs that Resin builds for ---------------*- C++ -*-===//

#ifndef RESIN_MACHINE_TARGETS_H
#define RESIN_MACHINE_TARGETS_H

#include "machine/Machine.h"

#include <string>
#include <vector>

namespace resin {

/// A level of the x86-64 psABI. `features` are what its code needs beyond x86-64,
/// spelt as in /proc/cpuinfo; a program checks them when it starts.
struct TargetInfo {
  std::string name; ///< `x86-64-v3`
  std::vector<std::string> features;
  Machine machine;
};

/// That passes build for where nobody has said: what Resin is developed on.
inline constexpr const char *kUsualTarget = "x86-64-v3";

/// The target called `name`: `host`, or `v2`, `v3`, `v4` with or without `x86-64-`
/// before it. `host` is the highest level this CPU has. On failure returns false
/// and says in `error` what names there are.
bool findTarget(const std::string &name, TargetInfo &target, std::string &error);

/// Features of `target` that this CPU lacks.
std::vector<std::string> missingFeatures(const TargetInfo &target);

} // namespace resin

#endif // RESIN_MACHINE_TARGETS_H
