//===- Targets.cpp - The CPUs that Resin builds for -----------------------===//

#include "machine/Targets.h"

#include <array>

namespace resin {

namespace {

/// Does this CPU (and its system) have the feature? The names are literals of the builtin.
bool hasFeature(const std::string &name) {
  __builtin_cpu_init();
#define RESIN_FEATURE(cpuinfo, builtin)                                                                                \
  if (name == cpuinfo)                                                                                                 \
    return __builtin_cpu_supports(builtin);
  RESIN_FEATURE("ssse3", "ssse3")
  RESIN_FEATURE("sse4_1", "sse4.1")
  RESIN_FEATURE("sse4_2", "sse4.2")
  RESIN_FEATURE("popcnt", "popcnt")
  RESIN_FEATURE("avx", "avx")
  RESIN_FEATURE("avx2", "avx2")
  RESIN_FEATURE("bmi1", "bmi")
  RESIN_FEATURE("bmi2", "bmi2")
  RESIN_FEATURE("f16c", "f16c")
  RESIN_FEATURE("fma", "fma")
  RESIN_FEATURE("avx512f", "avx512f")
  RESIN_FEATURE("avx512bw", "avx512bw")
  RESIN_FEATURE("avx512cd", "avx512cd")
  RESIN_FEATURE("avx512dq", "avx512dq")
  RESIN_FEATURE("avx512vl", "avx512vl")
#undef RESIN_FEATURE
  return false;
}

/// From the highest level down.
const std::array<TargetInfo, 3> &targets() {
  static const std::array<TargetInfo, 3> all = [] {
    const std::vector<std::string> v2 = {"ssse3", "sse4_1"};
    std::vector<std::string> v3 = {"ssse3", "sse4_1", "sse4_2", "popcnt", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma"},
                             v4 = v3;
    v4.insert(v4.end(), {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"});
    return std::array<TargetInfo, 3>{{{"x86-64-v4", v4, {.vectorFloats = 16, .vectorRegisters = 32}},
                                      {"x86-64-v3", v3, {.vectorFloats = 8, .vectorRegisters = 16}},
                                      {"x86-64-v2", v2, {.vectorFloats = 4, .vectorRegisters = 16}}}};
  }();
  return all;
}

} // namespace

std::vector<std::string> missingFeatures(const TargetInfo &target) {
  std::vector<std::string> missing;
  for (const std::string &feature : target.features)
    if (!hasFeature(feature))
      missing.push_back(feature);
  return missing;
}

bool findTarget(const std::string &name, TargetInfo &target, std::string &error) {
  for (const TargetInfo &candidate : targets())
    if (name == "host" ? missingFeatures(candidate).empty()
                       : "x86-64-" + name == candidate.name || name == candidate.name) {
      target = candidate;
      return true;
    }
  error = name == "host" ? "this CPU has less than x86-64-v2"
                         : "unknown target '" + name + "'; there are host, x86-64-v4, x86-64-v3 and x86-64-v2";
  return false;
}

} // namespace resin
