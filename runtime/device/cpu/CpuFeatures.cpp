//===- CpuFeatures.cpp - Can this CPU run what was built? -----------------===//
//
// A feature is a bit of `cpuid`, and those with registers of their own also need
// the operating system to save them, which is a mask of `xgetbv`.
//
//===----------------------------------------------------------------------===//

#include "runtime/device/cpu/CpuFeatures.h"

#include <cpuid.h>

#include <cstdint>

using namespace resin;
using namespace resin::runtime;

namespace {
enum Register { Eax, Ebx, Ecx, Edx };

struct Feature {
  const char *name;
  uint32_t leaf, subleaf;
  Register where;
  unsigned bit;
  uint32_t saved; ///< bits of xgetbv that have to be set
};

constexpr uint32_t kYmm = 0x6, kZmm = 0xe6, kTiles = 0x60000;

constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, Ecx, 0, 0},
    {"pclmul", 1, 0, Ecx, 1, 0},
    {"ssse3", 1, 0, Ecx, 9, 0},
    {"fma", 1, 0, Ecx, 12, kYmm},
    {"cx16", 1, 0, Ecx, 13, 0},
    {"sse4.1", 1, 0, Ecx, 19, 0},
    {"sse4.2", 1, 0, Ecx, 20, 0},
    {"movbe", 1, 0, Ecx, 22, 0},
    {"popcnt", 1, 0, Ecx, 23, 0},
    {"aes", 1, 0, Ecx, 25, 0},
    {"xsave", 1, 0, Ecx, 26, 0},
    {"avx", 1, 0, Ecx, 28, kYmm},
    {"f16c", 1, 0, Ecx, 29, kYmm},
    {"sse", 1, 0, Edx, 25, 0},
    {"sse2", 1, 0, Edx, 26, 0},
    {"bmi", 7, 0, Ebx, 3, 0},
    {"avx2", 7, 0, Ebx, 5, kYmm},
    {"bmi2", 7, 0, Ebx, 8, 0},
    {"avx512f", 7, 0, Ebx, 16, kZmm},
    {"avx512dq", 7, 0, Ebx, 17, kZmm},
    {"adx", 7, 0, Ebx, 19, 0},
    {"avx512ifma", 7, 0, Ebx, 21, kZmm},
    {"avx512cd", 7, 0, Ebx, 28, kZmm},
    {"avx512bw", 7, 0, Ebx, 30, kZmm},
    {"avx512vl", 7, 0, Ebx, 31, kZmm},
    {"avx512vbmi", 7, 0, Ecx, 1, kZmm},
    {"avx512vbmi2", 7, 0, Ecx, 6, kZmm},
    {"gfni", 7, 0, Ecx, 8, 0},
    {"vaes", 7, 0, Ecx, 9, kYmm},
    {"vpclmulqdq", 7, 0, Ecx, 10, kYmm},
    {"avx512vnni", 7, 0, Ecx, 11, kZmm},
    {"avx512bitalg", 7, 0, Ecx, 12, kZmm},
    {"avx512vpopcntdq", 7, 0, Ecx, 14, kZmm},
    {"amx-bf16", 7, 0, Edx, 22, kTiles},
    {"avx512fp16", 7, 0, Edx, 23, kZmm},
    {"amx-tile", 7, 0, Edx, 24, kTiles},
    {"amx-int8", 7, 0, Edx, 25, kTiles},
    {"avxvnni", 7, 1, Eax, 4, kYmm},
    {"avx512bf16", 7, 1, Eax, 5, kZmm},
    {"sahf", 0x80000001, 0, Ecx, 0, 0},
    {"lzcnt", 0x80000001, 0, Ecx, 5, 0},
    {"sse4a", 0x80000001, 0, Ecx, 6, 0},
    {"prfchw", 0x80000001, 0, Ecx, 8, 0},
    {"xop", 0x80000001, 0, Ecx, 11, kYmm},
    {"fma4", 0x80000001, 0, Ecx, 16, kYmm},
    {"tbm", 0x80000001, 0, Ecx, 21, 0},
};
} // namespace

/// What the operating system saves: xgetbv of register 0.
static uint32_t savedState() {
  uint32_t eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx >> 27 & 1))
    return 0;
  __asm__("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
  return eax;
}

bool resin::runtime::hasCpuFeature(const std::string &name) {
  for (const Feature &feature : kFeatures) {
    if (name != feature.name)
      continue;
    uint32_t registers[4] = {};
    return __get_cpuid_count(feature.leaf, feature.subleaf, &registers[Eax], &registers[Ebx], &registers[Ecx],
                             &registers[Edx]) &&
           (registers[feature.where] >> feature.bit & 1) && (savedState() & feature.saved) == feature.saved;
  }
  return true;
}

Status resin::runtime::checkCpuFeatures(const std::string &target, const std::vector<std::string> &features) {
  std::string missing;
  for (const std::string &feature : features)
    if (!hasCpuFeature(feature))
      missing += (missing.empty() ? "" : ", ") + feature;
  if (missing.empty())
    return {};
  return {ExitCode::Unavailable, concat("this program was built for ", target, ", and this CPU lacks: ", missing,
                                        "; rebuild it with 'resin build --target=x86-64-v2' or on this machine")};
}
